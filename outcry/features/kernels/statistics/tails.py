"""Extremes of the window: the tail index of Hill and the distance of the largest and smallest value."""

import math

from outcry.compiled import kernel
from outcry.features.kernels.window import window_max, window_min, window_moments
from outcry.market.frame import FloatArray

HILL_LIMIT = 20.0
"""Where the index is cut: ties among the largest values would make it infinite."""


@kernel
def hill_index(x: FloatArray, end: int, window: int, n_extremes: int, scratch: FloatArray) -> float:
    """Return the tail index of the sizes of the last `window` values, from the `n_extremes` largest.

    ``k / sum_{i=1..k} ln(X_(i)/X_(k+1))`` with X_(1) >= X_(2) >= .. the sizes in order: moments of an order above the
    index do not exist. Both tails count together.

    Parameters
    ----------
    x : float64, any unit
        Log returns.
    n_extremes : int
        Fewer than `window`; 10 of 100, usually.
    scratch : float64 (n_extremes + 1,)

    Returns
    -------
    float
        In [0, HILL_LIMIT]; small if the tail is heavy. 0 where X_(k+1) is 0 and X_(1) is not, HILL_LIMIT where all
        values are 0.

    References
    ----------
    Hill, A simple general approach to inference about the tail of a distribution, 1975.
    """
    n = n_extremes + 1
    scratch[:n] = -1.0
    for i in range(end - window + 1, end + 1):
        size = abs(x[i])
        if size > scratch[n - 1]:
            j = n - 1
            while j > 0 and scratch[j - 1] < size:
                scratch[j] = scratch[j - 1]
                j -= 1
            scratch[j] = size
    if scratch[0] <= 0.0:
        return HILL_LIMIT
    threshold = scratch[n_extremes]
    if threshold <= 0.0:
        return 0.0
    total = 0.0
    for j in range(n_extremes):
        total += math.log(scratch[j] / threshold)
    return min(n_extremes / total, HILL_LIMIT) if total > 0.0 else HILL_LIMIT


@kernel
def extreme_zscores(x: FloatArray, end: int, window: int) -> tuple[float, float]:
    """Return how many deviations (ddof 1) the largest and the smallest value of the window are from its mean.

    Returns
    -------
    float, float
        In [0, (n - 1)/sqrt(n)] and its negative, n = `window`; 0 and 0 for equal values.

    References
    ----------
    Grubbs, Sample criteria for testing outlying observations, 1950 (the statistics); Shiffler, Maximum Z scores and
    outliers, 1988 (the bound).
    """
    mean, deviation = window_moments(x, end, window, 1)
    if deviation <= 0.0:
        return 0.0, 0.0
    # The square of a very small deviation has few digits left.
    bound = (window - 1.0) / math.sqrt(window)
    high, low = window_max(x, end, window) - mean, window_min(x, end, window) - mean
    return min(high / deviation, bound), max(low / deviation, -bound)
