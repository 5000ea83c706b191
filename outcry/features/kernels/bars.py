"""The last bars of a symbol, and the terms every family reads.

A row of the history is contiguous: ``x[end]`` is the newest value, ``x[end - j]`` that of j bars ago. There is room for
`SLACK_BARS` bars beyond the lookback; where it is used up, the lookback moves to the front. CLOSE is always written,
the other rows where an indicator of the set reads them.

=================  ========================================================  ========
row                meaning                                                   unit
=================  ========================================================  ========
OPEN .. CLOSE      prices                                                    price
VOLUME, VWAP       of the bar                                                shares, price
TYPICAL            (high + low + close)/3                                    price
TRUE_RANGE         max(high, close[1]) - min(low, close[1]); high - low      price
                   on the first bar
LOG_RETURN         ln(close/close[1]); 0 on the first bar                    ratio
OVERNIGHT          ln(open/close[1]); 0 on the first bar                     ratio
INTRADAY           ln(close/open)                                            ratio
INTRADAY_SQ        its square                                                ratio
RANGE_SQ           ln(high/low)^2                                            ratio
SATCHELL           ln(h/c) ln(h/o) + ln(l/c) ln(l/o)                         ratio
MONEY_FLOW         volume (2c - h - l)/(h - l); 0 where h = l                shares
ILLIQUIDITY        1e6 abs(log return)/(close volume); 0 without volume      1/currency
LOG_CLOSE          ln(close)                                                 ratio
BID, ASK           best prices at the close of the bar; NaN without quotes   price
BID_SIZE, ASK_SIZE what they are good for; NaN without quotes                shares
TRADES             number of trades in the bar; NaN where not known          1
BUY_VOLUME         volume of trades that buyers began; NaN where not known   shares
=================  ========================================================  ========
"""

import math

import numpy as np

from outcry.compiled import inlined_kernel
from outcry.features.kernels.prefetch import LINE_VALUES
from outcry.market.frame import BoolArray, FloatArray, IntArray

BAR_ROWS = OPEN, HIGH, LOW, CLOSE, VOLUME, VWAP = tuple(range(6))
TYPICAL, TRUE_RANGE, LOG_RETURN, OVERNIGHT, INTRADAY, INTRADAY_SQ, RANGE_SQ, SATCHELL, MONEY_FLOW, ILLIQUIDITY = range(
    6, 16
)
LOG_CLOSE, BID, ASK, BID_SIZE, ASK_SIZE, TRADES, BUY_VOLUME = range(16, 23)
HISTORY_ROWS = 23
SLACK_BARS = 512
"""The most bars one call may push."""
_BLOCK_FRAMES = 32

_FIELDS = ", ".join(["Array(f8, 2, 'C', True)"] * 6)  # they may be read-only
_PRESENT = "Array(b1, 2, 'C', True)"
PUSH_SIGNATURE = (
    f"void(i8[::1], i8[::1], f8[:,:,::1], {_FIELDS}, Array(f8, 3, 'C', True), {_PRESENT}, b1[::1], i8, i8, i8, i8[::1])"
)
CHECK_SIGNATURE = "i8(" + "Array(f8, 1, 'C', True), " * 6 + "Array(b1, 1, 'C', True))"
_CHECKED_TOGETHER = 1024


def push_bars(
    counts: IntArray,
    ends: IntArray,
    history: FloatArray,
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    volume: FloatArray,
    vwap: FloatArray,
    tape: FloatArray,
    present: BoolArray,
    rows: BoolArray,
    lookback_bars: int,
    first_symbol: int,
    stop_symbol: int,
    n_pushed: IntArray,
) -> None:
    """Write the bars of some frames behind the history of each symbol.

    Parameters
    ----------
    counts : int64 (n_symbols,)
        Bars that a symbol had before.
    ends : int64 (n_symbols,)
        Where its newest bar stands; changes only where the lookback moves to the front.
    history : float64 (n_symbols, n_rows, lookback_bars + SLACK_BARS)
    open_ .. vwap : float64 (n_frames, n_symbols)
        n_frames at most `SLACK_BARS`.
    tape : float64 (n_frames, n_symbols, 6) or empty
        BID to BUY_VOLUME.
    present : bool (n_frames, n_symbols)
    rows : bool (HISTORY_ROWS,)
        Which rows are written: CLOSE alone, or the first six and any others.
    n_pushed : int64 (n_symbols,)
        Receives the number of bars of each symbol.
    """
    n_frames = len(present)
    derives, has_tape = False, False
    for row in range(TYPICAL, HISTORY_ROWS):
        derives |= rows[row] and row < BID
        has_tape |= rows[row] and row >= BID
    for i in range(first_symbol, stop_symbol):
        n_pushed[i] = 0
        if ends[i] + n_frames >= history.shape[2]:
            start = ends[i] + 1 - lookback_bars
            for row in range(history.shape[1]):
                for j in range(lookback_bars):
                    history[i, row, j] = history[i, row, start + j]
            ends[i] = lookback_bars - 1
    for i_from in range(first_symbol, stop_symbol, LINE_VALUES):  # read together, a line is fetched once
        for first in range(0, n_frames, _BLOCK_FRAMES):
            block = slice(first, min(first + _BLOCK_FRAMES, n_frames))
            for i in range(i_from, min(i_from + LINE_VALUES, stop_symbol)):
                x, has_bar, next_ = history[i], present[block, i], ends[i] + n_pushed[i] + 1
                n = _push(close[block, i], has_bar, x[CLOSE, next_:])
                if rows[OPEN]:
                    _push(open_[block, i], has_bar, x[OPEN, next_:])
                    _push(high[block, i], has_bar, x[HIGH, next_:])
                    _push(low[block, i], has_bar, x[LOW, next_:])
                    _push(volume[block, i], has_bar, x[VOLUME, next_:])
                    _push(vwap[block, i], has_bar, x[VWAP, next_:])
                if derives:
                    for j in range(n):
                        _derive(x, counts[i] + n_pushed[i] + 1 + j, next_ + j, rows)
                if has_tape:
                    for row in range(BID, HISTORY_ROWS):
                        if rows[row] and len(tape) > 0:
                            _push(tape[block, i, row - BID], has_bar, x[row, next_:])
                        elif rows[row]:
                            x[row, next_ : next_ + n] = math.nan
                n_pushed[i] += n


@inlined_kernel
def _push(values: FloatArray, has_bar: BoolArray, target: FloatArray) -> int:
    """Write the values of those frames that have a bar, and return how many; one more place may be overwritten."""
    n = 0
    for m in range(len(values)):
        target[np.uintp(n)] = values[m]
        n += has_bar[m]
    return n


@inlined_kernel
def _derive(x: FloatArray, k: int, end: int, rows: BoolArray) -> None:
    """Write what is derived of the k-th bar (from 1) of a symbol, which stands at `end`."""
    o, h, l, c, v = x[OPEN, end], x[HIGH, end], x[LOW, end], x[CLOSE, end], x[VOLUME, end]  # noqa: E741 - the low, as in the formulas
    last = x[CLOSE, end - 1] if k > 1 else c
    if rows[TYPICAL]:
        x[TYPICAL, end] = (h + l + c) / 3.0
    if rows[TRUE_RANGE]:
        x[TRUE_RANGE, end] = max(h, last) - min(l, last) if k > 1 else h - l
    if rows[LOG_RETURN] or rows[ILLIQUIDITY]:
        log_return = math.log(c / last) if k > 1 else 0.0
        if rows[LOG_RETURN]:
            x[LOG_RETURN, end] = log_return
        if rows[ILLIQUIDITY]:
            x[ILLIQUIDITY, end] = 1e6 * abs(log_return) / (c * v) if v > 0.0 else 0.0
    if rows[OVERNIGHT]:
        x[OVERNIGHT, end] = math.log(o / last) if k > 1 else 0.0
    if rows[INTRADAY] or rows[INTRADAY_SQ]:
        intraday = math.log(c / o)
        if rows[INTRADAY]:
            x[INTRADAY, end] = intraday
        if rows[INTRADAY_SQ]:
            x[INTRADAY_SQ, end] = intraday * intraday
    if rows[RANGE_SQ]:
        high_low = math.log(h / l)
        x[RANGE_SQ, end] = high_low * high_low
    if rows[SATCHELL]:
        x[SATCHELL, end] = math.log(h / c) * math.log(h / o) + math.log(l / c) * math.log(l / o)
    if rows[MONEY_FLOW]:
        x[MONEY_FLOW, end] = v * ((c - l) - (h - c)) / (h - l) if h > l else 0.0
    if rows[LOG_CLOSE]:
        x[LOG_CLOSE, end] = math.log(c)


def find_wrong_bar(
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    volume: FloatArray,
    vwap: FloatArray,
    present: BoolArray,
) -> int:
    """Return where the first impossible bar stands, of arrays (n_bars,); -1 where there is none.

    Prices must be finite and positive, low at most high, volume finite and at least 0. A comparison with NaN fails.
    """
    for start in range(0, len(present), _CHECKED_TOGETHER):
        part = slice(start, min(start + _CHECKED_TOGETHER, len(present)))
        o, h, l, c, v, w = open_[part], high[part], low[part], close[part], volume[part], vwap[part]  # noqa: E741 - the low, as in the formulas
        has_bar = present[part]
        is_wrong = False
        for j in range(len(has_bar)):  # without branches, so that it is done for several bars at once
            is_wrong |= has_bar[j] & (not _is_possible(o[j], h[j], l[j], c[j], v[j], w[j]))
        if is_wrong:
            for j in range(len(has_bar)):
                if has_bar[j] and not _is_possible(o[j], h[j], l[j], c[j], v[j], w[j]):
                    return start + j
    return -1


@inlined_kernel
def _is_possible(o: float, h: float, l: float, c: float, v: float, w: float) -> bool:  # noqa: E741 - as above
    is_positive = (o > 0.0) & (l > 0.0) & (c > 0.0) & (w > 0.0) & (v >= 0.0)
    return is_positive & (l <= h) & (o < math.inf) & (h < math.inf) & (c < math.inf) & (w < math.inf) & (v < math.inf)
