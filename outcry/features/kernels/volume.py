"""Volume columns of one symbol.

State (float64, a row a symbol)

===========  ====================================================  ========
slot         meaning                                               unit
===========  ====================================================  ========
OBV, ADL     on-balance volume, accumulation/distribution          shares
PVT          price volume trend                                    shares
NVI, PVI     negative and positive volume index, from 1000         index
FORCE_EMA    average over 13 of the force index                    currency
VOLUME_EMA   average volume over 20                                shares
===========  ====================================================  ========
"""

import math

from outcry.features.column import positions
from outcry.features.columns.volume import VOLUME as COLUMNS
from outcry.features.kernels.bars import CLOSE, ILLIQUIDITY, MONEY_FLOW, TYPICAL, VOLUME
from outcry.features.kernels.compile import kernel
from outcry.features.kernels.window import ema_next, window_deviation, window_mean, window_sum
from outcry.market.frame import FloatArray

_AT = positions(COLUMNS)
_OBV, _OBV_CHANGE, _ADL, _CMF = (_AT[f"tech_{n}"] for n in ("obv_raw", "obv_20_change", "adl_raw", "cmf_20_raw"))
_MFI, _FORCE, _FORCE_EMA = (_AT[f"tech_{n}_raw"] for n in ("mfi_14", "force_1", "force_13"))
_MEAN, _EMA, _RATIO, _SURGE = (_AT[f"tech_volume_20_{n}"] for n in ("mean", "ema", "ratio", "surge"))
_SHORT_RATIO, _ZSCORE = _AT["tech_volume_5_20_ratio"], _AT["stat_zscore_60_volume"]
_PVT, _NVI, _PVI = (_AT[f"tech_{n}_raw"] for n in ("pvt", "nvi", "pvi"))
_AMIHUD, _ROLL = _AT["micro_amihud_20_mean"], _AT["micro_roll_20_spread"]

OBV, ADL, PVT, NVI, PVI, FORCE_EMA, VOLUME_EMA = range(7)
VOLUME_SLOTS = 7


@kernel
def step_volume(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    """Advance the volume columns by the k-th bar of a symbol."""
    _step_accumulation(k, end, ring, s, out)
    _step_money_flow(k, end, ring, out)
    _step_activity(k, end, ring[VOLUME], s, out)
    _step_liquidity(k, end, ring, out)


@kernel
def _step_accumulation(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    v, c = ring[VOLUME, end], ring[CLOSE, end]
    s[ADL] += ring[MONEY_FLOW, end]
    if k == 1:
        s[OBV] = v
        s[NVI] = s[PVI] = 1000.0
    else:
        v_tm1, c_tm1 = ring[VOLUME, end - 1], ring[CLOSE, end - 1]
        change = c - c_tm1
        s[OBV] += v if change > 0.0 else -v if change < 0.0 else 0.0
        s[PVT] += v * (c / c_tm1 - 1.0)
        if v < v_tm1:
            s[NVI] *= c / c_tm1
        elif v > v_tm1:
            s[PVI] *= c / c_tm1
        s[FORCE_EMA] = ema_next(s[FORCE_EMA], change * v, k - 1, 13)
        out[_FORCE] = change * v
    out[_OBV], out[_ADL], out[_PVT], out[_NVI], out[_PVI] = s[OBV], s[ADL], s[PVT], s[NVI], s[PVI]
    if k >= 14:
        out[_FORCE_EMA] = s[FORCE_EMA]


@kernel
def _step_money_flow(k: int, end: int, ring: FloatArray, out: FloatArray) -> None:
    close, volume, typical = ring[CLOSE], ring[VOLUME], ring[TYPICAL]
    if k >= 15:
        up = down = 0.0
        for i in range(end - 13, end + 1):
            # Equal sums of three prices may differ by the order of their addition.
            change, rounding = typical[i] - typical[i - 1], 1e-12 * typical[i]
            if change > rounding:
                up += typical[i] * volume[i]
            elif change < -rounding:
                down += typical[i] * volume[i]
        out[_MFI] = 100.0 * (up / (up + down)) if up + down > 0.0 else 50.0
    if k < 20:
        return
    total = window_sum(volume, end, 20)
    out[_CMF] = min(max(window_sum(ring[MONEY_FLOW], end, 20) / total, -1.0), 1.0) if total > 0.0 else 0.0
    if k < 21:
        return
    signed = 0.0
    for i in range(end - 19, end + 1):
        if close[i] > close[i - 1]:
            signed += volume[i]
        elif close[i] < close[i - 1]:
            signed -= volume[i]
    out[_OBV_CHANGE] = min(max(signed / total, -1.0), 1.0) if total > 0.0 else 0.0


@kernel
def _step_activity(k: int, end: int, volume: FloatArray, s: FloatArray, out: FloatArray) -> None:
    v = volume[end]
    s[VOLUME_EMA] = ema_next(s[VOLUME_EMA], v, k, 20)
    if k < 20:
        return
    mean = window_mean(volume, end, 20)
    out[_MEAN] = mean
    out[_EMA] = s[VOLUME_EMA]
    out[_RATIO] = min(v / mean, 20.0) if mean > 0.0 else 1.0
    out[_SURGE] = 1.0 if v > 1.5 * mean else 0.0
    out[_SHORT_RATIO] = min(window_mean(volume, end, 5) / mean - 1.0, 3.0) if mean > 0.0 else 0.0
    if k >= 60:
        mean = window_mean(volume, end, 60)
        deviation = window_deviation(volume, end, 60, mean, 1)
        out[_ZSCORE] = (v - mean) / deviation if deviation > 0.0 else 0.0


@kernel
def _step_liquidity(k: int, end: int, ring: FloatArray, out: FloatArray) -> None:
    if k < 21:
        return
    out[_AMIHUD] = window_mean(ring[ILLIQUIDITY], end, 20)
    if k < 22:
        return
    close = ring[CLOSE]
    now = before = product = 0.0
    for i in range(end - 19, end + 1):
        change, change_tm1 = close[i] - close[i - 1], close[i - 1] - close[i - 2]
        now += change
        before += change_tm1
        product += change * change_tm1
    covariance = (product - now * before / 20.0) / 19.0
    out[_ROLL] = 2.0 * math.sqrt(-covariance) / close[end] if covariance < 0.0 else 0.0
