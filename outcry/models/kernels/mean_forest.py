"""Class probabilities of averaged trees for blocks of rows: a level of a tree at a time.

The rows of a block take a step down the same tree together. The steps of one row wait for each other, those of
different rows do not, so the processor has several under way; a test is a comparison that is added to the number of the
left child, and no branch is guessed wrongly.

A value that is not known goes left or right as the test says. A column stands in a block once for the tests that send
it right, with infinity in place of NaN, and once for the others, with minus infinity.
"""

import math
from collections.abc import Callable
from functools import cache

from numpy import uint32

from outcry.compiled import compile_entry_point
from outcry.market.frame import Float32Array, FloatArray, IntArray

COLUMN, IS_NAN_LEFT = range(2)
"""Columns of `reads`: the column of the rows; whether NaN goes left."""

ROOT, N_LEVELS = range(2)
"""Columns of `trees`: the first node; the steps of the longest way down."""

LEFT, READ = range(2)
"""Columns of `nodes`: the left child, whose neighbour is the right one, or the leaf itself; the place in `reads`."""


@cache
def compile_predict_mean() -> Callable[..., None]:
    """Compile `predict_mean`, or load it from Numba's cache."""
    return compile_entry_point(
        predict_mean,
        "void(Array(f8, 2, 'C', readonly=True), i8[:,::1], u4[:,::1], u4[:,::1], f4[::1], u4[::1], f8[:,::1],"
        " f4[:,::1], u4[::1], f8[:,::1])",
    )


def predict_mean(
    rows: FloatArray,
    reads: IntArray,
    trees: IntArray,
    nodes: IntArray,
    thresholds: Float32Array,
    leaf_of: IntArray,
    leaves: FloatArray,
    values: Float32Array,
    at: IntArray,
    probability: FloatArray,
) -> None:
    """Add up what the trees say, one after the other, and divide by their number.

    Parameters
    ----------
    rows : float64 (n_rows, n_wide)
    reads : int64 (n_reads, 2)
        See `COLUMN`.
    trees : uint32 (n_trees, 2)
        See `ROOT`.
    nodes : uint32 (n_nodes, 2)
        See `LEFT`.
    thresholds : float32 (n_nodes,)
        A value above goes right; infinity at a leaf, where a row stays.
    leaf_of : uint32 (n_nodes,)
        The leaf that a node is; any number where it is none.
    leaves : float64 (n_leaves, n_classes)
    values, at : float32 (width, n_reads), uint32 (width,)
        Of a block of `width` rows; overwritten.
    probability : float64 (n_rows, n_classes)
        Receives the result.

    Notes
    -----
    Numbers of nodes are unsigned: Numba would look at each signed one for an index counted from the end.
    """
    width = len(at)
    n_classes = probability.shape[1]
    for start in range(0, len(rows), width):
        n = min(width, len(rows) - start)
        for row in range(n):
            for read in range(len(reads)):
                value = rows[start + row, reads[read, COLUMN]]
                if value != value:  # noqa: PLR0124 - NaN is not
                    value = -math.inf if reads[read, IS_NAN_LEFT] else math.inf
                values[row, read] = value
        for row in range(start, start + n):
            for k in range(n_classes):
                probability[row, k] = 0.0
        for tree in range(len(trees)):
            for row in range(n):
                at[row] = trees[tree, ROOT]
            for _ in range(trees[tree, N_LEVELS]):
                for row in range(n):
                    node = at[row]
                    is_right = values[row, nodes[node, READ]] > thresholds[node]
                    at[row] = nodes[node, LEFT] + uint32(is_right)
            for row in range(n):
                leaf = leaf_of[at[row]]
                for k in range(n_classes):
                    probability[start + row, k] += leaves[leaf, k]
        for row in range(start, start + n):
            for k in range(n_classes):
                probability[row, k] /= len(trees)
