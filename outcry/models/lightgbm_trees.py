"""Read the trees of a LightGBM model."""

import numpy as np

from outcry.errors import BundleError
from outcry.market.frame import BoolArray, FloatArray
from outcry.messages import Direction
from outcry.models.forest import CategorySet, Forest, Tree

_ZERO = float(np.float32(1e-35))
"""LightGBM takes what is no farther than this from zero for zero."""

_IS_CATEGORY, _IS_NAN_LEFT = 1, 2
_MISSING_SHIFT = 2
_MISSING_NONE, _MISSING_ZERO, _MISSING_NAN = range(3)
"""Bits of ``decision_type``: two flags, and what counts as missing."""


def parse_lightgbm(model: bytes, *, n_features: int) -> Forest:
    """Return a forest that predicts what LightGBM predicts, to the last bit.

    Parameters
    ----------
    model : bytes
        What ``Booster.model_to_string()`` gave; trained with ``boosting: gbdt`` and ``multiclass``, without linear
        trees and ``zero_as_missing``.
    n_features : int
        Columns of the rows it will see.

    Raises
    ------
    BundleError
        Where the bytes are no such model.

    References
    ----------
    LightGBM, ``src/io/tree.cpp`` and ``include/LightGBM/tree.h``, version 4: the text of a tree; `NumericalDecision`
    and `CategoricalDecision`.
    """
    try:
        text = model.decode()
        head, *blocks = text[: text.index("\nend of trees")].split("\nTree=")
        facts = _read_lines(head)
        found = int(facts["max_feature_idx"]) + 1
        if found != n_features:
            raise BundleError(f"lightgbm model must read {n_features} features, reads {found}")
        n_classes = len(Direction)
        kind = f"{facts['objective']} {facts['num_tree_per_iteration']}"
        if kind != f"multiclass num_class:{n_classes} {n_classes}":
            raise BundleError(f"lightgbm model must be multiclass num_class:{n_classes} {n_classes}, was {kind}")
        if "average_output" in facts:
            raise BundleError("lightgbm model must not average its trees")
        sets: list[CategorySet] = []
        trees = [
            _read_tree(number % n_classes, _read_lines(block), n_features, sets) for number, block in enumerate(blocks)
        ]
        return Forest(trees, [0.0] * n_classes, n_features=n_features, real="f8", category_sets=sets)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise BundleError(f"lightgbm model cannot be read: {error!r}") from None


def _read_lines(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition("=") for line in text.splitlines())}


def _read_tree(direction: int, facts: dict[str, str], n_features: int, sets: list[CategorySet]) -> Tree:
    """Return a tree; sets of categories that it tests are added to those of the trees before it."""
    if facts["is_linear"] != "0":
        raise BundleError("lightgbm model must not have linear trees")
    kind = np.array(facts.get("decision_type", "").split(), dtype=np.int64)
    missing, is_category = kind >> _MISSING_SHIFT, kind & _IS_CATEGORY > 0
    if np.any(missing == _MISSING_ZERO):
        raise BundleError("lightgbm model must not take zero as missing")
    columns = np.array(facts.get("split_feature", "").split(), dtype=np.int64)
    threshold = np.array(facts.get("threshold", "").split(), dtype=np.float64)
    left, right = (np.array(facts.get(side, "").split(), dtype=np.int64) for side in ("left_child", "right_child"))
    # where NaN is not missing it is taken for zero
    is_nan_left = np.where(missing == _MISSING_NAN, kind & _IS_NAN_LEFT > 0, threshold >= 0.0)
    is_all = np.isposinf(threshold)  # every number is left, infinity too: then none is below -inf, on the right
    strict = np.where(is_all, -np.inf, _strict(threshold))
    for node in np.flatnonzero(is_category):
        members = _read_members(facts, int(threshold[node]))
        sets.append(CategorySet(int(columns[node]), members))
        columns[node], strict[node] = n_features + len(sets) - 1, 0.5
    return Tree(
        direction=direction,
        columns=columns.tolist(),
        thresholds=strict.tolist(),
        is_nan_left=(is_nan_left ^ is_all).tolist(),
        left=np.where(is_all, right, left).tolist(),
        right=np.where(is_all, left, right).tolist(),
        leaves=[float(leaf) for leaf in facts["leaf_value"].split()],
        root=0 if int(facts["num_leaves"]) > 1 else ~0,
    )


def _read_members(facts: dict[str, str], number: int) -> BoolArray:
    """Return which codes are in a set of a tree: words of 32 bits, the lowest code first."""
    bounds = [int(bound) for bound in facts["cat_boundaries"].split()]
    words = np.array(facts["cat_threshold"].split(), dtype="<u4")[bounds[number] : bounds[number + 1]]
    if number < 0 or not len(words):
        raise BundleError(f"lightgbm model must have words for its set of categories {number}")
    return np.unpackbits(words.view(np.uint8), bitorder="little").astype(np.bool_)


def _strict(threshold: FloatArray) -> FloatArray:
    """Return t' such that ``x < t'`` says what LightGBM says by ``x <= t``, x being zero where it is close to zero."""
    of_zero = np.where(threshold >= 0.0, _ZERO, np.nextafter(-_ZERO, -np.inf))
    meant = np.where((threshold >= -_ZERO) & (threshold < _ZERO), of_zero, threshold)
    return np.nextafter(meant, np.inf)
