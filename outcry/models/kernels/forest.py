"""Class probabilities of boosted trees for blocks of rows: a bit a leaf.

Every test of a tree is made for every row, with no branch between two of them: a test that fails clears, from the word
of the row, the leaves on its left, and the first leaf that is left over at the end is the one where the row comes out.
The rows of a block stand side by side, so that one instruction makes a test for several of them.

References
----------
Lucchese et al., "QuickScorer: a fast algorithm to rank documents with additive ensembles of regression trees", SIGIR
2015, section 3: leaves as bits, tests as masks. There, tests go by feature over all trees and end with the first that
passes; here they go by tree, and none is skipped.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import cast

from numba.cpython.unsafe.numbers import trailing_zeros

from outcry.compiled import compile_entry_point
from outcry.market.frame import FloatArray, IntArray

PLACE, IS_NAN_LEFT, WORD = range(3)
"""Columns of `tests`: where its column stands among those read; whether NaN passes; the word its mask belongs to."""

CLASS, TESTS_END, LEAVES_END = range(3)
"""Columns of `trees`: the class; where its tests and its leaves end, which begin where those before it end."""

first_bit = cast(Callable[[int], int], trailing_zeros)
_WORDS = {"f4": "u4", "f8": "u8"}


@cache
def compile_predict(real: str) -> Callable[..., None]:
    """Compile `predict` for ``f4`` (words of 32 leaves) or ``f8`` (of 64), or load it from Numba's cache."""
    word = _WORDS[real]
    return compile_entry_point(
        predict,
        f"void(Array(f8, 2, 'C', readonly=True), i8[::1], i8[:,::1], {real}[::1], {word}[::1], i8[:,::1], {real}[::1],"
        f" {real}[::1], {real}[:,::1], {word}[:,::1], {real}[:,::1], f8[:,::1])",
    )


def predict(
    rows: FloatArray,
    columns: IntArray,
    tests: IntArray,
    thresholds: FloatArray,
    masks: IntArray,
    trees: IntArray,
    leaves: FloatArray,
    intercepts: FloatArray,
    values: FloatArray,
    words: IntArray,
    margins: FloatArray,
    probability: FloatArray,
) -> None:
    """Add up the trees of each class, one after the other, and take the softmax.

    Parameters
    ----------
    rows : float64 (n_rows, n_features)
    columns : int64 (n_read,)
        Those that are tested.
    tests : int64 (n_tests, 3)
        See `PLACE`.
    thresholds : real (n_tests,)
        A value below passes.
    masks : unsigned (n_tests,)
        The leaves, of one word, where a row that fails may still come out.
    trees : int64 (n_trees, 3)
        See `CLASS`.
    leaves : real (n_leaves,)
    intercepts : real (n_classes,)
        What the margin of each class begins with.
    values, words, margins : real (n_read, >= width), unsigned (n_most_words, width), real (n_classes, width)
        Of a block of `width` rows; overwritten.
    probability : float64 (n_rows, n_classes)
        Receives the result.

    Notes
    -----
    Sums and softmax are in `real`, but for the sum of the exponentials, which is in float64: as in both libraries.
    """
    every_leaf = ~masks.dtype.type(0)
    n_bits = 8 * masks.itemsize
    n_classes, width = margins.shape
    for start in range(0, len(rows), width):
        n = min(width, len(rows) - start)
        for row in range(n):
            for place in range(len(columns)):
                values[place, row] = rows[start + row, columns[place]]
        for k in range(n_classes):
            margins[k, :] = intercepts[k]
        first_test, first_leaf = 0, 0
        for tree in range(len(trees)):
            end = trees[tree, TESTS_END]
            n_words = (trees[tree, LEAVES_END] - first_leaf + n_bits - 1) // n_bits
            words[:n_words] = every_leaf
            for test in range(first_test, end):
                value, word = values[tests[test, PLACE]], words[tests[test, WORD]]
                threshold, mask = thresholds[test], masks[test]
                if tests[test, IS_NAN_LEFT]:
                    for row in range(width):
                        word[row] &= mask if value[row] >= threshold else every_leaf
                else:
                    for row in range(width):
                        word[row] &= every_leaf if value[row] < threshold else mask
            margin = margins[trees[tree, CLASS]]
            if n_words == 1:
                word = words[0]
                for row in range(width):
                    margin[row] += leaves[first_leaf + first_bit(word[row])]
            else:
                for row in range(width):
                    k = 0
                    while words[k, row] == 0:
                        k += 1
                    margin[row] += leaves[first_leaf + k * n_bits + first_bit(words[k, row])]
            first_test, first_leaf = end, trees[tree, LEAVES_END]
        for row in range(n):
            largest = margins[0, row]
            for k in range(1, n_classes):
                largest = max(largest, margins[k, row])
            total = 0.0
            for k in range(n_classes):
                margins[k, row] = math.exp(margins[k, row] - largest)
                total += margins[k, row]
            for k in range(n_classes):
                probability[start + row, k] = margins[k, row] / margins.dtype.type(total)
