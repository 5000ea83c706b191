"""Trend columns of one symbol.

State (float64, a row a symbol)

===============  ==========================================================  =====
slot             meaning                                                     unit
===============  ==========================================================  =====
EMA ..           one a window: sum of closes, then the average               price
DEMA_2, TEMA_3   second and third average over 20, likewise                  price
SMA_100, _200    running sums, summed anew from CLOSES every 100, 200 bars   price
HULL ..          the last 4 inputs of the outer average                      price
KAMA             the average                                                 price
ADX              sum of 14 dx, then the average                              index
DM_PLUS, _MINUS  Wilder sums over 14                                         price
DM_RANGE         Wilder sum of the true range over 14                        price
SAR, SAR_POINT   next stop, extreme point                                    price
SAR_FACTOR       acceleration                                                1
SAR_SIDE         +1 long, -1 short                                           1
CLOSES ..        the last 200 closes, at (k - 1) mod 200                     price
===============  ==========================================================  =====
"""

from outcry.features.column import positions
from outcry.features.columns.trend import (
    EMA_WINDOWS,
    REGRESSION_WINDOWS,
    SMA_WINDOWS,
    TREND,
    VWMA_WINDOWS,
    WMA_WINDOWS,
)
from outcry.features.kernels.bars import CLOSE, HIGH, LOW, TRUE_RANGE, VOLUME
from outcry.features.kernels.compile import kernel
from outcry.features.kernels.window import ema_next, is_flat, window_linear, window_mean, window_sum
from outcry.market.frame import FloatArray

_AT = positions(TREND)
_SMA, _SMA_DISTANCE = _AT["tech_sma_5_raw"], _AT["tech_sma_5_distance"]
_EMA, _EMA_DISTANCE = _AT["tech_ema_5_raw"], _AT["tech_ema_5_distance"]
_WMA, _VWMA, _DEMA, _TEMA = (_AT[f"tech_{n}_raw"] for n in ("wma_5", "vwma_10", "dema_20", "tema_20"))
_HMA, _KAMA, _EFFICIENCY = _AT["tech_hma_20_raw"], _AT["tech_kama_10_raw"], _AT["tech_efficiency_10_ratio"]
_ADX, _DI_PLUS, _DI_MINUS = _AT["tech_adx_14_raw"], _AT["tech_di_14_plus"], _AT["tech_di_14_minus"]
_AROON = _AT["tech_aroon_25_up"]
_PSAR, _PSAR_DIRECTION, _PSAR_DISTANCE = (_AT[f"tech_psar_{n}"] for n in ("raw", "direction", "distance"))
_SLOPE, _R2 = _AT["stat_linreg_20_slope"], _AT["stat_linreg_20_r2"]

EMA = 0
DEMA_2 = len(EMA_WINDOWS)
TEMA_3, SMA_100, SMA_200, HULL = DEMA_2 + 1, DEMA_2 + 2, DEMA_2 + 3, DEMA_2 + 4
KAMA, ADX, DM_PLUS, DM_MINUS, DM_RANGE, SAR, SAR_POINT, SAR_FACTOR, SAR_SIDE, CLOSES = range(HULL + 4, HULL + 14)
LONG_BARS = 200
TREND_SLOTS = CLOSES + LONG_BARS
_EMA_20 = EMA_WINDOWS.index(20)


@kernel
def step_trend(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    """Advance the trend columns by the k-th bar of a symbol."""
    _step_simple_averages(k, end, ring, s, out)
    _step_exponential_averages(k, end, ring, s, out)
    _step_adaptive_averages(k, end, ring, s, out)
    _step_directional_movement(k, end, ring, s, out)
    _step_aroon(k, end, ring, out)
    _step_parabolic_stop(k, end, ring, s, out)
    _step_regression(k, end, ring[CLOSE], out)


@kernel
def _step_simple_averages(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    close = ring[CLOSE]
    c = close[end]
    s[SMA_100] = _long_sum(s[SMA_100], k, c, 100, s)
    s[SMA_200] = _long_sum(s[SMA_200], k, c, 200, s)
    s[CLOSES + (k - 1) % LONG_BARS] = c
    for j in range(len(SMA_WINDOWS)):
        w = SMA_WINDOWS[j]
        if k >= w:
            if w == 100:
                mean = s[SMA_100] / w
            elif w == 200:
                mean = s[SMA_200] / w
            else:
                mean = window_mean(close, end, w)
            out[_SMA + j] = mean
            out[_SMA_DISTANCE + j] = (c - mean) / mean
    for j in range(len(WMA_WINDOWS)):
        if k >= WMA_WINDOWS[j]:
            out[_WMA + j] = window_linear(close, end, WMA_WINDOWS[j])
    for j in range(len(VWMA_WINDOWS)):
        w = VWMA_WINDOWS[j]
        if k >= w:
            volume = price_volume = 0.0
            for i in range(end - w + 1, end + 1):
                volume += ring[VOLUME, i]
                price_volume += ring[VOLUME, i] * close[i]
            out[_VWMA + j] = price_volume / volume if volume > 0.0 else window_mean(close, end, w)


@kernel
def _long_sum(total: float, k: int, c: float, window: int, s: FloatArray) -> float:
    """Advance a running sum, before the k-th close is in CLOSES; every `window` bars it is summed anew."""
    if k % window:
        return total + c - s[CLOSES + (k - 1 - window) % LONG_BARS] if k > window else total + c
    total = c
    for j in range(1, window):
        total += s[CLOSES + (k - 1 - j) % LONG_BARS]
    return total


@kernel
def _step_exponential_averages(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    c = ring[CLOSE, end]
    for j in range(len(EMA_WINDOWS)):
        w = EMA_WINDOWS[j]
        average = ema_next(s[EMA + j], c, k, w)
        s[EMA + j] = average
        if k >= w:
            out[_EMA + j] = average
            out[_EMA_DISTANCE + j] = (c - average) / average
    first = s[EMA + _EMA_20]
    s[DEMA_2] = ema_next(s[DEMA_2], first, k - 19, 20)
    s[TEMA_3] = ema_next(s[TEMA_3], s[DEMA_2], k - 38, 20)
    if k >= 39:
        out[_DEMA] = 2.0 * first - s[DEMA_2]
    if k >= 58:
        out[_TEMA] = 3.0 * first - 3.0 * s[DEMA_2] + s[TEMA_3]


@kernel
def _step_adaptive_averages(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    close = ring[CLOSE]
    if k >= 20:
        s[HULL + k % 4] = 2.0 * window_linear(close, end, 10) - window_linear(close, end, 20)
        if k >= 23:
            out[_HMA] = (
                4.0 * s[HULL + k % 4]
                + 3.0 * s[HULL + (k - 1) % 4]
                + 2.0 * s[HULL + (k - 2) % 4]
                + s[HULL + (k - 3) % 4]
            ) / 10.0
    if k < 11:
        s[KAMA] = close[end]
        return
    path = 0.0
    for j in range(10):
        path += abs(close[end - j] - close[end - j - 1])
    distance = close[end] - close[end - 10]
    out[_EFFICIENCY] = min(abs(distance) / path, 1.0) if path > 0.0 else 0.0
    # TA-Lib compares the signed distance; only a rounded path can be shorter than it.
    ratio = 1.0 if path <= distance or path <= 0.0 else abs(distance / path)
    smoothing = ratio * (2.0 / 3.0 - 2.0 / 31.0) + 2.0 / 31.0
    s[KAMA] += smoothing * smoothing * (close[end] - s[KAMA])
    out[_KAMA] = s[KAMA]


@kernel
def _step_directional_movement(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    n = k - 1
    if n < 1:
        return
    up = ring[HIGH, end] - ring[HIGH, end - 1]
    down = ring[LOW, end - 1] - ring[LOW, end]
    decay = 1.0 / 14.0 if n >= 14 else 0.0
    s[DM_PLUS] += (up if up > 0.0 and up > down else 0.0) - s[DM_PLUS] * decay
    s[DM_MINUS] += (down if down > 0.0 and down > up else 0.0) - s[DM_MINUS] * decay
    s[DM_RANGE] += ring[TRUE_RANGE, end] - s[DM_RANGE] * decay
    if n < 14:
        return
    plus = minus = 0.0
    if s[DM_RANGE] > 0.0:
        plus = min(100.0 * s[DM_PLUS] / s[DM_RANGE], 100.0)
        minus = min(100.0 * s[DM_MINUS] / s[DM_RANGE], 100.0)
    out[_DI_PLUS] = plus
    out[_DI_MINUS] = minus
    is_defined = plus + minus > 0.0
    dx = 100.0 * abs(plus - minus) / (plus + minus) if is_defined else 0.0
    if n < 27:
        s[ADX] += dx
    elif n == 27:
        s[ADX] = (s[ADX] + dx) / 14.0
    elif is_defined:
        s[ADX] = (s[ADX] * 13.0 + dx) / 14.0
    if n >= 27:
        out[_ADX] = min(s[ADX], 100.0)


@kernel
def _step_aroon(k: int, end: int, ring: FloatArray, out: FloatArray) -> None:
    if k < 26:
        return
    high, low = ring[HIGH], ring[LOW]
    high_at = low_at = end
    for i in range(end - 1, end - 26, -1):
        if high[i] > high[high_at]:
            high_at = i
        if low[i] < low[low_at]:
            low_at = i
    up = 100.0 * (25 - (end - high_at)) / 25.0
    down = 100.0 * (25 - (end - low_at)) / 25.0
    out[_AROON] = up
    out[_AROON + 1] = down
    out[_AROON + 2] = up - down


@kernel
def _step_parabolic_stop(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    if k < 2:
        return
    high, low = ring[HIGH, end], ring[LOW, end]
    high_tm1, low_tm1 = ring[HIGH, end - 1], ring[LOW, end - 1]
    if k == 2:
        down = low_tm1 - low
        is_long = not (down > 0.0 and down > high - high_tm1)
        s[SAR_SIDE] = 1.0 if is_long else -1.0
        s[SAR] = low_tm1 if is_long else high_tm1
        s[SAR_POINT] = high if is_long else low
        s[SAR_FACTOR] = 0.02
        high_tm1, low_tm1 = high, low
    # The short side is the long side of the mirrored prices.
    side = s[SAR_SIDE]
    inner, inner_tm1, outer, outer_tm1 = low, low_tm1, high, high_tm1
    if side < 0.0:
        inner, inner_tm1, outer, outer_tm1 = -high, -high_tm1, -low, -low_tm1
    stop, point = side * s[SAR], side * s[SAR_POINT]
    if inner <= stop:
        side = -side
        stop = max(point, outer_tm1, outer)
        shown = stop
        s[SAR_FACTOR] = 0.02
        point = inner
        stop = max(stop + s[SAR_FACTOR] * (point - stop), outer_tm1, outer)
        stop, point, shown = -stop, -point, -shown
    else:
        shown = stop
        if outer > point:
            point = outer
            s[SAR_FACTOR] = min(s[SAR_FACTOR] + 0.02, 0.2)
        stop = min(stop + s[SAR_FACTOR] * (point - stop), inner_tm1, inner)
    s[SAR_SIDE], s[SAR], s[SAR_POINT] = side, side * stop, side * point
    out[_PSAR] = side * shown
    out[_PSAR_DIRECTION] = side
    out[_PSAR_DISTANCE] = (ring[CLOSE, end] - side * shown) / ring[CLOSE, end]


@kernel
def _step_regression(k: int, end: int, close: FloatArray, out: FloatArray) -> None:
    for j in range(len(REGRESSION_WINDOWS)):
        w = REGRESSION_WINDOWS[j]
        if k < w:
            continue
        mean = window_sum(close, end, w) / w
        middle = 0.5 * (w - 1)
        covariance = squares = 0.0
        for i in range(w):
            deviation = close[end - w + 1 + i] - mean
            covariance += (i - middle) * deviation
            squares += deviation * deviation
        times = w * (w * w - 1.0) / 12.0
        flat = is_flat(close, end, w)
        out[_SLOPE + j] = 0.0 if flat else covariance / times / close[end]
        out[_R2 + j] = 0.0 if flat else min(covariance * covariance / (times * squares), 1.0)
