"""Windows over the ring of the last bars, and the two exponential recurrences.

A ring row holds its `RING_BARS` values twice, one copy after the other, so that every window is contiguous and ends at
`end`, the newest value; ``x[end - j]`` is j bars ago. Windows of up to 60 bars are summed anew from the ring: about as
fast as a running sum at these lengths, and free of drift.
"""

import math

from outcry.features.kernels.compile import kernel
from outcry.market.frame import FloatArray

RING_BARS = 64


@kernel
def window_sum(x: FloatArray, end: int, window: int) -> float:
    """Sum the last `window` values in four partial sums; the order is fixed, so the result is too."""
    a = b = c = d = 0.0
    i = end - window + 1
    while i + 3 <= end:
        a += x[i]
        b += x[i + 1]
        c += x[i + 2]
        d += x[i + 3]
        i += 4
    while i <= end:
        a += x[i]
        i += 1
    return (a + b) + (c + d)


@kernel
def window_mean(x: FloatArray, end: int, window: int) -> float:
    return window_sum(x, end, window) / window


@kernel
def window_squares(x: FloatArray, end: int, window: int, mean: float) -> float:
    """Sum the squared deviations of the last `window` values from `mean`."""
    a = b = c = d = 0.0
    i = end - window + 1
    while i + 3 <= end:
        a += (x[i] - mean) * (x[i] - mean)
        b += (x[i + 1] - mean) * (x[i + 1] - mean)
        c += (x[i + 2] - mean) * (x[i + 2] - mean)
        d += (x[i + 3] - mean) * (x[i + 3] - mean)
        i += 4
    while i <= end:
        a += (x[i] - mean) * (x[i] - mean)
        i += 1
    return (a + b) + (c + d)


@kernel
def is_flat(x: FloatArray, end: int, window: int) -> bool:
    """Say whether the last `window` values are equal: their deviation is then 0, whatever rounding leaves of it."""
    first = x[end]
    j = 1
    while j < window and x[end - j] == first:
        j += 1
    return j == window


@kernel
def window_deviation(x: FloatArray, end: int, window: int, mean: float, ddof: int) -> float:
    """Return the standard deviation of the last `window` values; 0 where they are equal."""
    if is_flat(x, end, window):
        return 0.0
    return math.sqrt(window_squares(x, end, window, mean) / (window - ddof))


@kernel
def window_max(x: FloatArray, end: int, window: int) -> float:
    a: float = x[end]
    for i in range(end - window + 1, end):
        a = max(a, x[i])
    return a


@kernel
def window_min(x: FloatArray, end: int, window: int) -> float:
    a: float = x[end]
    for i in range(end - window + 1, end):
        a = min(a, x[i])
    return a


@kernel
def window_linear(x: FloatArray, end: int, window: int) -> float:
    """Average the last `window` values with weights 1 (oldest) to `window` (newest)."""
    a = b = 0.0
    i = 1
    start = end - window
    while i + 1 <= window:
        a += i * x[start + i]
        b += (i + 1) * x[start + i + 1]
        i += 2
    if i <= window:
        a += i * x[start + i]
    return (a + b) / (0.5 * window * (window + 1))


@kernel
def ema_next(state: float, x: float, n: int, window: int) -> float:
    """Advance an exponential average by its n-th input: a sum while n < window, then the average.

    Seed: the mean of the first `window` inputs; then ``ema += 2/(window + 1) (x - ema)`` (TA-Lib). n < 1 leaves 0.
    """
    if n < 1:
        return 0.0
    if n < window:
        return state + x
    if n == window:
        return (state + x) / window
    return (x - state) * (2.0 / (window + 1.0)) + state


@kernel
def wilder_next(state: float, x: float, n: int, window: int) -> float:
    """Advance Wilder's average by its n-th input; as `ema_next`, with ``(state (window - 1) + x)/window``."""
    if n < 1:
        return 0.0
    if n < window:
        return state + x
    if n == window:
        return (state + x) / window
    return (state * (window - 1.0) + x) / window
