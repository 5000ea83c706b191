"""Where a frame stands in its session: the terms that all symbols share.

Rows of the sessions matrix (int64): OPEN_NS, CLOSE_NS, MIDNIGHT_NS (UTC nanoseconds), WEEKDAY (Monday is 0), IS_SHORT.

Row of the clock (float64)

===============  =================================================  ========
slot             meaning                                            unit
===============  =================================================  ========
SESSION          position of the session                            1
IS_OPEN          the bar closes in (open, close]                    flag
SINCE_OPEN       minutes since the open, within the session         minutes
TO_CLOSE         minutes to the close, within the session           minutes
the rest         as the columns of the same name                    see there
===============  =================================================  ========
"""

import math

import numpy as np

from outcry.features.kernels.compile import kernel
from outcry.market.frame import FloatArray, IntArray

OPEN_NS, CLOSE_NS, MIDNIGHT_NS, WEEKDAY, IS_SHORT = range(5)
SESSION, IS_OPEN, SINCE_OPEN, TO_CLOSE, FRACTION, SHORT, DAY, DAY_SIN, DAY_COS, HOUR, MINUTE, TIME_SIN, TIME_COS = (
    range(13)
)
CLOCK_SLOTS = 13
_MINUTE_NS = 60_000_000_000


@kernel
def read_clock(ts_close_ns: int, sessions: IntArray, clock: FloatArray) -> None:
    """Write the clock of the bar that closes at this instant, which a session must hold or follow."""
    at = np.searchsorted(sessions[CLOSE_NS], ts_close_ns)
    open_ns, close_ns = sessions[OPEN_NS, at], sessions[CLOSE_NS, at]
    length = (close_ns - open_ns) / _MINUTE_NS
    since_open = max(ts_close_ns - open_ns, 0) / _MINUTE_NS
    weekday = sessions[WEEKDAY, at]
    minute = (ts_close_ns - sessions[MIDNIGHT_NS, at]) // _MINUTE_NS
    clock[SESSION] = at
    clock[IS_OPEN] = 1.0 if ts_close_ns > open_ns else 0.0
    clock[SINCE_OPEN] = since_open
    clock[TO_CLOSE] = length - since_open
    clock[FRACTION] = since_open / length
    clock[SHORT] = sessions[IS_SHORT, at]
    clock[DAY] = weekday
    clock[DAY_SIN] = math.sin(2.0 * math.pi * weekday / 7.0)
    clock[DAY_COS] = math.cos(2.0 * math.pi * weekday / 7.0)
    # A bar after hours is before the midnight of its (next) session: Python's remainder keeps the time of day.
    clock[HOUR] = minute % 1440 // 60
    clock[MINUTE] = minute % 60
    clock[TIME_SIN] = math.sin(2.0 * math.pi * (minute % 1440) / 1440.0)
    clock[TIME_COS] = math.cos(2.0 * math.pi * (minute % 1440) / 1440.0)
