"""Fewer points on a line, none of its extremes lost."""

from itertools import pairwise

import numpy as np

from outcry.market.frame import FloatArray, IntArray


def extreme_rows(values: FloatArray, n_buckets: int) -> IntArray:
    """Return the rows of the smallest and largest value in each of `n_buckets` stretches, ascending, and both ends.

    With one bucket a pixel the line drawn is the line of all points. A series of up to ``2 * n_buckets`` rows is kept.
    """
    n = len(values)
    if n <= 2 * n_buckets:
        return np.arange(n)
    edges = np.linspace(0, n, n_buckets + 1).astype(np.int64)
    stretches = list(pairwise(edges.tolist()))
    lowest = [start + int(values[start:stop].argmin()) for start, stop in stretches]
    highest = [start + int(values[start:stop].argmax()) for start, stop in stretches]
    return np.unique(np.array([0, *lowest, *highest, n - 1], dtype=np.int64))
