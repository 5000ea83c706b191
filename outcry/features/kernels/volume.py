"""Volume indicators of one symbol.

State (float64, a row a symbol)

===============  ======================================================================  ==========
indicator        slots                                                                   unit
===============  ======================================================================  ==========
obv, adl, pvt    the line                                                                shares
nvi, pvi         the index, from 1000                                                    index
adosc            the line; average fast and slow of it                                   shares
force            average of the force                                                    currency
volume_level     exponential average of the volume                                       shares
volume_profile   point of control, value area high and low; then the bins                price, shares
===============  ======================================================================  ==========
"""

import math

from outcry.compiled import inlined_kernel
from outcry.features.families.volume import (
    ADL,
    ADOSC,
    CMF,
    EOM,
    FORCE,
    LEVEL,
    MFI,
    NVI,
    OBV,
    OBV_CHANGE,
    PACE,
    PROFILE,
    PROFILE_CADENCE_BARS,
    PVI,
    PVT,
    WEIGHTED_MOMENTUM,
    ZSCORE,
)
from outcry.features.kernels.bars import CLOSE, HIGH, LOW, MONEY_FLOW, TYPICAL, VOLUME
from outcry.features.kernels.window import ema_next, window_mean, window_moments, window_sum
from outcry.market.frame import FloatArray, IntArray

_START = 1000.0  # of the volume indices
_POC, _AREA_HIGH, _AREA_LOW, _BINS = range(4)
_EDGE = 1e-9  # of a bin: a price on an edge belongs to the bin above it, whatever rounding makes of the division


@inlined_kernel
def step_volume(
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
    volume = history[VOLUME]
    if opcode in (OBV, OBV_CHANGE, ADL, PVT):
        _line(opcode, k, end, history, s, out, p)
    elif opcode == ADOSC:
        _adosc(k, end, history, s, out, p)
    elif opcode == CMF:
        _cmf(k, end, history, out, p[0])
    elif opcode == MFI:
        _mfi(k, end, history, out, p[0])
    elif opcode == FORCE:
        _force(k, end, history, s, out, p)
    elif opcode == LEVEL:
        _level(k, end, volume, s, out, p[0])
    elif opcode == PACE:
        _pace(k, end, volume, out, p)
    elif opcode == ZSCORE:
        _zscore(k, end, volume, out, p[0])
    elif opcode in (NVI, PVI):
        _index(opcode, k, end, history, s, out)
    elif opcode == EOM:
        _eom(k, end, history, out, p[0])
    elif opcode == WEIGHTED_MOMENTUM:
        _weighted_momentum(k, end, history, out, p[0])
    elif opcode == PROFILE:
        _profile(k, end, history, s, out, p)


@inlined_kernel
def _line(opcode: int, k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    """Advance one of the lines that add up signed volume."""
    volume, close = history[VOLUME], history[CLOSE]
    if opcode == OBV_CHANGE:
        if k > p[0]:
            total = window_sum(volume, end, p[0])
            signed = 0.0
            for i in range(end - p[0] + 1, end + 1):
                signed += _signed(i, volume, close)
            out[0] = min(max(signed / total, -1.0), 1.0) if total > 0.0 else 0.0
        return
    if opcode == OBV:
        s[0] += _signed(end, volume, close) if k > 1 else volume[end]
    elif opcode == ADL:
        s[0] += history[MONEY_FLOW, end]
    elif k > 1:
        s[0] += volume[end] * (close[end] / close[end - 1] - 1.0)
    out[0] = s[0]


@inlined_kernel
def _signed(i: int, volume: FloatArray, close: FloatArray) -> float:
    """Return the volume with the sign of the change; as a product, because a branch on noise is mispredicted."""
    signed: float = volume[i] * ((close[i] > close[i - 1]) - (close[i] < close[i - 1]))
    return signed


@inlined_kernel
def _adosc(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    fast, slow = p[0], p[1]
    s[0] += history[MONEY_FLOW, end]
    if k == 1:
        s[1] = s[2] = s[0]
    else:
        s[1] = (s[0] - s[1]) * (2.0 / (fast + 1.0)) + s[1]
        s[2] = (s[0] - s[2]) * (2.0 / (slow + 1.0)) + s[2]
    if k < slow:
        return
    mean = window_mean(history[VOLUME], end, slow)
    out[0] = s[1] - s[2]
    out[1] = out[0] / mean if mean > 0.0 else 0.0


@inlined_kernel
def _cmf(k: int, end: int, history: FloatArray, out: FloatArray, window: int) -> None:
    if k < window:
        return
    total = window_sum(history[VOLUME], end, window)
    flow = window_sum(history[MONEY_FLOW], end, window)
    out[0] = min(max(flow / total, -1.0), 1.0) if total > 0.0 else 0.0


@inlined_kernel
def _mfi(k: int, end: int, history: FloatArray, out: FloatArray, window: int) -> None:
    if k <= window:
        return
    volume, typical = history[VOLUME], history[TYPICAL]
    up = down = 0.0
    for i in range(end - window + 1, end + 1):
        # Equal sums of three prices may differ by the order of their addition.
        change, rounding = typical[i] - typical[i - 1], 1e-12 * typical[i]
        flow = typical[i] * volume[i]
        up += flow * (change > rounding)
        down += flow * (change < -rounding)
    out[0] = 100.0 * (up / (up + down)) if up + down > 0.0 else 50.0


@inlined_kernel
def _force(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    window, n = p[0], p[1]
    if k < 2:
        return
    close, volume = history[CLOSE], history[VOLUME]
    force = (close[end] - close[end - 1]) * volume[end]
    s[0] = ema_next(s[0], force, k - 1, window) if window > 1 else force
    if k > window:
        out[0] = s[0]
    if k > window and k >= n:
        mean = window_mean(volume, end, n)
        out[1] = s[0] / (close[end] * mean) if mean > 0.0 else 0.0


@inlined_kernel
def _level(k: int, end: int, volume: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    v = volume[end]
    s[0] = ema_next(s[0], v, k, window)
    if k < window:
        return
    mean = window_mean(volume, end, window)
    out[0] = mean
    out[1] = s[0]
    out[2] = min(v / mean, float(window)) if mean > 0.0 else 1.0
    out[3] = 1.0 if v > 1.5 * mean else 0.0


@inlined_kernel
def _pace(k: int, end: int, volume: FloatArray, out: FloatArray, p: IntArray) -> None:
    short, long = p[0], p[1]
    if k < long:
        return
    mean = window_mean(volume, end, long)
    high = long / short - 1.0
    out[0] = min(window_mean(volume, end, short) / mean - 1.0, high) if mean > 0.0 else 0.0


@inlined_kernel
def _zscore(k: int, end: int, volume: FloatArray, out: FloatArray, window: int) -> None:
    if k < window:
        return
    mean, deviation = window_moments(volume, end, window, 1)
    out[0] = (volume[end] - mean) / deviation if deviation > 0.0 else 0.0


@inlined_kernel
def _index(opcode: int, k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray) -> None:
    if k == 1:
        s[0] = _START
    else:
        change = history[VOLUME, end] - history[VOLUME, end - 1]
        if (opcode == NVI and change < 0.0) or (opcode == PVI and change > 0.0):
            s[0] *= history[CLOSE, end] / history[CLOSE, end - 1]
    out[0] = s[0]


@inlined_kernel
def _eom(k: int, end: int, history: FloatArray, out: FloatArray, window: int) -> None:
    if k <= window:
        return
    high, low, volume, c = history[HIGH], history[LOW], history[VOLUME], history[CLOSE, end]
    total = 0.0
    for i in range(end - window + 1, end + 1):
        if volume[i] > 0.0:
            moved = 0.5 * ((high[i] + low[i]) - (high[i - 1] + low[i - 1]))
            total += moved * (high[i] - low[i]) / volume[i]
    out[0] = total / window * (window_mean(volume, end, window) / (c * c))


@inlined_kernel
def _weighted_momentum(k: int, end: int, history: FloatArray, out: FloatArray, window: int) -> None:
    if k <= window:
        return
    close, volume = history[CLOSE], history[VOLUME]
    total = moved = 0.0
    for i in range(end - window + 1, end + 1):
        total += volume[i]
        moved += volume[i] * (close[i] / close[i - 1] - 1.0)
    out[0] = max(moved / total, -1.0) if total > 0.0 else 0.0


@inlined_kernel
def _profile(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    window, bins = p[0], p[1]
    if k < window:
        return
    if (k - window) % PROFILE_CADENCE_BARS == 0:
        _fill_bins(end, history, s, window, bins)
    c = history[CLOSE, end]
    for j in range(_BINS):
        out[j] = (c - s[j]) / c


@inlined_kernel
def _fill_bins(end: int, history: FloatArray, s: FloatArray, window: int, bins: int) -> None:
    """Sum volume by typical price, and write the three levels of the profile."""
    typical, volume = history[TYPICAL], history[VOLUME]
    low = high = typical[end]
    for i in range(end - window + 1, end):
        low = min(low, typical[i])
        high = max(high, typical[i])
    for j in range(_BINS, _BINS + bins):
        s[j] = 0.0
    width = (high - low) / bins
    a_price = 1.0 / width if width > 0.0 else 0.0
    total = 0.0
    at = _BINS
    for i in range(end - window + 1, end + 1):
        at = _BINS + min(math.floor((typical[i] - low) * a_price + _EDGE), bins - 1)
        s[at] += volume[i]
        total += volume[i]
    if total > 0.0:
        for j in range(_BINS, _BINS + bins):
            at = j if s[j] > s[at] or (s[j] == s[at] and j < at) else at
    bottom, top = _value_area(s, at, _BINS + bins - 1, total)
    s[_POC] = low + (at - _BINS + 0.5) * width
    s[_AREA_HIGH] = low + (top - _BINS + 1) * width
    s[_AREA_LOW] = low + (bottom - _BINS) * width


@inlined_kernel
def _value_area(s: FloatArray, at: int, last: int, total: float) -> tuple[int, int]:
    """Return the lowest and the highest bin of the value area, from bin `at` outwards."""
    bottom, top = at, at
    held = s[at]
    # Whole numbers on both sides: volumes add up exactly, so ten times the volume gives the same area.
    while 10.0 * held < 7.0 * total:
        if top < last and (bottom == _BINS or s[top + 1] >= s[bottom - 1]):
            top += 1
            held += s[top]
        else:
            bottom -= 1
            held += s[bottom]
    return bottom, top
