"""Shape indicators of one symbol.

State (float64, a row a symbol)

===========  ======================================================================  =======
indicator    slots                                                                   unit
===========  ======================================================================  =======
extremes     new highs and new lows among the last bars                              bars
streak       none: it counts on from its columns                                     bars
donchian     upper and the number of its bar; lower and the number of its bar        price, 1
channel      as donchian, one bar behind                                             price, 1
===========  ======================================================================  =======
"""

from outcry.compiled import inlined_kernel
from outcry.features.families.shape import BAR, CHANNEL, DONCHIAN, EXTREMES, STREAK
from outcry.features.kernels.bars import CLOSE, HIGH, LOW, OPEN
from outcry.features.kernels.window import within
from outcry.market.frame import FloatArray, IntArray


@inlined_kernel
def step_shape(
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
    if opcode == BAR:
        _bar(history[OPEN, end], history[HIGH, end], history[LOW, end], history[CLOSE, end], out)
    elif opcode == EXTREMES:
        _extremes(k, end, history, s, out, p[0])
    elif opcode == STREAK:
        _streak(k, end, history[CLOSE], out)
    elif opcode == DONCHIAN:
        _donchian(k, end, history, s, out, p[0])
    elif opcode == CHANNEL:
        _channel(k, end, history, s, out, p[0])


@inlined_kernel
def _bar(o: float, h: float, l: float, c: float, out: FloatArray) -> None:  # noqa: E741 - the low, as in the formulas
    width = h - l
    is_wide = width > 0.0
    out[0] = width / c
    out[1] = (c - o) / o
    out[2] = within(((c - l) - (h - c)) / width, -1.0, 1.0) if is_wide else 0.0
    out[3] = within((c - o) / width, -1.0, 1.0) if is_wide else 0.0
    out[4] = within((h - max(o, c)) / width, 0.0, 1.0) if is_wide else 0.0
    out[5] = within((min(o, c) - l) / width, 0.0, 1.0) if is_wide else 0.0


@inlined_kernel
def _extremes(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    if k < 2:
        return
    high, low = history[HIGH], history[LOW]
    s[0] += high[end] > high[end - 1]
    s[1] += low[end] < low[end - 1]
    if k < window + 1:
        return
    if k > window + 1:
        s[0] -= high[end - window] > high[end - window - 1]
        s[1] -= low[end - window] < low[end - window - 1]
    out[0] = s[0]
    out[1] = s[1]


@inlined_kernel
def _streak(k: int, end: int, close: FloatArray, out: FloatArray) -> None:
    if k == 1:
        out[0] = out[1] = 0.0
        return
    change = close[end] - close[end - 1]
    out[0] = out[0] + 1.0 if change > 0.0 else 0.0
    out[1] = out[1] + 1.0 if change < 0.0 else 0.0


@inlined_kernel
def _donchian(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    _advance_extremes(k, end, history, s, window)
    if k < window:
        return
    upper, lower, c = s[0], s[2], history[CLOSE, end]
    out[0] = upper
    out[1] = lower
    out[2] = within((c - lower) / (upper - lower), 0.0, 1.0) if upper > lower else 0.5
    out[3] = max((upper - c) / c, 0.0)
    out[4] = max((c - lower) / c, 0.0)


@inlined_kernel
def _channel(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    if k < 2:
        return
    _advance_extremes(k - 1, end - 1, history, s, window)
    if k <= window:
        return
    upper, lower, c = s[0], s[2], history[CLOSE, end]
    out[0] = (c - upper) / c
    out[1] = (c - lower) / c
    out[2] = within((c - lower) / (upper - lower), -1.0, 2.0) if upper > lower else 0.5
    out[3] = 1.0 if c > upper else -1.0 if c < lower else 0.0


@inlined_kernel
def _advance_extremes(k: int, end: int, history: FloatArray, s: FloatArray, window: int) -> None:
    """Advance the highest high and the lowest low of the last `window` bars, of all while k < window.

    The bars are looked through only where the extreme leaves the window. Slots: highest high, the number of its bar,
    lowest low, the number of its bar.
    """
    high, low = history[HIGH], history[LOW]
    if k == 1 or high[end] >= s[0]:
        s[0], s[1] = high[end], k
    elif s[1] <= k - window:
        at = end
        for i in range(end - 1, end - window, -1):
            if high[i] > high[at]:
                at = i
        s[0], s[1] = high[at], k - (end - at)
    if k == 1 or low[end] <= s[2]:
        s[2], s[3] = low[end], k
    elif s[3] <= k - window:
        at = end
        for i in range(end - 1, end - window, -1):
            if low[i] < low[at]:
                at = i
        s[2], s[3] = low[at], k - (end - at)
