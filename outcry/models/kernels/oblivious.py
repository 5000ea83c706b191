"""Class probabilities of oblivious trees for blocks of rows: a bit a test.

All nodes of a level of such a tree make the same test, so the bits of the tests, the first the lowest, are the number
of the leaf. The rows of a block stand side by side, and one instruction makes a test for several of them.
"""

import math
from collections.abc import Callable
from functools import cache

from numpy import uint32

from outcry.compiled import compile_entry_point
from outcry.market.frame import Float32Array, FloatArray, IntArray

SPLITS_END, LEAVES_END = range(2)
"""Columns of `trees`: where its splits and its leaves end, which begin where those before it end."""


@cache
def compile_predict_oblivious() -> Callable[..., None]:
    """Compile `predict_oblivious`, or load it from Numba's cache."""
    return compile_entry_point(
        predict_oblivious,
        "void(Array(f8, 2, 'C', readonly=True), i8[::1], f4[::1], u4[:,::1], u4[::1], f4[::1], f8[:,::1], f8[::1],"
        " f4[:,::1], u4[::1], f8[:,::1], f8[:,::1])",
    )


def predict_oblivious(
    rows: FloatArray,
    columns: IntArray,
    unknown: Float32Array,
    trees: IntArray,
    places: IntArray,
    borders: Float32Array,
    leaves: FloatArray,
    intercepts: FloatArray,
    values: Float32Array,
    leaf: IntArray,
    margins: FloatArray,
    probability: FloatArray,
) -> None:
    """Add up the trees, one after the other, add the intercepts and take the softmax.

    Parameters
    ----------
    rows : float64 (n_rows, n_wide)
    columns : int64 (n_read,)
        Those that are tested.
    unknown : float32 (n_read,)
        What stands for NaN in each.
    trees : uint32 (n_trees, 2)
        See `SPLITS_END`.
    places, borders : uint32, float32 (n_splits,)
        The place of each test in `columns`; a value above the border sets its bit.
    leaves : float64 (n_leaves, n_classes)
    intercepts : float64 (n_classes,)
        -inf for a class that cannot be.
    values, leaf, margins : float32 (n_read, >= width), uint32 (width,), float64 (n_classes, width)
        Of a block of `width` rows; overwritten.
    probability : float64 (n_rows, n_classes)
        Receives the result.
    """
    n_classes, width = margins.shape
    for start in range(0, len(rows), width):
        n = min(width, len(rows) - start)
        for row in range(n):
            for place in range(len(columns)):
                value = rows[start + row, columns[place]]
                values[place, row] = value if value == value else unknown[place]  # noqa: PLR0124 - NaN is not
        for k in range(n_classes):
            margins[k, :] = 0.0
        first_split, first_leaf = uint32(0), uint32(0)
        for tree in range(len(trees)):
            leaf[:] = first_leaf
            for split in range(first_split, trees[tree, SPLITS_END]):
                value_of, border = values[places[split]], borders[split]
                bit = uint32(1) << uint32(split - first_split)
                for row in range(width):
                    leaf[row] += bit if value_of[row] > border else uint32(0)
            for k in range(n_classes):
                margin = margins[k]
                for row in range(width):
                    margin[row] += leaves[leaf[row], k]
            first_split, first_leaf = trees[tree, SPLITS_END], trees[tree, LEAVES_END]
        for row in range(n):
            largest = -math.inf
            for k in range(n_classes):
                margins[k, row] += intercepts[k]
                largest = max(largest, margins[k, row])
            total = 0.0
            for k in range(n_classes):
                margins[k, row] = math.exp(margins[k, row] - largest)
                total += margins[k, row]
            for k in range(n_classes):
                probability[start + row, k] = margins[k, row] / total
