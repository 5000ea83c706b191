"""Boosted trees of either library, ready to predict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outcry.errors import BundleError, PredictionError
from outcry.market.frame import BoolArray, FloatArray, IntArray
from outcry.messages import Direction

MAX_BLOCK_ROWS = 128
_CACHE_LINE_BYTES = 64
_WORD_TYPES = {"f4": np.uint32, "f8": np.uint64}


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A tree as its library stores it.

    Attributes
    ----------
    direction : int
        The class it speaks of.
    columns, thresholds, is_nan_left : sequence of int, float, bool (n_nodes,)
        Of each test: a row goes left if its value is below the threshold, or is NaN where `is_nan_left`.
    left, right : sequence of int (n_nodes,)
        The node that follows, or ``~k`` for leaf k.
    leaves : sequence of float
        What a row that comes out there adds to the margin of the class.
    root : int
        The first node; ``~0`` where the tree is a leaf.
    """

    direction: int
    columns: Sequence[int]
    thresholds: Sequence[float]
    is_nan_left: Sequence[bool]
    left: Sequence[int]
    right: Sequence[int]
    leaves: Sequence[float]
    root: int


@dataclass(frozen=True, slots=True, eq=False)
class CategorySet:
    """A test of whether the code of a category is one of a few: a value is cut off to whole, NaN is in no set.

    Attributes
    ----------
    column : int
    is_member : bool (n_codes,)
        Of codes 0, 1, …; others are not.
    """

    column: int
    is_member: BoolArray

    def find_outside(self, values: FloatArray) -> FloatArray:
        """Return 1.0 where a value is not in the set, else 0.0."""
        n_codes = len(self.is_member)
        codes = np.where((values > -1.0) & (values < n_codes), values, n_codes).astype(np.int64)
        return 1.0 - np.append(self.is_member, False)[codes]


class Forest:
    """Predict class probabilities: the softmax of what the trees of each class add up to.

    Parameters
    ----------
    trees : sequence of Tree
        In the order in which they are added up.
    intercepts : sequence of float (3,)
        What the margin of each class begins with.
    n_features : int
        Columns of the rows it will see.
    real : {"f4", "f8"}
        Type of values, thresholds, leaves and sums.
    category_sets : sequence of CategorySet
        Column ``n_features + k`` of a test is what `CategorySet.find_outside` says of set k.

    Raises
    ------
    BundleError
        Where a tree comes back to a node, or reads a column or speaks of a class that is not there.

    Notes
    -----
    A row gets the same bits whatever rows stand beside it, and calls may overlap. Time grows with leaves, not depth.
    """

    def __init__(
        self,
        trees: Sequence[Tree],
        intercepts: Sequence[float],
        *,
        n_features: int,
        real: str,
        category_sets: Sequence[CategorySet] = (),
    ) -> None:
        from outcry.models.kernels.forest import PLACE, compile_predict  # noqa: PLC0415 - half a second, to load only

        word_type = _WORD_TYPES[real]
        n_bits = 8 * np.dtype(word_type).itemsize
        tests: list[tuple[int, bool, int]] = []
        thresholds: list[float] = []
        masks: list[int] = []
        leaves: list[float] = []
        ends: list[tuple[int, int, int]] = []
        n_most_leaves = 1
        for tree in trees:
            order, on_left = _lay_out(tree)
            n_most_leaves = max(n_most_leaves, len(order))
            for node, (first, end) in on_left.items():
                for word in range(first // n_bits, (end - 1) // n_bits + 1):
                    low, high = max(first - word * n_bits, 0), min(end - word * n_bits, n_bits)
                    tests.append((tree.columns[node], bool(tree.is_nan_left[node]), word))
                    thresholds.append(tree.thresholds[node])
                    masks.append((1 << n_bits) - 1 ^ (1 << high) - (1 << low))
            leaves += (tree.leaves[leaf] for leaf in order)
            ends.append((tree.direction, len(tests), len(leaves)))
        is_known = all(0 <= column < n_features + len(category_sets) for column, _, _ in tests)
        if not (is_known and all(0 <= each.column < n_features for each in category_sets)):
            raise BundleError(f"trees must read columns 0 to {n_features - 1}")
        if len(intercepts) != len(Direction) or not all(0 <= tree.direction < len(Direction) for tree in trees):
            raise BundleError(f"trees and intercepts must speak of {len(Direction)} classes")
        self._n_features = n_features
        self._category_sets = tuple(category_sets)
        self._tests = np.array(tests, dtype=np.int64).reshape(-1, 3)
        self._columns, self._tests[:, PLACE] = np.unique(self._tests[:, PLACE], return_inverse=True)
        self._thresholds, self._leaves, self._intercepts = (
            np.array(values, dtype=real) for values in (thresholds, leaves, intercepts)
        )
        self._masks = np.array(masks, dtype=word_type)
        self._n_most_words = -(-n_most_leaves // n_bits)
        self._trees = np.array(ends, dtype=np.int64).reshape(-1, 3)
        self._predict = compile_predict(real)

    @property
    def n_trees(self) -> int:
        return len(self._trees)

    def predict_proba(self, rows: FloatArray, columns: IntArray | None = None) -> FloatArray:
        """Return float64 (n_rows, 3), columns in the order of `Direction`.

        Parameters
        ----------
        rows : float64 (n_rows, n_features), or wider
        columns : int64 (n_features,), optional
            Where the features stand in wider rows.
        """
        columns = check_columns(rows, columns, self._n_features)
        if self._category_sets:
            outside = [each.find_outside(rows[:, columns[each.column]]) for each in self._category_sets]
            rows = np.column_stack([rows[:, columns], *outside])
            columns = np.arange(rows.shape[1])
        dtype = self._leaves.dtype
        width = min(len(rows) // 16 * 16 + 16, MAX_BLOCK_ROWS)
        # without a gap the columns of a row would all contend for one set of the cache
        gap = _CACHE_LINE_BYTES // dtype.itemsize
        probability = np.empty((len(rows), len(Direction)))
        self._predict(
            np.ascontiguousarray(rows, dtype=np.float64),
            columns[self._columns],
            self._tests,
            self._thresholds,
            self._masks,
            self._trees,
            self._leaves,
            self._intercepts,
            np.empty((len(self._columns), width + gap), dtype=dtype),
            np.empty((self._n_most_words, width), dtype=self._masks.dtype),
            np.empty((len(Direction), width), dtype=dtype),
            probability,
        )
        return probability


def check_columns(rows: FloatArray, columns: IntArray | None, n_features: int) -> IntArray:
    """Return where the features stand, in order where `columns` is None; `PredictionError` where they cannot."""
    if columns is None:
        if rows.ndim != 2 or rows.shape[1] != n_features:
            raise PredictionError(f"rows must have shape (n_rows, {n_features}), was {rows.shape}")
        return np.arange(n_features)
    if columns.shape != (n_features,) or rows.ndim != 2 or not np.all((columns >= 0) & (columns < rows.shape[1])):
        raise PredictionError(f"columns must be {n_features} of rows of shape {rows.shape}, were {columns}")
    return columns


def _lay_out(tree: Tree) -> tuple[list[int], dict[int, tuple[int, int]]]:
    """Return the leaves from left to right, and which places among them are on the left of each node."""
    order: list[int] = []
    on_left: dict[int, tuple[int, int]] = {}
    entered: dict[int, int] = {}
    waiting = [(tree.root, False)]
    while waiting:
        node, is_left_done = waiting.pop()
        if node < 0:
            order.append(~node)
        elif is_left_done:
            on_left[node] = entered[node], len(order)
            waiting.append((tree.right[node], False))
        elif node in entered:
            raise BundleError(f"trees must visit a node once, one comes back to node {node}")
        else:
            entered[node] = len(order)
            waiting += ((node, True), (tree.left[node], False))
    return order, on_left
