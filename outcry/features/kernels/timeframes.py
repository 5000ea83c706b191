"""Indicators of one symbol on closed bars of a longer timeframe.

State (float64, a row a symbol): every indicator begins with the longer bar that is being made

============  ===================================================================  =======
slot          meaning                                                              unit
============  ===================================================================  =======
IS_MADE       1 while a longer bar is being made                                   flag
OF_SESSION    its session (clock SESSION), or its week                             1
PART          which part of the session                                            1
BAR_HIGH ..   high, low and close of it so far                                     price
N_CLOSED      longer bars that are closed                                          1
============  ===================================================================  =======

and goes on with

============  ===================================================================  =======
mtf_rsi       last close; gain, loss: Wilder averages                              price
mtf_trend     fast and slow average                                                price
mtf_bbands    the last closes                                                      price
mtf_macd      averages fast and slow, both seeded at the slow bar; signal          price
mtf_atr       last close; the average                                              price
mtf_levels    highest high, lowest low; the last highs; the last lows              price
mtf_bar       last close; high and low of the last closed bar                      price
============  ===================================================================  =======
"""

import math

from outcry.compiled import inlined_kernel
from outcry.features.families.timeframes import (
    ATR,
    BAR,
    BAR_SLOTS,
    BBANDS,
    DAY_MINUTES,
    LEVELS,
    MACD,
    ROUNDING,
    RSI,
    TREND,
    WEEK_MINUTES,
)
from outcry.features.kernels.bars import CLOSE, HIGH, LOW
from outcry.features.kernels.clock import AT_ENDS_WEEK, AT_WEEK, IS_OPEN, SESSION, SINCE_OPEN, TO_CLOSE
from outcry.features.kernels.window import ema_next, ring_mean, wilder_next
from outcry.market.frame import FloatArray, IntArray

IS_MADE, OF_SESSION, PART, BAR_HIGH, BAR_LOW, BAR_CLOSE, N_CLOSED = range(BAR_SLOTS)


@inlined_kernel
def step_timeframes(
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
    if clock[IS_OPEN] == 0.0:
        return
    minutes = p[0]
    session = clock[AT_WEEK] if minutes == WEEK_MINUTES else clock[SESSION]
    part = math.ceil(clock[SINCE_OPEN] / minutes) - 1.0 if minutes < DAY_MINUTES else 0.0
    if s[IS_MADE] > 0.0 and (s[OF_SESSION] != session or s[PART] != part):
        _close_bar(opcode, s, out, p)  # the bar that would have ended with it is missing
    _extend_bar(end, history, session, part, s)
    if _is_last(clock, minutes, part):
        _close_bar(opcode, s, out, p)
    if opcode == LEVELS:
        _write_levels(history[CLOSE, end], s, out, p[1])
    elif opcode == BAR:
        _write_position(history[CLOSE, end], s, out)


@inlined_kernel
def _extend_bar(end: int, history: FloatArray, session: float, part: float, s: FloatArray) -> None:
    high, low = history[HIGH, end], history[LOW, end]
    if s[IS_MADE] > 0.0:
        high, low = max(high, s[BAR_HIGH]), min(low, s[BAR_LOW])
    s[IS_MADE], s[OF_SESSION], s[PART] = 1.0, session, part
    s[BAR_HIGH], s[BAR_LOW], s[BAR_CLOSE] = high, low, history[CLOSE, end]


@inlined_kernel
def _is_last(clock: FloatArray, minutes: int, part: float) -> bool:
    """Say whether the longer bar ends with this bar."""
    if clock[TO_CLOSE] <= 0.0:
        return minutes != WEEK_MINUTES or clock[AT_ENDS_WEEK] > 0.0
    return minutes < DAY_MINUTES and clock[SINCE_OPEN] >= (part + 1.0) * minutes


@inlined_kernel
def _close_bar(opcode: int, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    """Advance the indicator by the longer bar that is made."""
    s[IS_MADE] = 0.0
    s[N_CLOSED] += 1.0
    n = int(s[N_CLOSED])
    high, low, c, own = s[BAR_HIGH], s[BAR_LOW], s[BAR_CLOSE], s[BAR_SLOTS:]
    if opcode == RSI:
        _rsi(n, c, own, out, p[1])
    elif opcode == TREND:
        _trend(n, c, own, out, p)
    elif opcode == BBANDS:
        _bbands(n, c, own, out, p[1])
    elif opcode == MACD:
        _macd(n, c, own, out, p)
    elif opcode == ATR:
        if n > 1:
            own[1] = wilder_next(own[1], max(high, own[0]) - min(low, own[0]), n - 1, p[1])
        own[0] = c
        if n > p[1]:
            out[0] = own[1] / c
    elif opcode == LEVELS:
        _levels(n, high, low, own, p[1])
    elif opcode == BAR:
        if n > 1:
            out[0] = c / own[0] - 1.0
        own[0], own[1], own[2] = c, high, low


@inlined_kernel
def _rsi(n: int, c: float, own: FloatArray, out: FloatArray, window: int) -> None:
    change = c - own[0]
    own[0] = c
    if n < 2:
        return
    own[1] = wilder_next(own[1], max(change, 0.0), n - 1, window)
    own[2] = wilder_next(own[2], max(-change, 0.0), n - 1, window)
    if n > window:
        out[0] = 100.0 * (own[1] / (own[1] + own[2])) if own[1] + own[2] > 0.0 else 50.0


@inlined_kernel
def _trend(n: int, c: float, own: FloatArray, out: FloatArray, p: IntArray) -> None:
    fast, slow = p[1], p[2]
    last = own[0]
    own[0] = ema_next(own[0], c, n, fast)
    own[1] = ema_next(own[1], c, n, slow)
    if n > fast:
        out[1] = own[0] / last - 1.0
    if n >= max(fast, slow):
        spread = own[0] / own[1] - 1.0
        out[0] = 0.0 if abs(spread) < ROUNDING else math.copysign(1.0, spread)


@inlined_kernel
def _bbands(n: int, c: float, own: FloatArray, out: FloatArray, window: int) -> None:
    own[n % window] = c
    if n < window:
        return
    mean = ring_mean(own, 0, window)
    squares = 0.0
    is_flat = True
    for j in range(window):
        squares += (own[j] - mean) * (own[j] - mean)
        is_flat = is_flat and own[j] == c
    out[0] = 0.5 if is_flat else 0.5 + 0.25 * (c - mean) / math.sqrt(squares / window)


@inlined_kernel
def _macd(n: int, c: float, own: FloatArray, out: FloatArray, p: IntArray) -> None:
    fast, slow, signal = p[1], p[2], p[3]
    own[0] = ema_next(own[0], c, n - slow + fast, fast)  # its seed ends with the slow one
    own[1] = ema_next(own[1], c, n, slow)
    if n < slow:
        return
    line = own[0] - own[1]
    own[2] = ema_next(own[2], line, n - slow + 1, signal)
    if n >= slow + signal - 1:
        out[0] = (line - own[2]) / c


@inlined_kernel
def _levels(n: int, high: float, low: float, own: FloatArray, window: int) -> None:
    """Advance the rings of highs and lows, and their extremes."""
    own[2 + n % window], own[2 + window + n % window] = high, low
    if n < window:
        return
    own[0], own[1] = high, low
    for j in range(2, 2 + window):
        own[0] = max(own[0], own[j])
        own[1] = min(own[1], own[j + window])


@inlined_kernel
def _write_levels(c: float, s: FloatArray, out: FloatArray, window: int) -> None:
    if s[N_CLOSED] >= window:
        out[0] = s[BAR_SLOTS] / c - 1.0
        out[1] = s[BAR_SLOTS + 1] / c - 1.0


@inlined_kernel
def _write_position(c: float, s: FloatArray, out: FloatArray) -> None:
    if s[N_CLOSED] > 0.0:
        high, low = s[BAR_SLOTS + 1], s[BAR_SLOTS + 2]
        out[1] = (c - low) / (high - low) if high > low else 0.5
