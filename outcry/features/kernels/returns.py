"""Return columns of one symbol. Keeps no state beside the ring of bars."""

import math

from outcry.features.column import positions
from outcry.features.columns.returns import (
    AUTOCORRELATION_LAGS,
    MOMENT_WINDOWS,
    RETURN_WINDOWS,
    RETURNS,
    ZSCORE_WINDOWS,
)
from outcry.features.kernels.bars import CLOSE, LOG_RETURN
from outcry.features.kernels.compile import kernel
from outcry.features.kernels.window import is_flat, window_deviation, window_mean
from outcry.market.frame import FloatArray

_AT = positions(RETURNS)
_RETURN, _LOG_RETURN = _AT["stat_return_1_close"], _AT["stat_logreturn_1_close"]
_MEAN, _STD, _ADJUSTED = (_AT[f"stat_logreturn_20_{n}"] for n in ("mean", "std", "adjusted"))
_SKEWNESS, _KURTOSIS = _AT["stat_skewness_20_return"], _AT["stat_kurtosis_20_return"]
_ZSCORE, _AUTOCORRELATION = _AT["stat_zscore_20_close"], _AT["stat_autocorr_20_lag1"]


@kernel
def step_returns(k: int, end: int, ring: FloatArray, out: FloatArray) -> None:
    """Advance the return columns by the k-th bar of a symbol."""
    close, log_return = ring[CLOSE], ring[LOG_RETURN]
    c = close[end]
    for j in range(len(RETURN_WINDOWS)):
        if k > RETURN_WINDOWS[j]:
            ratio = c / close[end - RETURN_WINDOWS[j]]
            out[_RETURN + j] = ratio - 1.0
            out[_LOG_RETURN + j] = math.log(ratio)
    for j in range(len(ZSCORE_WINDOWS)):
        w = ZSCORE_WINDOWS[j]
        if k >= w:
            mean = window_mean(close, end, w)
            deviation = window_deviation(close, end, w, mean, 1)
            out[_ZSCORE + j] = (c - mean) / deviation if deviation > 0.0 else 0.0
    for j in range(len(MOMENT_WINDOWS)):
        w = MOMENT_WINDOWS[j]
        if k > w:
            mean = window_mean(log_return, end, w)
            deviation = window_deviation(log_return, end, w, mean, 1)
            out[_MEAN + j] = mean
            out[_STD + j] = deviation
            out[_ADJUSTED + j] = mean / deviation if deviation > 0.0 else 0.0
    if k > 20:
        _write_higher_moments(end, log_return, out)
        for j in range(len(AUTOCORRELATION_LAGS)):
            out[_AUTOCORRELATION + j] = _autocorrelation(end, log_return, 20, AUTOCORRELATION_LAGS[j])


@kernel
def _write_higher_moments(end: int, x: FloatArray, out: FloatArray) -> None:
    """Write G1 and G2 of the last 20 values (Joanes and Gill, 1998)."""
    n = 20.0
    if is_flat(x, end, 20):
        out[_SKEWNESS] = out[_KURTOSIS] = 0.0
        return
    mean = window_mean(x, end, 20)
    m2 = m3 = m4 = 0.0
    for i in range(end - 19, end + 1):
        u = x[i] - mean
        square = u * u
        m2 += square
        m3 += square * u
        m4 += square * square
    m2, m3, m4 = m2 / n, m3 / n, m4 / n
    out[_SKEWNESS] = math.sqrt(n * (n - 1.0)) / (n - 2.0) * m3 / (m2 * math.sqrt(m2))
    excess = m4 / (m2 * m2) - 3.0
    out[_KURTOSIS] = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * excess + 6.0)


@kernel
def _autocorrelation(end: int, x: FloatArray, window: int, lag: int) -> float:
    """Correlate the last `window - lag` values with those `lag` before them."""
    n = window - lag
    if is_flat(x, end, n) or is_flat(x, end - lag, n):
        return 0.0
    mean = window_mean(x, end, n)
    mean_lagged = window_mean(x, end - lag, n)
    product = squares = squares_lagged = 0.0
    for i in range(end - n + 1, end + 1):
        u, w = x[i] - mean, x[i - lag] - mean_lagged
        product += u * w
        squares += u * u
        squares_lagged += w * w
    return min(max(product / math.sqrt(squares * squares_lagged), -1.0), 1.0)
