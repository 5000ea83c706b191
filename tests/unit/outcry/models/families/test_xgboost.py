"""What XGBoost can be told beside the usual."""

import json

import numpy as np
import pytest

from outcry.errors import ConfigurationError
from outcry.models.dataset import Dataset
from outcry.models.families.xgboost import FAMILY, XGBoostParams
from outcry.models.family import FitSettings
from outcry.models.tree_model import TreeModel

NAMES = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def data() -> Dataset:
    """What a and b do depends on each other, and so it is with c and d."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1200, 4))
    said = rows[:, 0] * rows[:, 1] + rows[:, 2] * rows[:, 3] + 0.3 * rng.normal(size=1200)
    return Dataset(rows, np.digitize(said, [-0.5, 0.5]).astype(np.int8), np.arange(1200), NAMES)


def _fit(data: Dataset, params: XGBoostParams) -> TreeModel:
    return FAMILY.fit(data, data, data, params, FitSettings(seed=1, early_stopping_rounds=50))


def _columns_met(model: TreeModel) -> set[frozenset[int]]:
    """Return the sets of columns that stand on one way down a tree."""
    met: set[frozenset[int]] = set()
    for tree in json.loads(model.text)["learner"]["gradient_booster"]["model"]["trees"]:
        waiting = [(0, frozenset[int]())]
        while waiting:
            node, above = waiting.pop()
            if tree["left_children"][node] == -1:
                met.add(above)
                continue
            here = above | {tree["split_indices"][node]}
            waiting += [(tree[side][node], here) for side in ("left_children", "right_children")]
    return met


def test_columns_meet_only_within_their_group(data: Dataset) -> None:
    params = XGBoostParams(max_rounds=10, colsample_frac=1.0, interaction_groups=(("a", "b"), ("c", "d", "left out")))
    groups = [{0, 1}, {2, 3}]
    assert all(any(met <= group for group in groups) for met in _columns_met(_fit(data, params)))
    free = _columns_met(_fit(data, params.model_copy(update={"interaction_groups": ()})))
    assert not all(any(met <= group for group in groups) for met in free)


def test_groups_of_unknown_columns_alone_are_refused(data: Dataset) -> None:
    with pytest.raises(ConfigurationError, match="interaction_groups must name columns that are trained on"):
        _fit(data, XGBoostParams(interaction_groups=(("x", "y"),)))


def test_later_rounds_learn_less(data: Dataset) -> None:
    def size_of_leaves(decay: float) -> list[float]:
        model = _fit(data, XGBoostParams(max_rounds=6, learning_rate=0.2, learning_rate_decay=decay, reg_alpha=0.0))
        trees = json.loads(model.text)["learner"]["gradient_booster"]["model"]["trees"]
        return [
            max(
                abs(value)
                for value, left in zip(tree["split_conditions"], tree["left_children"], strict=True)
                if left == -1
            )
            for tree in trees[::3]
        ]

    even, falling = size_of_leaves(1.0), size_of_leaves(0.5)
    assert falling[0] == even[0]
    assert falling[-1] < 0.1 * even[-1]
