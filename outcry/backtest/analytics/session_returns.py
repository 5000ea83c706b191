"""The equity curve by session: what every annualised ratio rests on."""

import numpy as np

from outcry.market.frame import FloatArray, IntArray

DAY_NS = 86_400_000_000_000


def session_rows(ts_close_ns: IntArray) -> IntArray:
    """Return the last row of every session, int64 (n_sessions,).

    A session is a UTC day, a bar that closes at midnight belonging to the day it ends. The trading day of the American
    exchanges lies within one UTC day, extended hours up to 19:00 New York included.
    """
    return _last_rows((ts_close_ns - 1) // DAY_NS)


def month_rows(ts_close_ns: IntArray) -> IntArray:
    """Return the last row of every month in UTC, int64 (n_months,)."""
    return _last_rows(months_since_1970(ts_close_ns))


def quarter_rows(ts_close_ns: IntArray) -> IntArray:
    """Return the last row of every calendar quarter in UTC, int64 (n_quarters,)."""
    return _last_rows(months_since_1970(ts_close_ns) // 3)


def months_since_1970(ts_close_ns: IntArray) -> IntArray:
    """Return the month of every frame, int64 (n,); a bar that closes at midnight belongs to the day it ends."""
    return (ts_close_ns - 1).astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)


def session_returns(ts_close_ns: IntArray, equity: FloatArray, initial_cash: float) -> FloatArray:
    """Return simple returns from session end to session end, float64 (n_sessions,); see `returns_between`."""
    return returns_between(session_rows(ts_close_ns), equity, initial_cash)


def returns_between(rows: IntArray, equity: FloatArray, initial_cash: float) -> FloatArray:
    """Return simple returns from each of these rows to the next, float64 (n_rows,); the first one from `initial_cash`.

    Raises nothing for a ruined account: returns after equity has reached zero are 0.
    """
    marks = np.concatenate(([initial_cash], equity[rows]))
    before = marks[:-1]
    return np.divide(np.diff(marks), before, out=np.zeros(len(before)), where=before > 0)


def sessions_per_year(ts_close_ns: IntArray, bars_per_year: float) -> float:
    """Return `bars_per_year` over the median number of frames in a session: 252 for any bar size of US equities."""
    frames_per_session = np.diff(session_rows(ts_close_ns), prepend=-1)
    return bars_per_year / float(np.median(frames_per_session))


def _last_rows(period: IntArray) -> IntArray:
    return np.append(np.flatnonzero(np.diff(period)), len(period) - 1).astype(np.int64)
