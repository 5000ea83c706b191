"""Return indicators of one symbol. They keep no state beside the history."""

import math

from outcry.compiled import inlined_kernel
from outcry.features.families.returns import AUTOCORR, HIGHER_MOMENTS, MOMENTS, RETURN, ZSCORE
from outcry.features.kernels.bars import CLOSE, LOG_RETURN
from outcry.features.kernels.window import is_flat, window_mean, window_moments
from outcry.market.frame import FloatArray, IntArray


@inlined_kernel
def step_returns(
    opcode: int,
    k: int,
    end: int,
    history: FloatArray,
    clock: FloatArray,
    row: FloatArray,
    s: FloatArray,
    out: FloatArray,
    p: IntArray,
) -> None:
    """Advance one indicator; see `outcry.features.kernels.advance.Step`."""
    close, log_return, window = history[CLOSE], history[LOG_RETURN], p[0]
    if opcode == RETURN:
        if k > window:
            ratio = close[end] / close[end - window]
            out[0] = ratio - 1.0
            out[1] = math.log(ratio)
    elif opcode == MOMENTS:
        if k > window:
            _moments(end, log_return, out, window)
    elif opcode == HIGHER_MOMENTS:
        if k > window:
            _higher_moments(end, log_return, out, window)
    elif opcode == ZSCORE:
        if k >= window:
            mean, deviation = window_moments(close, end, window, 1)
            out[0] = (close[end] - mean) / deviation if deviation > 0.0 else 0.0
    elif opcode == AUTOCORR and k > window:
        out[0] = _autocorrelation(end, log_return, window, p[1])


@inlined_kernel
def _moments(end: int, x: FloatArray, out: FloatArray, window: int) -> None:
    mean, deviation = window_moments(x, end, window, 1)
    out[0] = mean
    out[1] = deviation
    out[2] = mean / deviation if deviation > 0.0 else 0.0


@inlined_kernel
def _higher_moments(end: int, x: FloatArray, out: FloatArray, window: int) -> None:
    """Write G1 and G2 of the last `window` values (Joanes and Gill, 1998)."""
    if is_flat(x, end, window):
        out[0] = out[1] = 0.0
        return
    n = float(window)
    mean = window_mean(x, end, window)
    m2 = m3 = m4 = 0.0
    values = x[end - window + 1 : end + 1]
    for i in range(window):
        u = values[i] - mean
        square = u * u
        m2 += square
        m3 += square * u
        m4 += square * square
    m2, m3, m4 = m2 / n, m3 / n, m4 / n
    skewness = math.sqrt(n * (n - 1.0)) / (n - 2.0) * m3 / (m2 * math.sqrt(m2))
    excess = m4 / (m2 * m2) - 3.0
    kurtosis = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * excess + 6.0)
    # Values that differ by rounding alone have a mean that does too, and moments beyond those of any sample.
    out[0] = min(max(skewness, -math.sqrt(n)), math.sqrt(n))
    out[1] = min(max(kurtosis, -2.0 * (n - 1.0) / (n - 3.0)), n)


@inlined_kernel
def _autocorrelation(end: int, x: FloatArray, window: int, lag: int) -> float:
    """Correlate the last `window - lag` values with those `lag` before them."""
    n = window - lag
    if is_flat(x, end, n) or is_flat(x, end - lag, n):
        return 0.0
    mean = window_mean(x, end, n)
    mean_lagged = window_mean(x, end - lag, n)
    product = squares = squares_lagged = 0.0
    now, before = x[end - n + 1 : end + 1], x[end - lag - n + 1 : end - lag + 1]
    for i in range(n):
        u, w = now[i] - mean, before[i] - mean_lagged
        product += u * w
        squares += u * u
        squares_lagged += w * w
    return min(max(product / math.sqrt(squares * squares_lagged), -1.0), 1.0)
