"""When an exchange trades."""

import datetime as dt
import difflib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.bar_size import DAY_NS, SECOND_NS
from outcry.market.frame import IntArray
from outcry.market.sessions import Sessions

AROUND_THE_CLOCK = "24/7"

_SESSIONS_PER_YEAR = 252
_DAYS_PER_YEAR = 365.25
_MONDAY_OFFSET = 3  # 1970-01-01 was a Thursday
_REFERENCE_YEAR = 2024


@dataclass(frozen=True)
class TradingCalendar:
    """Know the sessions of one exchange.

    Parameters
    ----------
    name : str
        A name or alias of ``exchange_calendars`` (XNYS, NYSE, XLON, CMES, …), or ``24/7``: every UTC day.

    Raises
    ------
    ConfigurationError
        Where no calendar has this name.

    Notes
    -----
    Sessions with a lunch break run from the first open to the last close. ``exchange_calendars`` is imported when an
    exchange is first named, so that ``24/7`` and a calendar received from another process cost nothing to load.
    """

    name: str = "XNYS"

    def __post_init__(self) -> None:
        if self.name == AROUND_THE_CLOCK:
            return
        known = _library().get_calendar_names(include_aliases=True)
        if self.name not in known:
            close = difflib.get_close_matches(self.name.upper(), known, n=3, cutoff=0.5)
            hint = f"; did you mean {', '.join(close)}?" if close else ""
            raise ConfigurationError(
                f"calendar must be a name of exchange_calendars (as XNYS) or 24/7, was {self.name!r}{hint}"
            )

    def sessions(self, start_ns: int, end_ns: int) -> Sessions:
        """Return the sessions that hold or follow the instants of [start_ns, end_ns].

        From the first session that closes at or after `start_ns` to the first that closes at or after `end_ns`, so
        that ``Sessions.locate`` is defined for every instant of the span.

        Parameters
        ----------
        start_ns, end_ns : int
            Nanoseconds UTC, inclusive.
        """
        if end_ns < start_ns:
            raise DataValidationError(f"end_ns must not be before start_ns {start_ns}, was {end_ns}")
        if self.name == AROUND_THE_CLOCK:
            return _utc_days(-(-start_ns // DAY_NS) - 1, -(-end_ns // DAY_NS) - 1)
        years = (
            np.array([start_ns, end_ns], dtype="datetime64[ns]").astype("datetime64[Y]").astype(int) + 1970
        ).tolist()
        whole = _exchange_sessions(self.name, years[0], years[1])
        first, last = np.searchsorted(whole.close_ns, [start_ns, end_ns], side="left")
        part = slice(int(first), int(last) + 1)
        return Sessions(whole.open_ns[part], whole.close_ns[part], whole.midnight_ns[part], whole.weekday[part])

    def midnight_ns(self, day: dt.date) -> int:
        """Return 00:00 exchange time of `day`, nanoseconds UTC."""
        zone = ZoneInfo("UTC" if self.name == AROUND_THE_CLOCK else _zone_key(self.name))
        return int(dt.datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * SECOND_NS

    def bars_per_year(self, bar_ns: int) -> float:
        """Return how many bars of this size a year has: the factor of every annualised figure.

        252 times the bars of a regular session (a last, shorter bar counts); around the clock the bars of 365.25 days.

        Examples
        --------
        >>> TradingCalendar("24/7").bars_per_year(3_600_000_000_000)
        8766.0
        """
        if not 0 < bar_ns <= DAY_NS:
            raise ConfigurationError(f"bar_ns must be in (0, {DAY_NS}] (one day), was {bar_ns}")
        if self.name == AROUND_THE_CLOCK:
            return _DAYS_PER_YEAR * DAY_NS / bar_ns
        return float(_SESSIONS_PER_YEAR * -(-_regular_session_ns(self.name) // bar_ns))


def _library() -> Any:
    import exchange_calendars  # noqa: PLC0415 - a third of a second that a process without an exchange does not pay

    return exchange_calendars


def _utc_days(first_day: int, last_day: int) -> Sessions:
    days = np.arange(first_day, last_day + 1, dtype=np.int64)
    open_ns = days * DAY_NS
    return Sessions(open_ns, open_ns + DAY_NS, open_ns, (days + _MONDAY_OFFSET) % 7)


@lru_cache(maxsize=8)
def _schedule(name: str, first_year: int, last_year: int) -> Any:
    """Return the calendar over these years, with a margin on both sides for sessions that span New Year."""
    try:
        return _library().get_calendar(
            name, start=dt.date(first_year - 1, 12, 1).isoformat(), end=dt.date(last_year + 1, 1, 31).isoformat()
        )
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise DataValidationError(
            f"calendar {name} must cover {first_year} to {last_year}, does not: {reason}"
        ) from error


@lru_cache(maxsize=8)
def _exchange_sessions(name: str, first_year: int, last_year: int) -> Sessions:
    calendar = _schedule(name, first_year, last_year)
    midnights = calendar.sessions.tz_localize(calendar.tz, ambiguous=False, nonexistent="shift_forward")
    return Sessions(
        open_ns=_as_ns(calendar.opens.array),
        close_ns=_as_ns(calendar.closes.array),
        midnight_ns=_as_ns(midnights),
        weekday=np.asarray(calendar.sessions.day_of_week, dtype=np.int64),
    )


@lru_cache(maxsize=8)
def _regular_session_ns(name: str) -> int:
    """Return the usual trading time of a session, lunch breaks left out."""
    schedule = _schedule(name, _REFERENCE_YEAR, _REFERENCE_YEAR).schedule
    open_ns, close_ns = _as_ns(schedule["open"].array), _as_ns(schedule["close"].array)
    has_break = schedule["break_start"].notna().to_numpy()
    pause_ns = np.where(has_break, _as_ns(schedule["break_end"].array) - _as_ns(schedule["break_start"].array), 0)
    return int(np.median(close_ns - open_ns - pause_ns))


@lru_cache(maxsize=8)
def _zone_key(name: str) -> str:
    return str(_schedule(name, _REFERENCE_YEAR, _REFERENCE_YEAR).tz.key)


def _as_ns(times: Any) -> IntArray:
    """Return pandas times with a zone as int64 nanoseconds UTC."""
    return np.asarray(times.tz_convert("UTC").tz_localize(None), dtype="datetime64[ns]").astype(np.int64)
