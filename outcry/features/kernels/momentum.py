"""Momentum columns of one symbol.

State (float64, a row a symbol)

=====================  ======================================================  =======
slot                   meaning                                                 unit
=====================  ======================================================  =======
GAIN .., LOSS ..       Wilder averages of rises and falls, one a window        price
STOCH_FAST ..          the last 3 fast %K                                      index
STOCH_SLOW ..          the last 3 slow %K                                      index
RSI ..                 the last 14 rsi_14                                      index
STOCHRSI ..            the last 3 stochastic RSI                               index
MACD_FAST, _SLOW       averages over 12 and 26, both seeded at bar 26          price
MACD_SIGNAL            average over 9 of their difference                      price
PPO_FAST               average over 12, seeded at bar 12                       price
PPO_SIGNAL             average over 9 of the percentage difference             percent
TRIX_1, _2, _3         triple average over 15                                  price
TSI_1, _2              averages over 25 and 13 of the change                   price
TSI_ABS_1, _2          averages over 25 and 13 of its size                     price
COPPOCK ..             the last 10 roc_14 + roc_11                             percent
=====================  ======================================================  =======
"""

from outcry.features.column import positions
from outcry.features.columns.momentum import CCI_WINDOWS, MOM_WINDOWS, MOMENTUM, ROC_WINDOWS, RSI_WINDOWS
from outcry.features.kernels.bars import CLOSE, HIGH, LOW, TRUE_RANGE, TYPICAL
from outcry.features.kernels.compile import kernel
from outcry.features.kernels.window import (
    ema_next,
    is_flat,
    wilder_next,
    window_max,
    window_mean,
    window_min,
    window_sum,
)
from outcry.market.frame import FloatArray

_AT = positions(MOMENTUM)
_RSI, _STOCH_K, _STOCH_D = _AT["tech_rsi_7_raw"], _AT["tech_stoch_14_k"], _AT["tech_stoch_14_d"]
_STOCHRSI_K, _STOCHRSI_D, _WILLR = _AT["tech_stochrsi_14_k"], _AT["tech_stochrsi_14_d"], _AT["tech_willr_14_raw"]
_CCI, _ULTOSC = _AT["tech_cci_14_raw"], _AT["tech_ultosc_7_14_28_raw"]
_ROC, _MOM = _AT["tech_roc_5_raw"], _AT["tech_mom_5_raw"]
_MACD, _PPO = _AT["tech_macd_12_26_line"], _AT["tech_ppo_12_26_line"]
_TRIX, _TSI, _COPPOCK = _AT["tech_trix_15_raw"], _AT["tech_tsi_25_13_raw"], _AT["tech_coppock_14_11_raw"]

GAIN, LOSS, STOCH_FAST, STOCH_SLOW, RSI, STOCHRSI = 0, 3, 6, 9, 12, 26
MACD_FAST, MACD_SLOW, MACD_SIGNAL, PPO_FAST, PPO_SIGNAL = range(29, 34)
TRIX_1, TRIX_2, TRIX_3, TSI_1, TSI_2, TSI_ABS_1, TSI_ABS_2, COPPOCK = range(34, 42)
MOMENTUM_SLOTS = COPPOCK + 10


@kernel
def step_momentum(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    """Advance the momentum columns by the k-th bar of a symbol."""
    close = ring[CLOSE]
    _step_strength(k, end, close, s, out)
    _step_stochastic(k, end, ring, s, out)
    _step_stochastic_strength(k, s, out)
    _step_channel_index(k, end, ring[TYPICAL], out)
    _step_ultimate(k, end, ring, out)
    _step_changes(k, end, close, s, out)
    _step_convergence(k, end, close, s, out)
    _step_triple_average(k, close[end], s, out)
    _step_true_strength(k, end, close, s, out)


@kernel
def _step_strength(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray) -> None:
    if k < 2:
        return
    change = close[end] - close[end - 1]
    for j in range(len(RSI_WINDOWS)):
        w = RSI_WINDOWS[j]
        gain = wilder_next(s[GAIN + j], max(change, 0.0), k - 1, w)
        loss = wilder_next(s[LOSS + j], max(-change, 0.0), k - 1, w)
        s[GAIN + j] = gain
        s[LOSS + j] = loss
        if k > w:
            out[_RSI + j] = 100.0 * (gain / (gain + loss)) if gain + loss > 0.0 else 50.0


@kernel
def _step_stochastic(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    if k < 14:
        return
    high = window_max(ring[HIGH], end, 14)
    low = window_min(ring[LOW], end, 14)
    c = ring[CLOSE, end]
    is_wide = high > low
    out[_WILLR] = -100.0 * ((high - c) / (high - low)) if is_wide else -50.0
    s[STOCH_FAST + k % 3] = 100.0 * ((c - low) / (high - low)) if is_wide else 50.0
    if k >= 16:
        slow = (s[STOCH_FAST] + s[STOCH_FAST + 1] + s[STOCH_FAST + 2]) / 3.0
        s[STOCH_SLOW + k % 3] = slow
        out[_STOCH_K] = min(slow, 100.0)
    if k >= 18:
        out[_STOCH_D] = min((s[STOCH_SLOW] + s[STOCH_SLOW + 1] + s[STOCH_SLOW + 2]) / 3.0, 100.0)


@kernel
def _step_stochastic_strength(k: int, s: FloatArray, out: FloatArray) -> None:
    if k < 15:
        return
    rsi = out[_RSI + 1]
    s[RSI + k % 14] = rsi
    if k < 28:
        return
    low = high = rsi
    for j in range(14):
        low = min(low, s[RSI + j])
        high = max(high, s[RSI + j])
    fast = 100.0 * ((rsi - low) / (high - low)) if high > low else 50.0
    s[STOCHRSI + k % 3] = fast
    out[_STOCHRSI_K] = fast
    if k >= 30:
        out[_STOCHRSI_D] = min((s[STOCHRSI] + s[STOCHRSI + 1] + s[STOCHRSI + 2]) / 3.0, 100.0)


@kernel
def _step_channel_index(k: int, end: int, typical: FloatArray, out: FloatArray) -> None:
    for j in range(len(CCI_WINDOWS)):
        w = CCI_WINDOWS[j]
        if k < w:
            continue
        if is_flat(typical, end, w):
            out[_CCI + j] = 0.0
            continue
        mean = window_mean(typical, end, w)
        deviation = 0.0
        for i in range(end - w + 1, end + 1):
            deviation += abs(typical[i] - mean)
        out[_CCI + j] = (typical[end] - mean) / (0.015 * deviation / w)


@kernel
def _step_ultimate(k: int, end: int, ring: FloatArray, out: FloatArray) -> None:
    if k < 29:
        return
    low, close, true_range = ring[LOW], ring[CLOSE], ring[TRUE_RANGE]
    pressure = movement = total = 0.0
    for j in range(28):
        i = end - j
        pressure += close[i] - min(low[i], close[i - 1])
        movement += true_range[i]
        if j in (6, 13, 27):
            weight = 4.0 if j == 6 else 2.0 if j == 13 else 1.0
            total += weight * (pressure / movement if movement > 0.0 else 0.5)
    out[_ULTOSC] = min(max(100.0 * total / 7.0, 0.0), 100.0)


@kernel
def _step_changes(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray) -> None:
    c = close[end]
    for j in range(len(ROC_WINDOWS)):
        if k > ROC_WINDOWS[j]:
            out[_ROC + j] = 100.0 * (c / close[end - ROC_WINDOWS[j]] - 1.0)
    for j in range(len(MOM_WINDOWS)):
        if k > MOM_WINDOWS[j]:
            out[_MOM + j] = c - close[end - MOM_WINDOWS[j]]
    if k < 15:
        return
    s[COPPOCK + k % 10] = 100.0 * (c / close[end - 14] - 1.0) + 100.0 * (c / close[end - 11] - 1.0)
    if k >= 24:
        total = 0.0
        for j in range(10):
            total += (10 - j) * s[COPPOCK + (k - j) % 10]
        out[_COPPOCK] = total / 55.0


@kernel
def _step_convergence(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray) -> None:
    c = close[end]
    s[MACD_SLOW] = ema_next(s[MACD_SLOW], c, k, 26)
    s[PPO_FAST] = ema_next(s[PPO_FAST], c, k, 12)
    if k < 26:
        return
    s[MACD_FAST] = window_sum(close, end, 12) / 12.0 if k == 26 else ema_next(s[MACD_FAST], c, k, 12)
    line = s[MACD_FAST] - s[MACD_SLOW]
    percentage = 100.0 * (s[PPO_FAST] - s[MACD_SLOW]) / s[MACD_SLOW]
    s[MACD_SIGNAL] = ema_next(s[MACD_SIGNAL], line, k - 25, 9)
    s[PPO_SIGNAL] = ema_next(s[PPO_SIGNAL], percentage, k - 25, 9)
    out[_MACD] = line
    out[_PPO] = percentage
    if k >= 34:
        out[_MACD + 1] = s[MACD_SIGNAL]
        out[_MACD + 2] = line - s[MACD_SIGNAL]
        out[_PPO + 1] = s[PPO_SIGNAL]
        out[_PPO + 2] = percentage - s[PPO_SIGNAL]


@kernel
def _step_triple_average(k: int, c: float, s: FloatArray, out: FloatArray) -> None:
    last = s[TRIX_3]
    s[TRIX_1] = ema_next(s[TRIX_1], c, k, 15)
    s[TRIX_2] = ema_next(s[TRIX_2], s[TRIX_1], k - 14, 15)
    s[TRIX_3] = ema_next(s[TRIX_3], s[TRIX_2], k - 28, 15)
    if k >= 44:
        out[_TRIX] = 100.0 * (s[TRIX_3] / last - 1.0)


@kernel
def _step_true_strength(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray) -> None:
    if k < 2:
        return
    change = close[end] - close[end - 1]
    s[TSI_1] = ema_next(s[TSI_1], change, k - 1, 25)
    s[TSI_ABS_1] = ema_next(s[TSI_ABS_1], abs(change), k - 1, 25)
    s[TSI_2] = ema_next(s[TSI_2], s[TSI_1], k - 25, 13)
    s[TSI_ABS_2] = ema_next(s[TSI_ABS_2], s[TSI_ABS_1], k - 25, 13)
    if k >= 38:
        size = s[TSI_ABS_2]
        out[_TSI] = min(max(100.0 * s[TSI_2] / size, -100.0), 100.0) if size > 0.0 else 0.0
