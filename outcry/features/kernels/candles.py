"""Candle patterns of one symbol.

State (float64, a row a symbol): what a bar is compared with, of the newest bar and of those before it

==========  ==============================================================================  ======
slots       meaning                                                                         unit
==========  ==============================================================================  ======
BODY ..     mean body of the 10 bars before the bar j ago, j = 0 .. 4                       price
RANGE ..    mean of high - low of the 10 bars before the bar j ago, j = 0 .. 2              price
NEAR ..     mean of high - low of the 5 bars before the bar j ago, j = 0 .. 2               price
==========  ==============================================================================  ======

The means are summed from the oldest bar on, as TA-Lib begins its running sums, and divided and weighted in its order:
given the same few bars, both compare the same numbers.
"""

from outcry.compiled import inlined_kernel
from outcry.features.families.candles import (
    ABANDONED_BABY,
    BELT_HOLD,
    BLACK_CROWS,
    DARK_CLOUD,
    DOJI,
    DRAGONFLY,
    ENGULFING,
    EVENING_DOJI_STAR,
    EVENING_STAR,
    GRAVESTONE,
    HAMMER,
    HANGING_MAN,
    HARAMI,
    HARAMI_CROSS,
    INVERTED_HAMMER,
    KICKING,
    LONG_LEGGED,
    MARUBOZU,
    MATCHING_LOW,
    MORNING_DOJI_STAR,
    MORNING_STAR,
    PIERCING,
    SHOOTING_STAR,
    SPINNING_TOP,
    THREE_INSIDE,
    THREE_METHODS,
    THREE_OUTSIDE,
    TWEEZER,
    WHITE_SOLDIERS,
)
from outcry.features.kernels.bars import CLOSE, HIGH, LOW, OPEN
from outcry.market.frame import FloatArray, IntArray

BODY, RANGE, NEAR = 0, 5, 8
_DOJI, _NO_SHADOW, _NEAR, _FAR, _EQUAL = 0.1, 0.1, 0.2, 0.6, 0.05  # of the mean ranges
_STAR_DEPTH, _HALF = 0.3, 0.5  # of the body that a star, a piercing or a dark cloud closes into


@inlined_kernel
def step_candles(
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
    """Advance the patterns; see `outcry.features.kernels.advance.Step`."""
    _advance_means(k, end, history, s)
    _covering(k, end, history, out)
    _equal_pairs(k, end, history, s, out)
    if k >= 11:
        _single(end, history, s, out)
    if k >= 12:
        _hammers(end, history, s, out)
        _pairs(end, history, s, out)
        _kicking(end, history, s, out)
    if k >= 13:
        _stars(end, history, s, out)
        _soldiers(end, history, s, out)
        _three_inside(end, history, s, out)
    if k >= 14:
        _crows(end, history, s, out)
    if k >= 15:
        _three_methods(end, history, s, out)


@inlined_kernel
def _advance_means(k: int, end: int, x: FloatArray, s: FloatArray) -> None:
    for j in range(4, 0, -1):
        s[BODY + j] = s[BODY + j - 1]
    for j in range(2, 0, -1):
        s[RANGE + j], s[NEAR + j] = s[RANGE + j - 1], s[NEAR + j - 1]
    if k >= 6:
        total = 0.0
        for i in range(end - 5, end):
            total += x[HIGH, i] - x[LOW, i]
        s[NEAR] = total / 5.0
    if k >= 11:
        body = total = 0.0
        for i in range(end - 10, end):
            body += abs(x[CLOSE, i] - x[OPEN, i])
            total += x[HIGH, i] - x[LOW, i]
        s[BODY], s[RANGE] = body / 10.0, total / 10.0


@inlined_kernel
def _is_white(x: FloatArray, i: int) -> bool:
    return bool(x[CLOSE, i] >= x[OPEN, i])


@inlined_kernel
def _colour(x: FloatArray, i: int) -> float:
    return 1.0 if x[CLOSE, i] >= x[OPEN, i] else -1.0


@inlined_kernel
def _body(x: FloatArray, i: int) -> float:
    body: float = abs(x[CLOSE, i] - x[OPEN, i])
    return body


@inlined_kernel
def _top(x: FloatArray, i: int) -> float:
    """Return the upper end of the body."""
    top: float = max(x[OPEN, i], x[CLOSE, i])
    return top


@inlined_kernel
def _bottom(x: FloatArray, i: int) -> float:
    """Return the lower end of the body."""
    bottom: float = min(x[OPEN, i], x[CLOSE, i])
    return bottom


@inlined_kernel
def _upper(x: FloatArray, i: int) -> float:
    upper: float = x[HIGH, i] - _top(x, i)
    return upper


@inlined_kernel
def _lower(x: FloatArray, i: int) -> float:
    lower: float = _bottom(x, i) - x[LOW, i]
    return lower


@inlined_kernel
def _single(end: int, x: FloatArray, s: FloatArray, out: FloatArray) -> None:
    body, upper, lower = _body(x, end), _upper(x, end), _lower(x, end)
    colour, none = _colour(x, end), _NO_SHADOW * s[RANGE]
    is_doji, is_long, is_short = body <= _DOJI * s[RANGE], body > s[BODY], body < s[BODY]
    out[DOJI] = 1.0 if is_doji else 0.0
    out[DRAGONFLY] = 1.0 if is_doji and upper < none and lower > none else 0.0
    out[GRAVESTONE] = 1.0 if is_doji and lower < none and upper > none else 0.0
    out[LONG_LEGGED] = 1.0 if is_doji and (lower > body or upper > body) else 0.0
    out[MARUBOZU] = colour if is_long and upper < none and lower < none else 0.0
    out[SPINNING_TOP] = colour if is_short and upper > body and lower > body else 0.0
    out[BELT_HOLD] = colour if is_long and (lower if colour > 0.0 else upper) < none else 0.0


@inlined_kernel
def _hammers(end: int, x: FloatArray, s: FloatArray, out: FloatArray) -> None:
    """Write the patterns of a short body with one long shadow."""
    body, upper, lower = _body(x, end), _upper(x, end), _lower(x, end)
    none, near = _NO_SHADOW * s[RANGE], _NEAR * s[NEAR + 1]
    is_down = body < s[BODY] and lower > body and upper < none
    is_up = body < s[BODY] and upper > body and lower < none
    out[HAMMER] = 1.0 if is_down and _bottom(x, end) <= x[LOW, end - 1] + near else 0.0
    out[HANGING_MAN] = -1.0 if is_down and _bottom(x, end) >= x[HIGH, end - 1] - near else 0.0
    out[INVERTED_HAMMER] = 1.0 if is_up and _top(x, end) < _bottom(x, end - 1) else 0.0
    out[SHOOTING_STAR] = -1.0 if is_up and _bottom(x, end) > _top(x, end - 1) else 0.0


@inlined_kernel
def _covers(x: FloatArray, i: int, j: int) -> bool:
    """Say whether the body at i covers that at j: past one end, past the other or equal to it."""
    top, bottom, top_j, bottom_j = _top(x, i), _bottom(x, i), _top(x, j), _bottom(x, j)
    return bool((top >= top_j and bottom < bottom_j) or (top > top_j and bottom <= bottom_j))


@inlined_kernel
def _covering(k: int, end: int, x: FloatArray, out: FloatArray) -> None:
    if k >= 3:
        is_turn = _is_white(x, end) != _is_white(x, end - 1)
        out[ENGULFING] = _colour(x, end) if is_turn and _covers(x, end, end - 1) else 0.0
    if k >= 4:
        colour = _colour(x, end - 1)
        is_turn = _is_white(x, end - 1) != _is_white(x, end - 2)
        is_outside = _top(x, end - 1) > _top(x, end - 2) and _bottom(x, end - 1) < _bottom(x, end - 2)
        goes_on = x[CLOSE, end] > x[CLOSE, end - 1] if colour > 0.0 else x[CLOSE, end] < x[CLOSE, end - 1]
        out[THREE_OUTSIDE] = colour if is_turn and is_outside and goes_on else 0.0


@inlined_kernel
def _equal_pairs(k: int, end: int, x: FloatArray, s: FloatArray, out: FloatArray) -> None:
    if k < 7:
        return
    equal, was_white, is_white = _EQUAL * s[NEAR + 1], _is_white(x, end - 1), _is_white(x, end)
    both_black = not was_white and not is_white
    out[MATCHING_LOW] = 1.0 if both_black and _is_equal(x[CLOSE], end, equal) else 0.0
    bottom = not was_white and is_white and _is_equal(x[LOW], end, equal)
    top = was_white and not is_white and _is_equal(x[HIGH], end, equal)
    out[TWEEZER] = 1.0 if bottom else -1.0 if top else 0.0


@inlined_kernel
def _is_equal(price: FloatArray, end: int, equal: float) -> bool:
    return bool(price[end] <= price[end - 1] + equal and price[end] >= price[end - 1] - equal)


@inlined_kernel
def _pairs(end: int, x: FloatArray, s: FloatArray, out: FloatArray) -> None:
    """Write the patterns of a bar after one with a long body."""
    is_white, was_white = _is_white(x, end), _is_white(x, end - 1)
    body, last = _body(x, end), _body(x, end - 1)
    was_long = last > s[BODY + 1]
    is_inside = _top(x, end) <= _top(x, end - 1) and _bottom(x, end) >= _bottom(x, end - 1)
    against = -_colour(x, end - 1)
    out[HARAMI] = against if was_long and body <= s[BODY] and is_inside else 0.0
    out[HARAMI_CROSS] = against if was_long and body <= _DOJI * s[RANGE] and is_inside else 0.0
    o, c, o_tm1, c_tm1 = x[OPEN, end], x[CLOSE, end], x[OPEN, end - 1], x[CLOSE, end - 1]
    rises = is_white and body > s[BODY] and o < x[LOW, end - 1] and c < o_tm1 and c > c_tm1 + last * _HALF
    falls = not is_white and o > x[HIGH, end - 1] and c > o_tm1 and c < c_tm1 - last * _HALF
    out[PIERCING] = 1.0 if was_long and not was_white and rises else 0.0
    out[DARK_CLOUD] = -1.0 if was_long and was_white and falls else 0.0


@inlined_kernel
def _kicking(end: int, x: FloatArray, s: FloatArray, out: FloatArray) -> None:
    colour = _colour(x, end)
    gap = x[LOW, end] > x[HIGH, end - 1] if colour > 0.0 else x[HIGH, end] < x[LOW, end - 1]
    is_turn = colour != _colour(x, end - 1)
    out[KICKING] = colour if gap and is_turn and _is_bare(end, 0, x, s) and _is_bare(end, 1, x, s) else 0.0


@inlined_kernel
def _is_bare(end: int, j: int, x: FloatArray, s: FloatArray) -> bool:
    """Say whether the bar j ago is a marubozu."""
    none = _NO_SHADOW * s[RANGE + j]
    i = end - j
    return bool(_body(x, i) > s[BODY + j] and _upper(x, i) < none and _lower(x, i) < none)


@inlined_kernel
def _stars(end: int, x: FloatArray, s: FloatArray, out: FloatArray) -> None:
    out[MORNING_STAR] = out[EVENING_STAR] = out[MORNING_DOJI_STAR] = out[EVENING_DOJI_STAR] = 0.0
    out[ABANDONED_BABY] = 0.0
    colour, first = _colour(x, end), _body(x, end - 2)
    is_turn = colour != _colour(x, end - 2)
    c, c_tm2, depth = x[CLOSE, end], x[CLOSE, end - 2], first * _STAR_DEPTH
    is_deep = c > c_tm2 + depth if colour > 0.0 else c < c_tm2 - depth
    if not (is_turn and is_deep and first > s[BODY + 2] and _body(x, end) > s[BODY]):
        return
    middle = _body(x, end - 1)
    is_doji = middle <= _DOJI * s[RANGE + 1]
    if colour > 0.0:
        if _top(x, end - 1) < _bottom(x, end - 2):
            out[MORNING_STAR] = 1.0 if middle <= s[BODY + 1] else 0.0
            out[MORNING_DOJI_STAR] = 1.0 if is_doji else 0.0
        is_alone = x[HIGH, end - 1] < x[LOW, end - 2] and x[LOW, end] > x[HIGH, end - 1]
    else:
        if _bottom(x, end - 1) > _top(x, end - 2):
            out[EVENING_STAR] = -1.0 if middle <= s[BODY + 1] else 0.0
            out[EVENING_DOJI_STAR] = -1.0 if is_doji else 0.0
        is_alone = x[LOW, end - 1] > x[HIGH, end - 2] and x[HIGH, end] < x[LOW, end - 1]
    out[ABANDONED_BABY] = colour if is_doji and is_alone else 0.0


@inlined_kernel
def _soldiers(end: int, x: FloatArray, s: FloatArray, out: FloatArray) -> None:
    holds = _body(x, end) > s[BODY]
    for j in range(3):
        i = end - j
        holds = holds and _is_white(x, i) and _upper(x, i) < _NO_SHADOW * s[RANGE + j]
        if j < 2:
            o, c, o_tm1, c_tm1 = x[OPEN, i], x[CLOSE, i], x[OPEN, i - 1], x[CLOSE, i - 1]
            is_follow_up = c > c_tm1 and o > o_tm1 and o <= c_tm1 + _NEAR * s[NEAR + j + 1]
            holds = holds and is_follow_up and _body(x, i) > _body(x, i - 1) - _FAR * s[NEAR + j + 1]
    out[WHITE_SOLDIERS] = 1.0 if holds else 0.0


@inlined_kernel
def _crows(end: int, x: FloatArray, s: FloatArray, out: FloatArray) -> None:
    holds = _is_white(x, end - 3) and x[HIGH, end - 3] > x[CLOSE, end - 2]
    for j in range(3):
        i = end - j
        holds = holds and not _is_white(x, i) and _lower(x, i) < _NO_SHADOW * s[RANGE + j]
        if j < 2:
            is_within = x[OPEN, i] < x[OPEN, i - 1] and x[OPEN, i] > x[CLOSE, i - 1]
            holds = holds and is_within and x[CLOSE, i] < x[CLOSE, i - 1]
    out[BLACK_CROWS] = -1.0 if holds else 0.0


@inlined_kernel
def _three_inside(end: int, x: FloatArray, s: FloatArray, out: FloatArray) -> None:
    first = _colour(x, end - 2)
    is_inside = _top(x, end - 1) < _top(x, end - 2) and _bottom(x, end - 1) > _bottom(x, end - 2)
    is_long, is_small = _body(x, end - 2) > s[BODY + 2], _body(x, end - 1) <= s[BODY + 1]
    c, o_tm2 = x[CLOSE, end], x[OPEN, end - 2]
    turns = first != _colour(x, end) and (c < o_tm2 if first > 0.0 else c > o_tm2)
    out[THREE_INSIDE] = -first if is_inside and is_long and is_small and turns else 0.0


@inlined_kernel
def _three_methods(end: int, x: FloatArray, s: FloatArray, out: FloatArray) -> None:
    first = _colour(x, end - 4)
    o, c, start = x[OPEN, end], x[CLOSE, end], x[CLOSE, end - 4]
    holds = first == _colour(x, end) and _body(x, end) > s[BODY] and _body(x, end - 4) > s[BODY + 4]
    holds = holds and o * first > x[CLOSE, end - 1] * first and c * first > start * first
    for j in range(1, 4):
        i = end - j
        holds = holds and first != _colour(x, i) and _body(x, i) < s[BODY + j]
        holds = holds and _bottom(x, i) < x[HIGH, end - 4] and _top(x, i) > x[LOW, end - 4]
        if j < 3:
            holds = holds and x[CLOSE, i] * first < x[CLOSE, i - 1] * first
    out[THREE_METHODS] = first if holds else 0.0
