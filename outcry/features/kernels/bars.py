"""The last bars of a symbol, and the terms every family reads.

A row of the history is contiguous: ``x[end]`` is the newest value, ``x[end - j]`` that of j bars ago. There is room for
`SLACK_BARS` bars beyond the lookback; where it is used up, the lookback moves to the front.

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

from outcry.compiled import inlined_kernel
from outcry.market.frame import BoolArray, FloatArray, IntArray

OPEN, HIGH, LOW, CLOSE, VOLUME, VWAP = range(6)
TYPICAL, TRUE_RANGE, LOG_RETURN, OVERNIGHT, INTRADAY, INTRADAY_SQ, RANGE_SQ, SATCHELL, MONEY_FLOW, ILLIQUIDITY = range(
    6, 16
)
LOG_CLOSE, BID, ASK, BID_SIZE, ASK_SIZE, TRADES, BUY_VOLUME = range(16, 23)
HISTORY_ROWS = 23
N_BAR_FIELDS = 12
SLACK_BARS = 512
"""The most bars one call may push."""

PUSH_SIGNATURE = "void(i8[::1], i8[::1], f8[:,:,::1], f8[:,:,::1], b1[:,::1], i8, i8, i8)"


def push_bars(
    counts: IntArray,
    ends: IntArray,
    history: FloatArray,
    bars: FloatArray,
    present: BoolArray,
    lookback_bars: int,
    first_symbol: int,
    stop_symbol: int,
) -> None:
    """Write the bars of some frames behind the history of each symbol.

    Parameters
    ----------
    counts : int64 (n_symbols,)
        Bars that a symbol had before.
    ends : int64 (n_symbols,)
        Where its newest bar stands; changes only where the lookback moves to the front.
    history : float64 (n_symbols, HISTORY_ROWS, lookback_bars + SLACK_BARS)
    bars : float64 (n_frames, n_symbols, N_BAR_FIELDS)
        open, high, low, close, volume, vwap, then BID to BUY_VOLUME; n_frames at most `SLACK_BARS`.
    present : bool (n_frames, n_symbols)
    """
    n_frames = len(present)
    for i in range(first_symbol, stop_symbol):
        if ends[i] + n_frames >= history.shape[2]:
            start = ends[i] + 1 - lookback_bars
            for row in range(HISTORY_ROWS):
                for j in range(lookback_bars):
                    history[i, row, j] = history[i, row, start + j]
            ends[i] = lookback_bars - 1
        k, end = counts[i], ends[i]
        for t in range(n_frames):
            if present[t, i]:
                k += 1
                end += 1
                _push_bar(history[i], k, end, bars[t, i])


@inlined_kernel
def _push_bar(x: FloatArray, k: int, end: int, bar: FloatArray) -> None:
    """Write the k-th bar (from 1) of a symbol at `end`."""
    o, h, l, c, v, vwap = bar[0], bar[1], bar[2], bar[3], bar[4], bar[5]  # noqa: E741 - l is the low, as in the formulas
    last = x[CLOSE, end - 1] if k > 1 else c
    log_return = math.log(c / last) if k > 1 else 0.0
    intraday = math.log(c / o)
    high_low = math.log(h / l)
    x[OPEN, end] = o
    x[HIGH, end] = h
    x[LOW, end] = l
    x[CLOSE, end] = c
    x[VOLUME, end] = v
    x[VWAP, end] = vwap
    x[TYPICAL, end] = (h + l + c) / 3.0
    x[TRUE_RANGE, end] = max(h, last) - min(l, last) if k > 1 else h - l
    x[LOG_RETURN, end] = log_return
    x[OVERNIGHT, end] = math.log(o / last) if k > 1 else 0.0
    x[INTRADAY, end] = intraday
    x[INTRADAY_SQ, end] = intraday * intraday
    x[RANGE_SQ, end] = high_low * high_low
    x[SATCHELL, end] = math.log(h / c) * math.log(h / o) + math.log(l / c) * math.log(l / o)
    x[MONEY_FLOW, end] = v * ((c - l) - (h - c)) / (h - l) if h > l else 0.0
    x[ILLIQUIDITY, end] = 1e6 * abs(log_return) / (c * v) if v > 0.0 else 0.0
    x[LOG_CLOSE, end] = math.log(c)
    for j in range(6):
        x[BID + j, end] = bar[6 + j]
