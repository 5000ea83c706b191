"""Windows over the history of a symbol, and the recurrences.

A row of the history is contiguous: ``x[end]`` is the newest value, ``x[end - j]`` that of j bars ago. Windows of up to
60 bars are summed anew: about as fast as a running sum at these lengths, and free of drift. A window is cut out first:
indices that count from 0 need no check for negative ones.
"""

import math

from outcry.features.kernels.compile import kernel
from outcry.market.frame import FloatArray


@kernel
def rolling_sum(total: float, x: FloatArray, end: int, k: int, window: int) -> float:
    """Advance the sum of the last `window` values, of all while k < window, by the k-th; once a window it is anew."""
    if k % window == 0:
        return window_sum(x, end, window)
    added: float = total + x[end]
    return added - x[end - window] if k > window else added


@kernel
def ring_mean(s: FloatArray, start: int, n: int) -> float:
    """Average the `n` slots from `start`, in their order."""
    total = 0.0
    for j in range(start, start + n):
        total += s[j]
    return total / n


@kernel
def window_sum(x: FloatArray, end: int, window: int) -> float:
    """Sum the last `window` values in four partial sums; the order is fixed, so the result is too."""
    w = x[end - window + 1 : end + 1]
    a = b = c = d = 0.0
    i = 0
    while i + 3 < window:
        a += w[i]
        b += w[i + 1]
        c += w[i + 2]
        d += w[i + 3]
        i += 4
    while i < window:
        a += w[i]
        i += 1
    return (a + b) + (c + d)


@kernel
def window_mean(x: FloatArray, end: int, window: int) -> float:
    return window_sum(x, end, window) / window


@kernel
def window_squares(x: FloatArray, end: int, window: int, mean: float) -> float:
    """Sum the squared deviations of the last `window` values from `mean`."""
    w = x[end - window + 1 : end + 1]
    a = b = c = d = 0.0
    i = 0
    while i + 3 < window:
        a += (w[i] - mean) * (w[i] - mean)
        b += (w[i + 1] - mean) * (w[i + 1] - mean)
        c += (w[i + 2] - mean) * (w[i + 2] - mean)
        d += (w[i + 3] - mean) * (w[i + 3] - mean)
        i += 4
    while i < window:
        a += (w[i] - mean) * (w[i] - mean)
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
    w = x[end - window + 1 : end + 1]
    a: float = w[0]
    for i in range(1, window):
        a = max(a, w[i])
    return a


@kernel
def window_min(x: FloatArray, end: int, window: int) -> float:
    w = x[end - window + 1 : end + 1]
    a: float = w[0]
    for i in range(1, window):
        a = min(a, w[i])
    return a


@kernel
def window_linear(x: FloatArray, end: int, window: int) -> float:
    """Average the last `window` values with weights 1 (oldest) to `window` (newest)."""
    w = x[end - window + 1 : end + 1]
    a = b = 0.0
    i = 0
    while i + 1 < window:
        a += (i + 1) * w[i]
        b += (i + 2) * w[i + 1]
        i += 2
    if i < window:
        a += (i + 1) * w[i]
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
