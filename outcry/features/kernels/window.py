"""Windows over the history of a symbol, and the recurrences.

A row of the history is contiguous: ``x[end]`` is the newest value, ``x[end - j]`` that of j bars ago. A window is cut
out first: indices that count from 0 need no check for negative ones. What is summed anew is summed in four partial
sums: an addition takes several cycles, and four of them run beside each other.
"""

import math

from outcry.compiled import inlined_kernel, kernel
from outcry.market.frame import FloatArray


@inlined_kernel
def within(x: float, low: float, high: float) -> float:
    """Clip: the close of a bar may lie outside its range where the source contradicts itself."""
    return min(max(x, low), high)


@inlined_kernel
def rolling_sum(total: float, x: FloatArray, end: int, k: int, window: int) -> float:
    """Advance the sum of the last `window` values, of all while k < window, by the k-th; once a window it is anew."""
    if k % window == 0:
        return window_sum(x, end, window)
    change: float = x[end] - x[end - window] if k > window else x[end]
    return total + change


@inlined_kernel
def ring_mean(s: FloatArray, start: int, n: int) -> float:
    """Average the `n` slots from `start`, in their order."""
    total = 0.0
    for j in range(start, start + n):
        total += s[j]
    return total / n


@inlined_kernel
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


@inlined_kernel
def window_mean(x: FloatArray, end: int, window: int) -> float:
    return window_sum(x, end, window) / window


@inlined_kernel
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


@inlined_kernel
def is_flat(x: FloatArray, end: int, window: int) -> bool:
    """Say whether the last `window` values are equal: their deviation is then 0, whatever rounding leaves of it."""
    first = x[end]
    j = 1
    while j < window and x[end - j] == first:
        j += 1
    return j == window


@inlined_kernel
def window_moments(x: FloatArray, end: int, window: int, ddof: int) -> tuple[float, float]:
    """Return the mean and the standard deviation of the last `window` values in one pass.

    Sums are of the differences to the newest value: it is at most sqrt(window) deviations from the mean, so no more
    than the digits of `window` are lost, and the deviation of equal values is 0.
    """
    w = x[end - window + 1 : end + 1]
    newest = x[end]
    a = b = c = d = aa = bb = cc = dd = 0.0
    i = 0
    while i + 3 < window:
        p, q, r, s = w[i] - newest, w[i + 1] - newest, w[i + 2] - newest, w[i + 3] - newest
        a += p
        b += q
        c += r
        d += s
        aa += p * p
        bb += q * q
        cc += r * r
        dd += s * s
        i += 4
    while i < window:
        p = w[i] - newest
        a += p
        aa += p * p
        i += 1
    mean = ((a + b) + (c + d)) / window
    squares = ((aa + bb) + (cc + dd)) - window * mean * mean
    return newest + mean, math.sqrt(max(squares, 0.0) / (window - ddof))


@inlined_kernel
def window_path(x: FloatArray, end: int, window: int) -> float:
    """Sum the sizes of the last `window` changes in four partial sums."""
    w = x[end - window : end + 1]
    a = b = c = d = 0.0
    i = 0
    while i + 3 < window:
        a += abs(w[i + 1] - w[i])
        b += abs(w[i + 2] - w[i + 1])
        c += abs(w[i + 3] - w[i + 2])
        d += abs(w[i + 4] - w[i + 3])
        i += 4
    while i < window:
        a += abs(w[i + 1] - w[i])
        i += 1
    return (a + b) + (c + d)


@kernel
def product_sum(x: FloatArray, y: FloatArray, n: int) -> float:
    """Sum the products of the first `n` values of two arrays in four partial sums."""
    a = b = c = d = 0.0
    i = 0
    while i + 3 < n:
        a += x[i] * y[i]
        b += x[i + 1] * y[i + 1]
        c += x[i + 2] * y[i + 2]
        d += x[i + 3] * y[i + 3]
        i += 4
    while i < n:
        a += x[i] * y[i]
        i += 1
    return (a + b) + (c + d)


@inlined_kernel
def window_max(x: FloatArray, end: int, window: int) -> float:
    w = x[end - window + 1 : end + 1]
    a: float = w[0]
    for i in range(1, window):
        a = max(a, w[i])
    return a


@inlined_kernel
def window_min(x: FloatArray, end: int, window: int) -> float:
    w = x[end - window + 1 : end + 1]
    a: float = w[0]
    for i in range(1, window):
        a = min(a, w[i])
    return a


@inlined_kernel
def window_linear(x: FloatArray, end: int, window: int) -> float:
    """Average the last `window` values with weights 1 (oldest) to `window` (newest)."""
    w = x[end - window + 1 : end + 1]
    a = b = c = d = 0.0
    weight = 1.0
    i = 0
    while i + 3 < window:
        a += weight * w[i]
        b += (weight + 1.0) * w[i + 1]
        c += (weight + 2.0) * w[i + 2]
        d += (weight + 3.0) * w[i + 3]
        weight += 4.0
        i += 4
    while i < window:
        a += weight * w[i]
        weight += 1.0
        i += 1
    return ((a + b) + (c + d)) / (0.5 * window * (window + 1))


@inlined_kernel
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


@inlined_kernel
def wilder_next(state: float, x: float, n: int, window: int) -> float:
    """Advance Wilder's average by its n-th input; as `ema_next`, with ``(state (window - 1) + x)/window``."""
    if n < 1:
        return 0.0
    if n < window:
        return state + x
    if n == window:
        return (state + x) / window
    return (state * (window - 1.0) + x) / window
