"""Where bars lie in the sessions of a calendar, and when they close."""

from dataclasses import dataclass

import numpy as np

from outcry.market.bar_size import DAY_NS
from outcry.market.calendar import TradingCalendar
from outcry.market.frame import BoolArray, IntArray
from outcry.market.sessions import Sessions


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Say, a bar, which session it belongs to.

    Attributes
    ----------
    sessions : Sessions
        All sessions of the bars.
    session : int64 (n_bars,)
        Row in `sessions`; of a bar outside every session, the next one.
    is_inside : bool (n_bars,)
        The bar covers a part of its session.
    ts_close_ns : int64 (n_bars,)
        The instant everything in the bar is known, nanoseconds UTC.
    """

    sessions: Sessions
    session: IntArray
    is_inside: BoolArray
    ts_close_ns: IntArray


def place_bars(ts_ns: IntArray, bar_ns: int, calendar: TradingCalendar, *, clips: bool = True) -> Placement:
    """Place bars in the sessions of a calendar.

    Parameters
    ----------
    ts_ns : int64 (n_bars,)
        Opens, nanoseconds UTC; at least one, in any order.
    bar_ns : int
        Length of a bar; one day means daily bars.
    calendar : TradingCalendar
    clips : bool
        An intraday bar that reaches past the close of its session ends with it. False where bars outside the session
        are kept, as such a bar then holds trades after the close.

    Notes
    -----
    An intraday bar is inside a session where [ts, ts + bar) and the session overlap: a bar labelled by the clock hour
    09:00 belongs to a session from 09:30, and a minute that ends with the opening auction at 09:30 does not.
    A daily bar closes with its session. It is stamped with an instant between the midnight (or open) of its session
    and the close, or with 00:00 UTC, which is read as the date of the session.
    """
    sessions = calendar.sessions(int(ts_ns.min()), int(ts_ns.max()) + bar_ns)
    if bar_ns == DAY_NS:
        session, is_inside = _place_daily(ts_ns, calendar, sessions)
    else:
        session = np.searchsorted(sessions.close_ns, ts_ns, side="right").astype(np.int64)
        is_inside = ts_ns + bar_ns > sessions.open_ns[session]
    end_ns = ts_ns + bar_ns
    if bar_ns == DAY_NS:
        end_ns = np.where(is_inside, sessions.close_ns[session], end_ns)
    elif clips:
        end_ns = np.where(is_inside, np.minimum(end_ns, sessions.close_ns[session]), end_ns)
    return Placement(sessions, session, is_inside, end_ns)


def _place_daily(ts_ns: IntArray, calendar: TradingCalendar, sessions: Sessions) -> tuple[IntArray, BoolArray]:
    instants, back = np.unique(ts_ns, return_inverse=True)
    start_ns = np.minimum(sessions.open_ns, sessions.midnight_ns)
    is_date = instants % DAY_NS == 0
    probe_ns = instants.copy()
    for row in np.flatnonzero(is_date):
        day = instants[row].astype("datetime64[ns]").astype("datetime64[D]").item()
        probe_ns[row] = calendar.midnight_ns(day)
    session = np.where(
        is_date,
        np.searchsorted(sessions.midnight_ns, probe_ns, side="left"),
        np.searchsorted(sessions.close_ns, probe_ns, side="right"),
    )
    session = np.minimum(session, len(sessions) - 1).astype(np.int64)
    is_inside = np.where(is_date, sessions.midnight_ns[session] == probe_ns, start_ns[session] <= probe_ns)
    return session[back], is_inside[back]
