"""Where a frame stands in its session, and the session in the calendar: the terms that all symbols share.

Rows of the sessions matrix (int64)

===================  ===================================================================================  =========
row                  meaning                                                                              unit
===================  ===================================================================================  =========
OPEN_NS, CLOSE_NS    of the session                                                                       ns UTC
MIDNIGHT_NS          00:00 exchange time of its date                                                      ns UTC
WEEKDAY              of its date; Monday is 0                                                             1
IS_SHORT             it is shorter than the longest                                                       flag
MONTH, MONTH_DAY     of its date, from 1                                                                  1
WEEK                 calendar week of its date, from Monday; counted from 1970                            weeks
ENDS_WEEK            no later session is in this week                                                     flag
TO_MONTH_END         sessions after it in its month                                                       sessions
TO_QUARTER_END       sessions after it in its quarter                                                     sessions
TO_EXPIRY            sessions to the monthly expiry of options: the third Friday, or the last session     sessions
                     before it where the exchange is closed that day
===================  ===================================================================================  =========

Row of the clock (float64)

=======================  =================================================================  ========
slot                     meaning                                                            unit
=======================  =================================================================  ========
SESSION                  names the session: minutes from 1970 to its open                   minutes
IS_OPEN                  the bar closes in (open, close]                                    flag
SINCE_OPEN               minutes since the open, within the session                         minutes
TO_CLOSE                 minutes to the close, within the session                           minutes
OF_DAY                   time of the day, exchange time                                     minutes
PHASE                    one of PHASE_CLOSED to PHASE_AFTER_HOURS                          1
WEEK .. TO_EXPIRY        as the rows, prefixed AT_                                          there
BARS_PER_YEAR            annualises volatility                                              1/year
the rest                 as the columns of the same name                                    see there
=======================  =================================================================  ========
"""

import math

import numpy as np

from outcry.compiled import kernel
from outcry.market.frame import FloatArray, IntArray
from outcry.market.sessions import Sessions

OPEN_NS, CLOSE_NS, MIDNIGHT_NS, WEEKDAY, IS_SHORT = range(5)
MONTH, MONTH_DAY, WEEK, ENDS_WEEK, TO_MONTH_END, TO_QUARTER_END, TO_EXPIRY = range(5, 12)

SESSION, IS_OPEN, SINCE_OPEN, TO_CLOSE, FRACTION, SHORT, DAY, DAY_SIN, DAY_COS, HOUR, MINUTE, TIME_SIN, TIME_COS = (
    range(13)
)
BARS_PER_YEAR, OF_DAY, PHASE = 13, 14, 15
AT_MONTH, AT_MONTH_DAY, AT_WEEK, AT_ENDS_WEEK, AT_TO_MONTH_END, AT_TO_QUARTER_END, AT_TO_EXPIRY = range(16, 23)
CLOCK_SLOTS = 23
CLOCK_SIGNATURE = "void(i8[::1], i8[:,::1], f8, f8[:,::1])"

PHASE_CLOSED, PHASE_PREMARKET, PHASE_OPEN, PHASE_AFTER_HOURS = range(4)
PREMARKET_FROM_MINUTE = 240
"""Of the day, exchange time: 04:00, when the US exchanges begin to take orders."""

_MINUTE_NS = 60_000_000_000
_DAY_MINUTES = 1440
_DAY_NS = _DAY_MINUTES * _MINUTE_NS
_MONDAY_OFFSET = 3  # 1970-01-01 was a Thursday
_FRIDAY, _SATURDAY = 4, 5


def session_rows(sessions: Sessions) -> IntArray:
    """Return the sessions matrix, int64 (12, n_sessions).

    Notes
    -----
    Beyond the last session given, every day that is no Saturday or Sunday counts as one (every day where a session is
    on a weekend): give sessions to the end of the quarter, and no holiday is missed. Sessions at or after the one of
    a frame are looked at, prices never are: the calendar is published years ahead.
    """
    n_sessions = len(sessions)
    given = _exchange_days(sessions.midnight_ns, sessions.weekday)
    days = np.concatenate([given, _days_beyond(given)])
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    firsts = months.astype("datetime64[D]").astype(np.int64)
    weeks = (days + _MONDAY_OFFSET) // 7
    number = months.astype(np.int64)
    lengths = sessions.close_ns - sessions.open_ns
    rows = (
        sessions.open_ns,
        sessions.close_ns,
        sessions.midnight_ns,
        sessions.weekday,
        lengths < lengths.max(),
        number % 12 + 1,
        days - firsts + 1,
        weeks,
        np.append(weeks[1:] != weeks[:-1], True),
        _after_it_in_the_same(number),
        _after_it_in_the_same(number // 3),
        _to_expiry(days, months),
    )
    return np.array([row[:n_sessions] for row in rows], dtype=np.int64)


def read_clocks(ts_close_ns: IntArray, sessions: IntArray, bars_per_year: float, clock: FloatArray) -> None:
    """Write the clock of every frame; each must close in a session or after one."""
    for t in range(len(ts_close_ns)):
        _read_clock(ts_close_ns[t], sessions, clock[t])
        clock[t, BARS_PER_YEAR] = bars_per_year


def _exchange_days(midnight_ns: IntArray, weekday: IntArray) -> IntArray:
    """Return the dates, in days from 1970: exchange midnight is on the date in UTC, or on the one before."""
    day = midnight_ns // _DAY_NS
    nearest = (midnight_ns + _DAY_NS // 2) // _DAY_NS
    later = np.where((day + 1 + _MONDAY_OFFSET) % 7 == weekday, day + 1, nearest)
    return np.where((day + _MONDAY_OFFSET) % 7 == weekday, day, later).astype(np.int64)


def _days_beyond(days: IntArray) -> IntArray:
    """Return the likely sessions from the last one to the end of the quarter after it."""
    month = int(days[-1:].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)[0])
    end = np.array([month // 3 * 3 + 6]).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)[0]
    beyond = np.arange(days[-1] + 1, end, dtype=np.int64)
    if np.any((days + _MONDAY_OFFSET) % 7 >= _SATURDAY):
        return beyond
    return beyond[(beyond + _MONDAY_OFFSET) % 7 < _SATURDAY]


def _after_it_in_the_same(period: IntArray) -> IntArray:
    return np.searchsorted(period, period, side="right") - 1 - np.arange(len(period))


def _to_expiry(days: IntArray, months: IntArray) -> IntArray:
    here = np.arange(len(days))
    at = np.searchsorted(days, _third_friday(months), side="right") - 1
    next_at = np.searchsorted(days, _third_friday(months + 1), side="right") - 1
    return np.where(at >= here, at, next_at) - here


def _third_friday(months: IntArray) -> IntArray:
    first = months.astype("datetime64[D]").astype(np.int64)
    return first + (_FRIDAY - (first + _MONDAY_OFFSET)) % 7 + 14


@kernel
def _read_clock(ts_close_ns: int, sessions: IntArray, clock: FloatArray) -> None:
    at = _locate(sessions[CLOSE_NS], ts_close_ns)
    open_ns, close_ns = sessions[OPEN_NS, at], sessions[CLOSE_NS, at]
    length = (close_ns - open_ns) / _MINUTE_NS
    since_open = max(ts_close_ns - open_ns, 0) / _MINUTE_NS
    weekday = sessions[WEEKDAY, at]
    since_midnight_ns = ts_close_ns - sessions[MIDNIGHT_NS, at]
    minute = since_midnight_ns // _MINUTE_NS
    clock[SESSION] = open_ns / _MINUTE_NS
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
    clock[OF_DAY] = since_midnight_ns % _DAY_NS / _MINUTE_NS
    clock[PHASE] = _phase(ts_close_ns, sessions, at)
    for j in range(MONTH, TO_EXPIRY + 1):
        clock[AT_MONTH + j - MONTH] = sessions[j, at]


@kernel
def _phase(ts_close_ns: int, sessions: IntArray, at: int) -> int:
    """Return what the exchange does until this instant; extended hours are those of the date of a session."""
    if ts_close_ns > sessions[OPEN_NS, at]:
        return PHASE_OPEN
    if ts_close_ns > sessions[MIDNIGHT_NS, at] + PREMARKET_FROM_MINUTE * _MINUTE_NS:
        return PHASE_PREMARKET
    if at > 0 and ts_close_ns <= sessions[MIDNIGHT_NS, at - 1] + _DAY_NS:
        return PHASE_AFTER_HOURS
    return PHASE_CLOSED


@kernel
def _locate(close_ns: IntArray, ts_close_ns: int) -> int:
    """Return the first session that closes at this instant or later."""
    low, high = 0, len(close_ns)
    while low < high:
        middle = (low + high) // 2
        if close_ns[middle] < ts_close_ns:
            low = middle + 1
        else:
            high = middle
    return low
