"""Sums that several statistics share; the order of additions is fixed, so the result is too."""

from outcry.features.kernels.compile import kernel
from outcry.features.kernels.window import is_flat, window_mean
from outcry.market.frame import FloatArray

_UNDERFLOW = 1e-290


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


@kernel
def write_centred(x: FloatArray, end: int, window: int, out: FloatArray) -> float:
    """Write the deviations of the last `window` values from their mean, and return the sum of their squares.

    Equal values give zeros and 0, whatever rounding leaves of their mean; so do values whose squares underflow.
    """
    if not is_flat(x, end, window):
        mean = window_mean(x, end, window)
        start = end - window + 1
        for i in range(window):
            out[i] = x[start + i] - mean
        squares = product_sum(out, out, window)
        if squares > _UNDERFLOW:
            return squares
    out[:window] = 0.0
    return 0.0
