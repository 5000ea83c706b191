"""The ring of the last bars of a symbol, and the terms every family reads.

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
=================  ========================================================  ========
"""

import math

from outcry.features.kernels.compile import kernel
from outcry.features.kernels.window import RING_BARS
from outcry.market.frame import FloatArray

OPEN, HIGH, LOW, CLOSE, VOLUME, VWAP = range(6)
TYPICAL, TRUE_RANGE, LOG_RETURN, OVERNIGHT, INTRADAY, INTRADAY_SQ, RANGE_SQ, SATCHELL, MONEY_FLOW, ILLIQUIDITY = range(
    6, 16
)
RING_ROWS = 16


@kernel
def push_bar(ring: FloatArray, k: int, bar: FloatArray) -> int:
    """Write the k-th bar (from 1) of a symbol, and return `end`, where the newest value of every row stands.

    Parameters
    ----------
    ring : float64 (RING_ROWS, 2 RING_BARS)
    bar : float64 (6,)
        open, high, low, close, volume, vwap.
    """
    slot = (k - 1) % RING_BARS
    end = slot + RING_BARS
    o, h, l, c, v, vwap = bar[0], bar[1], bar[2], bar[3], bar[4], bar[5]  # noqa: E741 - l is the low, as in the formulas
    last = ring[CLOSE, end - 1] if k > 1 else c
    log_return = math.log(c / last) if k > 1 else 0.0
    intraday = math.log(c / o)
    high_low = math.log(h / l)
    ring[OPEN, end] = o
    ring[HIGH, end] = h
    ring[LOW, end] = l
    ring[CLOSE, end] = c
    ring[VOLUME, end] = v
    ring[VWAP, end] = vwap
    ring[TYPICAL, end] = (h + l + c) / 3.0
    ring[TRUE_RANGE, end] = max(h, last) - min(l, last) if k > 1 else h - l
    ring[LOG_RETURN, end] = log_return
    ring[OVERNIGHT, end] = math.log(o / last) if k > 1 else 0.0
    ring[INTRADAY, end] = intraday
    ring[INTRADAY_SQ, end] = intraday * intraday
    ring[RANGE_SQ, end] = high_low * high_low
    ring[SATCHELL, end] = math.log(h / c) * math.log(h / o) + math.log(l / c) * math.log(l / o)
    ring[MONEY_FLOW, end] = v * ((c - l) - (h - c)) / (h - l) if h > l else 0.0
    ring[ILLIQUIDITY, end] = 1e6 * abs(log_return) / (c * v) if v > 0.0 else 0.0
    for row in range(RING_ROWS):
        ring[row, slot] = ring[row, end]
    return end
