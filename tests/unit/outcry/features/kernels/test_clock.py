"""The clock: exchange dates, the ends of months, quarters and options, and the hours around a session."""

import exchange_calendars
import numpy as np
import pandas as pd
import pytest

from outcry.compiled import compile_entry_point
from outcry.features.kernels.clock import (
    CLOCK_SIGNATURE,
    CLOCK_SLOTS,
    ENDS_WEEK,
    IS_OPEN,
    MONTH,
    MONTH_DAY,
    OF_DAY,
    PHASE,
    PHASE_AFTER_HOURS,
    PHASE_CLOSED,
    PHASE_OPEN,
    PHASE_PREMARKET,
    SESSION,
    TO_EXPIRY,
    TO_MONTH_END,
    TO_QUARTER_END,
    WEEK,
    read_clocks,
    session_rows,
)
from outcry.market.calendar import TradingCalendar
from outcry.market.sessions import Sessions

MINUTE_NS = 60_000_000_000
CALENDARS = ("XNYS", "XTKS", "XASX", "XNZE", "CMES", "24/7")


def ns(text: str, zone: str = "UTC") -> int:
    return int(pd.Timestamp(text, tz=zone).value)


def sessions_of(name: str, start: str = "2018-11-20", end: str = "2020-01-05") -> Sessions:
    return TradingCalendar(name).sessions(ns(start), ns(end))


def dates_of(name: str, start: str = "2018-10-01", end: str = "2020-06-30") -> pd.DatetimeIndex:
    """Every session from before to half a year after those of `sessions_of`."""
    if name == "24/7":
        return pd.date_range(start, end)
    return exchange_calendars.get_calendar(name, start=start, end=end).sessions


@pytest.fixture(scope="module", params=CALENDARS)
def market(request: pytest.FixtureRequest) -> tuple[Sessions, pd.DatetimeIndex, int]:
    """Sessions, all dates of the exchange, and where the first session stands among them."""
    sessions = sessions_of(request.param)
    zone = "UTC" if request.param == "24/7" else str(exchange_calendars.get_calendar(request.param).tz)
    first = pd.Timestamp(sessions.midnight_ns[0], tz="UTC").tz_convert(zone).tz_localize(None).normalize()
    dates = dates_of(request.param)
    return sessions, dates, int(dates.get_loc(first))


def test_dates_are_those_of_the_exchange(market: tuple[Sessions, pd.DatetimeIndex, int]) -> None:
    sessions, dates, first = market
    mine = dates[first : first + len(sessions)]
    rows = session_rows(sessions)
    np.testing.assert_array_equal(rows[MONTH], mine.month)
    np.testing.assert_array_equal(rows[MONTH_DAY], mine.day)
    mondays = mine - pd.to_timedelta(mine.day_of_week, unit="D")
    np.testing.assert_array_equal(np.diff(rows[WEEK]), np.diff(mondays).astype("timedelta64[D]").astype(int) // 7)


@pytest.mark.parametrize(("row", "period"), [(TO_MONTH_END, "M"), (TO_QUARTER_END, "Q")])
def test_sessions_to_the_end_of_a_period_are_counted(
    market: tuple[Sessions, pd.DatetimeIndex, int], row: int, period: str
) -> None:
    sessions, dates, first = market
    left = dates.to_series().groupby(dates.to_period(period)).cumcount(ascending=False).to_numpy()
    known = dates[first : first + len(sessions)] <= pd.Timestamp("2019-12-31")  # the first days of 2020 look beyond
    np.testing.assert_array_equal(session_rows(sessions)[row][known], left[first : first + len(sessions)][known])


def test_the_week_ends_with_its_last_session(market: tuple[Sessions, pd.DatetimeIndex, int]) -> None:
    sessions, dates, first = market
    left = dates.to_series().groupby(dates.to_period("W-SUN")).cumcount(ascending=False).to_numpy()
    np.testing.assert_array_equal(session_rows(sessions)[ENDS_WEEK], left[first : first + len(sessions)] == 0)


def test_options_expire_on_the_third_friday_or_the_session_before_it(
    market: tuple[Sessions, pd.DatetimeIndex, int],
) -> None:
    sessions, dates, first = market
    expiries = [dates[dates <= friday][-1] for friday in pd.date_range("2018-11-01", "2020-06-30", freq="WOM-3FRI")]
    steps = []
    for at in range(first, first + len(sessions)):
        steps.append(next(dates.get_loc(day) for day in expiries if day >= dates[at]) - at)
    wrong = np.flatnonzero(session_rows(sessions)[TO_EXPIRY] != steps)
    last_known = np.flatnonzero(dates[first : first + len(sessions)] <= pd.Timestamp("2019-12-20"))[-1]
    assert (wrong > last_known).all()  # holidays of 2020 are not known


def test_good_friday_moves_the_expiry_to_thursday() -> None:
    rows = session_rows(sessions_of("XNYS"))
    april = np.flatnonzero((rows[MONTH] == 4) & (rows[TO_EXPIRY] == 0))
    assert rows[MONTH_DAY, april].tolist() == [18]


def test_days_beyond_the_last_session_are_weekdays_unless_a_session_is_on_a_weekend() -> None:
    exchange = session_rows(sessions_of("XNYS", "2019-06-03", "2019-06-05"))
    assert exchange[TO_MONTH_END].tolist()[:1] == [len(pd.bdate_range("2019-06-04", "2019-06-30"))]
    around_the_clock = session_rows(sessions_of("24/7", "2019-06-01T12:00", "2019-06-05"))
    assert around_the_clock[TO_MONTH_END].tolist()[:1] == [29]


@pytest.mark.parametrize(
    ("time", "phase", "of_day"),
    [
        ("2019-07-05 03:00", PHASE_CLOSED, 180),
        ("2019-07-05 04:00", PHASE_CLOSED, 240),
        ("2019-07-05 04:01", PHASE_PREMARKET, 241),
        ("2019-07-05 09:30", PHASE_PREMARKET, 570),
        ("2019-07-05 09:31", PHASE_OPEN, 571),
        ("2019-07-05 16:00", PHASE_OPEN, 960),
        ("2019-07-05 16:01", PHASE_AFTER_HOURS, 961),
        ("2019-07-06 00:00", PHASE_AFTER_HOURS, 0),
        ("2019-07-06 12:00", PHASE_CLOSED, 720),
        ("2019-07-03 13:00", PHASE_OPEN, 780),
        ("2019-07-03 13:05", PHASE_AFTER_HOURS, 785),  # a half day
        ("2019-07-04 12:00", PHASE_CLOSED, 720),
    ],
)
def test_the_hours_around_a_session_are_those_of_its_date(time: str, phase: int, of_day: float) -> None:
    clock = _read(sessions_of("XNYS"), ns(time, "America/New_York"))
    assert (clock[PHASE], clock[OF_DAY], clock[IS_OPEN]) == (phase, of_day, phase == PHASE_OPEN)


def test_a_session_has_the_same_name_wherever_the_sessions_begin() -> None:
    at = ns("2019-07-05 12:00", "America/New_York")
    long, short = sessions_of("XNYS"), sessions_of("XNYS", "2019-07-05")
    assert _read(long, at)[SESSION] == _read(short, at)[SESSION] == short.open_ns[0] / MINUTE_NS


def _read(sessions: Sessions, ts_close_ns: int) -> np.ndarray:
    clock = np.empty((1, CLOCK_SLOTS))
    read = compile_entry_point(read_clocks, CLOCK_SIGNATURE)
    read(np.array([ts_close_ns]), session_rows(sessions), 252.0, clock)
    return clock[0]
