"""Volatility indicators of one symbol.

State (float64, a row a symbol)

==================  ===============================================================  =======
indicator           slots                                                            unit
==================  ===============================================================  =======
atr, atr_bands      Wilder average of the true range                                 price
keltner             average close; Wilder average of the true range                  price
hv_percentile       the last deviations of the log return                            ratio
chaikin_volatility  average range; the last of them                                  price
vix_proxy           weighted sum of the squared log returns; sum of the weights      ratio, 1
==================  ===============================================================  =======
"""

import math

from outcry.compiled import inlined_kernel
from outcry.features.families.volatility import (
    ATR,
    ATR_BANDS,
    BBANDS,
    CHAIKIN,
    GARMAN_KLASS,
    HV,
    HV_PERCENTILE,
    HV_RATIO,
    KELTNER,
    PARKINSON,
    ROGERS_SATCHELL,
    TR,
    VIX_PROXY,
    YANG_ZHANG,
)
from outcry.features.kernels.bars import (
    CLOSE,
    HIGH,
    INTRADAY,
    INTRADAY_SQ,
    LOG_RETURN,
    LOW,
    OVERNIGHT,
    RANGE_SQ,
    SATCHELL,
    TRUE_RANGE,
)
from outcry.features.kernels.clock import BARS_PER_YEAR
from outcry.features.kernels.window import ema_next, is_flat, wilder_next, window_mean, window_moments, window_squares
from outcry.market.frame import FloatArray, IntArray

NO_RANGE_FRAC = 1e-12
"""An average range below this fraction of the price is what rounding leaves of none."""


@inlined_kernel
def step_volatility(
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
    bars_per_year = clock[BARS_PER_YEAR]
    if opcode == TR:
        if k >= 2:
            out[0] = history[TRUE_RANGE, end]
    elif opcode == ATR:
        if _atr(k, end, history, s, p[0]):
            out[0] = s[0]
            out[1] = 100.0 * s[0] / history[CLOSE, end]
    elif opcode == BBANDS:
        _bbands(k, end, history[CLOSE], out, p)
    elif opcode == KELTNER:
        _keltner(k, end, history, s, out, p)
    elif opcode == ATR_BANDS:
        if _atr(k, end, history, s, p[0]):
            out[0] = history[CLOSE, end] + p[1] * s[0]
            out[1] = history[CLOSE, end] - p[1] * s[0]
    elif opcode == HV:
        if k > p[0]:
            out[0] = _hv(end, history, bars_per_year, p[0])
    elif opcode == HV_PERCENTILE:
        _hv_percentile(k, end, history, s, out, p)
    elif opcode == HV_RATIO:
        if k > max(p[0], p[1]):
            long = _hv(end, history, bars_per_year, p[1])
            out[0] = _hv(end, history, bars_per_year, p[0]) / long if long > 0.0 else 1.0
    elif opcode == PARKINSON:
        if k >= p[0]:
            range_sq = window_mean(history[RANGE_SQ], end, p[0])
            out[0] = math.sqrt(bars_per_year * range_sq / (4.0 * math.log(2.0)))
    elif opcode == GARMAN_KLASS:
        if k >= p[0]:
            out[0] = math.sqrt(bars_per_year * _garman_klass(end, history, p[0]))
    elif opcode == ROGERS_SATCHELL:
        if k >= p[0]:
            out[0] = math.sqrt(bars_per_year * _rogers_satchell(end, history, p[0]))
    elif opcode == YANG_ZHANG:
        if k > p[0]:
            out[0] = math.sqrt(bars_per_year * _yang_zhang(end, history, p[0]))
    elif opcode == CHAIKIN:
        _chaikin(k, end, history, s, out, p)
    elif opcode == VIX_PROXY:
        _vix_proxy(k, history[LOG_RETURN, end], bars_per_year, s, out, p[0])


@inlined_kernel
def _atr(k: int, end: int, history: FloatArray, s: FloatArray, window: int) -> bool:
    """Advance the average in the first slot, and say whether it is defined."""
    s[0] = wilder_next(s[0], history[TRUE_RANGE, end], k - 1, window)
    return k > window


@inlined_kernel
def _bbands(k: int, end: int, close: FloatArray, out: FloatArray, p: IntArray) -> None:
    window, deviations = p[0], p[1]
    if k < window:
        return
    middle, deviation = window_moments(close, end, window, 0)
    half = deviations * deviation
    out[0] = middle + half
    out[1] = middle
    out[2] = middle - half
    out[3] = (close[end] - middle) / (2.0 * half) + 0.5 if half > 0.0 else 0.5
    out[4] = 2.0 * half / middle


@inlined_kernel
def _keltner(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    window, atr_window, multiple = p[0], p[1], p[2]
    c = history[CLOSE, end]
    s[0] = ema_next(s[0], c, k, window)
    s[1] = wilder_next(s[1], history[TRUE_RANGE, end], k - 1, atr_window)
    if k < max(window, atr_window + 1):
        return
    middle = s[0]
    half = multiple * s[1]
    out[0] = middle + half
    out[1] = middle
    out[2] = middle - half
    # Long after the last move the range is all but 0, and the average stays the last digit away from the close.
    out[3] = (c - middle) / (2.0 * half) + 0.5 if 2.0 * half > NO_RANGE_FRAC * middle else 0.5


@inlined_kernel
def _hv(end: int, history: FloatArray, bars_per_year: float, window: int) -> float:
    _, deviation = window_moments(history[LOG_RETURN], end, window, 1)
    return math.sqrt(bars_per_year) * deviation


@inlined_kernel
def _hv_percentile(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    window, ranked = p[0], p[1]
    if k <= window:
        return
    x, deviation = history[LOG_RETURN], 0.0
    if not is_flat(x, end, window):
        # Around the mean: windows of the same values in another order, of which there are many, rank as equal.
        deviation = math.sqrt(window_squares(x, end, window, window_mean(x, end, window)) / (window - 1))
    s[k % ranked] = deviation
    if k < window + ranked:
        return
    below = 0
    for j in range(ranked):
        below += s[j] <= deviation
    out[0] = below / ranked


@inlined_kernel
def _garman_klass(end: int, history: FloatArray, window: int) -> float:
    range_sq = window_mean(history[RANGE_SQ], end, window)
    intraday_sq = window_mean(history[INTRADAY_SQ], end, window)
    return max(0.5 * range_sq - (2.0 * math.log(2.0) - 1.0) * intraday_sq, 0.0)


@inlined_kernel
def _rogers_satchell(end: int, history: FloatArray, window: int) -> float:
    return max(window_mean(history[SATCHELL], end, window), 0.0)


@inlined_kernel
def _yang_zhang(end: int, history: FloatArray, window: int) -> float:
    overnight = _deviation(end, history[OVERNIGHT], window)
    intraday = _deviation(end, history[INTRADAY], window)
    weight = 0.34 / (1.34 + (window + 1.0) / (window - 1.0))
    satchell = _rogers_satchell(end, history, window)
    return overnight * overnight + weight * intraday * intraday + (1.0 - weight) * satchell


@inlined_kernel
def _deviation(end: int, x: FloatArray, window: int) -> float:
    _, deviation = window_moments(x, end, window, 1)
    return deviation


@inlined_kernel
def _chaikin(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    window, change = p[0], p[1]
    s[0] = ema_next(s[0], history[HIGH, end] - history[LOW, end], k, window)
    last = s[1 + k % change]
    s[1 + k % change] = s[0]
    if k >= window + change:
        has_range = last > NO_RANGE_FRAC * history[CLOSE, end]
        out[0] = 100.0 * (s[0] / last - 1.0) if has_range else 0.0


@inlined_kernel
def _vix_proxy(k: int, log_return: float, bars_per_year: float, s: FloatArray, out: FloatArray, sessions: int) -> None:
    if k < 2:
        return
    n_bars = max(sessions * bars_per_year / 252.0, 1.0)
    kept = 1.0 - 2.0 / (n_bars + 1.0)
    s[0] = kept * s[0] + log_return * log_return
    s[1] = kept * s[1] + 1.0
    if k > sessions:
        out[0] = 100.0 * math.sqrt(bars_per_year * s[0] / s[1])
