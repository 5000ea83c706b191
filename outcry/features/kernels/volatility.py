"""Volatility columns of one symbol.

State (float64, a row a symbol)

============  =========================================================  ================
slot          meaning                                                    unit
============  =========================================================  ================
ATR ..        Wilder averages of the true range, one a window            price
KELTNER_EMA   average close over 20                                      price
KELTNER_ATR   Wilder average of the true range over 10                   price
HV ..         the last 252 hv_20, at (k - 21) mod 252                    1/sqrt(year)
============  =========================================================  ================
"""

import math

from outcry.features.column import positions
from outcry.features.columns.volatility import ATR_WINDOWS, HV_WINDOWS, VOLATILITY
from outcry.features.kernels.bars import (
    CLOSE,
    INTRADAY,
    INTRADAY_SQ,
    LOG_RETURN,
    OVERNIGHT,
    RANGE_SQ,
    SATCHELL,
    TRUE_RANGE,
)
from outcry.features.kernels.compile import kernel
from outcry.features.kernels.window import ema_next, wilder_next, window_deviation, window_mean
from outcry.market.frame import FloatArray

_AT = positions(VOLATILITY)
_TR, _ATR, _NATR, _BBANDS = (_AT[f"tech_{n}"] for n in ("tr_1_raw", "atr_7_raw", "natr_14_raw", "bbands_20_upper"))
_KELTNER, _HV = _AT["tech_keltner_20_upper"], _AT["tech_hv_10_annual"]
_PARKINSON, _GARMAN_KLASS = _AT["tech_parkinson_20_annual"], _AT["tech_garman_klass_20_annual"]
_SATCHELL, _YANG_ZHANG = _AT["tech_rogers_satchell_20_annual"], _AT["tech_yang_zhang_20_annual"]
_PERCENTILE, _RATIO = _AT["tech_hv_20_percentile"], _AT["tech_hv_10_60_ratio"]
_HV_20, _HV_60 = _HV + HV_WINDOWS.index(20), _HV + HV_WINDOWS.index(60)

ATR = 0
KELTNER_EMA = len(ATR_WINDOWS)
KELTNER_ATR, HV = KELTNER_EMA + 1, KELTNER_EMA + 2
HV_BARS = 252
VOLATILITY_SLOTS = HV + HV_BARS
_YANG_ZHANG_K = 0.34 / (1.34 + 21.0 / 19.0)


@kernel
def step_volatility(  # noqa: PLR0917 - compiled code takes arrays, not objects
    k: int, end: int, ring: FloatArray, s: FloatArray, bars_per_year: float, out: FloatArray
) -> None:
    """Advance the volatility columns by the k-th bar of a symbol."""
    _step_true_range(k, end, ring, s, out)
    _step_bands(k, end, ring, s, out)
    _step_close_to_close(k, end, ring[LOG_RETURN], s, bars_per_year, out)
    _step_range_estimators(k, end, ring, bars_per_year, out)


@kernel
def _step_true_range(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    if k < 2:
        return
    true_range = ring[TRUE_RANGE, end]
    out[_TR] = true_range
    for j in range(len(ATR_WINDOWS)):
        average = wilder_next(s[ATR + j], true_range, k - 1, ATR_WINDOWS[j])
        s[ATR + j] = average
        if k > ATR_WINDOWS[j]:
            out[_ATR + j] = average
    if k >= 15:
        out[_NATR] = 100.0 * out[_ATR + 1] / ring[CLOSE, end]


@kernel
def _step_bands(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    c = ring[CLOSE, end]
    s[KELTNER_EMA] = ema_next(s[KELTNER_EMA], c, k, 20)
    s[KELTNER_ATR] = wilder_next(s[KELTNER_ATR], ring[TRUE_RANGE, end], k - 1, 10)
    if k < 20:
        return
    middle = window_mean(ring[CLOSE], end, 20)
    half = 2.0 * window_deviation(ring[CLOSE], end, 20, middle, 0)
    out[_BBANDS] = middle + half
    out[_BBANDS + 1] = middle
    out[_BBANDS + 2] = middle - half
    out[_BBANDS + 3] = (c - middle) / (2.0 * half) + 0.5 if half > 0.0 else 0.5
    out[_BBANDS + 4] = 2.0 * half / middle
    middle = s[KELTNER_EMA]
    half = 2.0 * s[KELTNER_ATR]
    out[_KELTNER] = middle + half
    out[_KELTNER + 1] = middle - half
    out[_KELTNER + 2] = (c - middle) / (2.0 * half) + 0.5 if half > 0.0 else 0.5


@kernel
def _step_close_to_close(  # noqa: PLR0917 - compiled code takes arrays, not objects
    k: int, end: int, log_return: FloatArray, s: FloatArray, bars_per_year: float, out: FloatArray
) -> None:
    for j in range(len(HV_WINDOWS)):
        w = HV_WINDOWS[j]
        if k > w:
            deviation = window_deviation(log_return, end, w, window_mean(log_return, end, w), 1)
            out[_HV + j] = math.sqrt(bars_per_year) * deviation
    if k >= 61:
        out[_RATIO] = out[_HV] / out[_HV_60] if out[_HV_60] > 0.0 else 1.0
    if k < 21:
        return
    s[HV + (k - 21) % HV_BARS] = out[_HV_20]
    if k >= 20 + HV_BARS:
        below = 0
        for j in range(HV_BARS):
            below += s[HV + j] <= out[_HV_20]
        out[_PERCENTILE] = below / HV_BARS


@kernel
def _step_range_estimators(k: int, end: int, ring: FloatArray, bars_per_year: float, out: FloatArray) -> None:
    if k < 20:
        return
    range_sq = window_mean(ring[RANGE_SQ], end, 20)
    intraday_sq = window_mean(ring[INTRADAY_SQ], end, 20)
    satchell = max(window_mean(ring[SATCHELL], end, 20), 0.0)
    garman_klass = max(0.5 * range_sq - (2.0 * math.log(2.0) - 1.0) * intraday_sq, 0.0)
    out[_PARKINSON] = math.sqrt(bars_per_year * range_sq / (4.0 * math.log(2.0)))
    out[_GARMAN_KLASS] = math.sqrt(bars_per_year * garman_klass)
    out[_SATCHELL] = math.sqrt(bars_per_year * satchell)
    if k < 21:
        return
    overnight = window_deviation(ring[OVERNIGHT], end, 20, window_mean(ring[OVERNIGHT], end, 20), 1)
    intraday = window_deviation(ring[INTRADAY], end, 20, window_mean(ring[INTRADAY], end, 20), 1)
    variance = overnight * overnight + _YANG_ZHANG_K * intraday * intraday + (1.0 - _YANG_ZHANG_K) * satchell
    out[_YANG_ZHANG] = math.sqrt(bars_per_year * variance)
