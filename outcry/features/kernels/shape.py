"""Shape columns of one symbol.

State (float64, a row a symbol)

============  ==========================================  ======
slot          meaning                                     unit
============  ==========================================  ======
STREAK_UP     closes in a row above the one before        bars
STREAK_DOWN   closes in a row below the one before        bars
============  ==========================================  ======
"""

from outcry.features.column import positions
from outcry.features.columns.shape import DONCHIAN_WINDOWS, SHAPE
from outcry.features.kernels.bars import CLOSE, HIGH, LOW, OPEN
from outcry.features.kernels.compile import kernel
from outcry.features.kernels.window import window_max, window_min
from outcry.market.frame import FloatArray

_AT = positions(SHAPE)
_SPREAD, _BODY, _LOCATION, _POWER, _UPPER_SHADOW, _LOWER_SHADOW = (
    _AT[f"tech_bar_1_{n}"] for n in ("spread", "body", "location", "power", "upper_shadow", "lower_shadow")
)
_HIGHS, _LOWS, _UP, _DOWN = (_AT[f"tech_{n}"] for n in ("highs_10_count", "lows_10_count", "streak_up", "streak_down"))
_UPPER, _LOWER, _POSITION = (_AT[f"tech_donchian_20_{n}"] for n in ("upper", "lower", "position"))
_RESISTANCE, _SUPPORT = _AT["tech_resistance_20_distance"], _AT["tech_support_20_distance"]

STREAK_UP, STREAK_DOWN = range(2)
SHAPE_SLOTS = 2


@kernel
def step_shape(k: int, end: int, ring: FloatArray, s: FloatArray, out: FloatArray) -> None:
    """Advance the shape columns by the k-th bar of a symbol."""
    high, low, close = ring[HIGH], ring[LOW], ring[CLOSE]
    _write_bar(ring[OPEN, end], high[end], low[end], close[end], out)
    change = close[end] - close[end - 1] if k > 1 else 0.0
    s[STREAK_UP] = s[STREAK_UP] + 1.0 if change > 0.0 else 0.0
    s[STREAK_DOWN] = s[STREAK_DOWN] + 1.0 if change < 0.0 else 0.0
    out[_UP] = s[STREAK_UP]
    out[_DOWN] = s[STREAK_DOWN]
    if k >= 11:
        highs = lows = 0
        for i in range(end - 9, end + 1):
            highs += high[i] > high[i - 1]
            lows += low[i] < low[i - 1]
        out[_HIGHS] = highs
        out[_LOWS] = lows
    for j in range(len(DONCHIAN_WINDOWS)):
        if k >= DONCHIAN_WINDOWS[j]:
            upper = window_max(high, end, DONCHIAN_WINDOWS[j])
            lower = window_min(low, end, DONCHIAN_WINDOWS[j])
            out[_UPPER + j] = upper
            out[_LOWER + j] = lower
            out[_POSITION + j] = (close[end] - lower) / (upper - lower) if upper > lower else 0.5
            out[_RESISTANCE + j] = (upper - close[end]) / close[end]
            out[_SUPPORT + j] = (close[end] - lower) / close[end]


@kernel
def _write_bar(o: float, h: float, l: float, c: float, out: FloatArray) -> None:  # noqa: E741 - the low, as in the formulas
    width = h - l
    is_wide = width > 0.0
    out[_SPREAD] = width / c
    out[_BODY] = (c - o) / o
    out[_LOCATION] = ((c - l) - (h - c)) / width if is_wide else 0.0
    out[_POWER] = (c - o) / width if is_wide else 0.0
    out[_UPPER_SHADOW] = (h - max(o, c)) / width if is_wide else 0.0
    out[_LOWER_SHADOW] = (min(o, c) - l) / width if is_wide else 0.0
