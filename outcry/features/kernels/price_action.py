"""Price action of one symbol.

State (float64, a row a symbol)

==================  =====================================================================  =======
slot                meaning                                                                unit
==================  =====================================================================  =======
session_pivots
HAS_SESSION, ID     1 after the first bar inside a session; which session that was         flag, 1
DAY_HIGH .. _CLOSE  high, low and last close of the session so far                         price
HIGH_BEFORE ..      high, low and close of the session before; 0 in the first              price

swings
ATR                 Wilder average of the true range                                       price
HIGH_AT, HIGH_LAST  number of the bar and price of the last swing high; 0 before it        1, price
LOW_AT, LOW_LAST    of the last swing low                                                  1, price
TURN                which turn is the newest: 1 a high, -1 a low; 0 before the first       1
AT ..               number of the bar of each turn, newest first; 0 where there is none    1
PRICE ..            their prices                                                           price
==================  =====================================================================  =======
"""

from outcry.compiled import inlined_kernel
from outcry.features.families.price_action import N_POINTS, SESSION_PIVOTS, SWINGS
from outcry.features.kernels.bars import CLOSE, HIGH, LOW, TRUE_RANGE
from outcry.features.kernels.clock import IS_OPEN, SESSION
from outcry.features.kernels.window import wilder_next
from outcry.market.frame import FloatArray, IntArray

HAS_SESSION, ID, DAY_HIGH, DAY_LOW, DAY_CLOSE, HIGH_BEFORE, LOW_BEFORE, CLOSE_BEFORE = range(8)
ATR, HIGH_AT, HIGH_LAST, LOW_AT, LOW_LAST, TURN, AT = range(7)
PRICE = AT + N_POINTS
_TOLERANCE = 0.5  # of the average true range: closer prices count as equal

SINCE_HIGH, SINCE_LOW, TO_HIGH, TO_LOW = range(4)
DOUBLE, SHOULDERS, TRIANGLES = 4, 7, 10
TOP, BOTTOM, BREAK = range(3)
ASCENDING, DESCENDING, SYMMETRIC, TRIANGLE_BREAK = range(4)


@inlined_kernel
def step_price_action(
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
    if opcode == SESSION_PIVOTS:
        if clock[IS_OPEN] > 0.0:
            _session_pivots(end, history, clock[SESSION], s, out)
    elif opcode == SWINGS:
        _swings(k, end, history, s, out, p)


@inlined_kernel
def _session_pivots(end: int, history: FloatArray, session: float, s: FloatArray, out: FloatArray) -> None:
    high, low, close = history[HIGH, end], history[LOW, end], history[CLOSE, end]
    if s[HAS_SESSION] > 0.0 and s[ID] == session:
        s[DAY_HIGH] = max(s[DAY_HIGH], high)
        s[DAY_LOW] = min(s[DAY_LOW], low)
    else:
        if s[HAS_SESSION] > 0.0:
            s[HIGH_BEFORE], s[LOW_BEFORE], s[CLOSE_BEFORE] = s[DAY_HIGH], s[DAY_LOW], s[DAY_CLOSE]
        s[HAS_SESSION], s[ID] = 1.0, session
        s[DAY_HIGH], s[DAY_LOW] = high, low
    s[DAY_CLOSE] = close
    if s[CLOSE_BEFORE] > 0.0:
        _write_pivots(close, s[HIGH_BEFORE], s[LOW_BEFORE], s[CLOSE_BEFORE], out)


@inlined_kernel
def _write_pivots(close: float, h: float, l: float, c: float, out: FloatArray) -> None:  # noqa: E741 - as the formulas
    p, width = (h + l + c) / 3.0, h - l
    out[0], out[1], out[2] = p, 2.0 * p - l, p + width
    out[3], out[4] = 2.0 * p - h, p - width
    out[5], out[6] = p + 0.382 * width, p + 0.618 * width
    out[7], out[8] = p - 0.382 * width, p - 0.618 * width
    for n in range(4):
        step = 1.1 * width / (12.0 if n == 0 else 6.0 if n == 1 else 4.0 if n == 2 else 2.0)
        out[9 + n] = c + step
        out[13 + n] = c - step
    for j in range(17):
        out[j] = (close - out[j]) / close


@inlined_kernel
def _swings(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    span, lookback, atr = p[0], p[1], p[2]
    if k > 1:
        s[ATR] = wilder_next(s[ATR], history[TRUE_RANGE, end], k - 1, atr)
    if k > 2 * span:
        _find_swings(k, end, history, s, span)
    if k <= span + lookback or k <= atr:
        return
    c, oldest = history[CLOSE, end], k - lookback
    out[SINCE_HIGH] = min(k - s[HIGH_AT], lookback)
    out[SINCE_LOW] = min(k - s[LOW_AT], lookback)
    out[TO_HIGH] = (c - s[HIGH_LAST]) / c if s[HIGH_AT] >= oldest else 0.0
    out[TO_LOW] = (c - s[LOW_LAST]) / c if s[LOW_AT] >= oldest else 0.0
    tolerance = _TOLERANCE * s[ATR]
    _double(oldest, c, tolerance, s, out[DOUBLE:SHOULDERS])
    _shoulders(k, oldest, c, tolerance, s, out[SHOULDERS:TRIANGLES])
    _triangles(k, oldest, c, tolerance, s, out[TRIANGLES:])


@inlined_kernel
def _find_swings(k: int, end: int, history: FloatArray, s: FloatArray, span: int) -> None:
    """Note the bar `span` bars ago where it is a swing; where it is both, as a high first."""
    high, low, at = history[HIGH], history[LOW], end - span
    is_high = is_low = True
    for j in range(1, span + 1):
        is_high = is_high and high[at] > high[at - j] and high[at] >= high[at + j]
        is_low = is_low and low[at] < low[at - j] and low[at] <= low[at + j]
    if is_high:
        s[HIGH_AT], s[HIGH_LAST] = k - span, high[at]
        _turn(1.0, k - span, high[at], s)
    if is_low:
        s[LOW_AT], s[LOW_LAST] = k - span, low[at]
        _turn(-1.0, k - span, low[at], s)


@inlined_kernel
def _turn(side: float, at: int, price: float, s: FloatArray) -> None:
    """Add a swing to the zigzag; `side` is 1 of a high, -1 of a low."""
    if s[TURN] == side:
        if side * price <= side * s[PRICE]:
            return
    else:
        for j in range(N_POINTS - 1, 0, -1):
            s[AT + j], s[PRICE + j] = s[AT + j - 1], s[PRICE + j - 1]
    s[TURN], s[AT], s[PRICE] = side, at, price


@inlined_kernel
def _double(oldest: int, c: float, tolerance: float, s: FloatArray, out: FloatArray) -> None:
    out[TOP] = out[BOTTOM] = out[BREAK] = 0.0
    for newest in range(2):
        # The newest turn, or the one before it: the last high and the last low are a turn apart.
        side = s[TURN] if newest == 0 else -s[TURN]
        if s[AT + newest + 2] < oldest:
            continue
        last, neck, first = s[PRICE + newest], s[PRICE + newest + 1], s[PRICE + newest + 2]
        near, far = min(side * last, side * first), max(side * last, side * first)
        if far - near <= tolerance and side * neck < near - 2.0 * tolerance and side * c <= far + tolerance:
            out[TOP if side > 0.0 else BOTTOM] = 1.0
            if side * c < side * neck:
                out[BREAK] -= side


@inlined_kernel
def _shoulders(k: int, oldest: int, c: float, tolerance: float, s: FloatArray, out: FloatArray) -> None:
    out[TOP] = out[BOTTOM] = out[BREAK] = 0.0
    for newest in range(2):
        side = s[TURN] if newest == 0 else -s[TURN]
        if s[AT + newest + 4] < oldest:
            continue
        right, head, left = (side * s[PRICE + newest], side * s[PRICE + newest + 2], side * s[PRICE + newest + 4])
        neck, neck_before = side * s[PRICE + newest + 1], side * s[PRICE + newest + 3]
        is_even = abs(right - left) <= tolerance and head > max(right, left) + tolerance
        if is_even and max(neck, neck_before) < min(right, left) and side * c <= head:
            out[TOP if side > 0.0 else BOTTOM] = 1.0
            if side * c < side * _line(k, newest + 1, s):
                out[BREAK] -= side


@inlined_kernel
def _triangles(k: int, oldest: int, c: float, tolerance: float, s: FloatArray, out: FloatArray) -> None:
    out[ASCENDING] = out[DESCENDING] = out[SYMMETRIC] = out[TRIANGLE_BREAK] = 0.0
    if s[AT + 3] < oldest:
        return
    high = 0 if s[TURN] > 0.0 else 1
    low = 1 - high
    upper, lower = _line(k, high, s), _line(k, low, s)
    if upper <= lower:
        return
    fall = s[PRICE + high + 2] - s[PRICE + high]
    rise = s[PRICE + low] - s[PRICE + low + 2]
    if abs(fall) <= tolerance and rise > tolerance:
        out[ASCENDING] = 1.0
    elif fall > tolerance and abs(rise) <= tolerance:
        out[DESCENDING] = 1.0
    elif fall > tolerance and rise > tolerance:
        out[SYMMETRIC] = 1.0
    else:
        return
    out[TRIANGLE_BREAK] = 1.0 if c > upper else -1.0 if c < lower else 0.0


@inlined_kernel
def _line(k: int, turn: int, s: FloatArray) -> float:
    """Return the price at bar k of the line through a turn and the one before it on its side."""
    slope = (s[PRICE + turn] - s[PRICE + turn + 2]) / (s[AT + turn] - s[AT + turn + 2])
    price: float = s[PRICE + turn] + slope * (k - s[AT + turn])
    return price
