"""Sums that several statistics share; the order of additions is fixed, so the result is too."""

from outcry.compiled import kernel
from outcry.features.kernels.window import is_flat, product_sum, window_mean
from outcry.market.frame import FloatArray

_UNDERFLOW = 1e-290


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
