import datetime as dt
import pickle
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.bar_size import DAY_NS, SECOND_NS
from outcry.market.calendar import TradingCalendar
from outcry.market.sessions import Sessions

NEW_YORK = ZoneInfo("America/New_York")
HOUR_NS = 3_600 * SECOND_NS


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def session_of(day: str) -> Sessions:
    start_ns = TradingCalendar("XNYS").midnight_ns(dt.date.fromisoformat(day))
    return TradingCalendar("XNYS").sessions(start_ns + 1, start_ns + 2)


@settings(max_examples=25)
@given(
    st.sampled_from(["XNYS", "XLON", "XHKG", "XTKS", "CMES", "24/5"]),
    st.dates(dt.date(2007, 1, 1), dt.date(2026, 6, 1)),
    st.integers(min_value=0, max_value=400),
)
def test_sessions_are_those_of_exchange_calendars(name: str, first: dt.date, n_days: int) -> None:
    last = first + dt.timedelta(days=n_days)
    reference = exchange_calendars.get_calendar(name, start="2006-01-01", end="2027-06-30").schedule
    closes = reference["close"]
    start, end = (f"{day.isoformat()} 12:00" for day in (first, last))
    wanted = reference[(closes >= f"{start}+00:00") & (closes.shift(1) < f"{end}+00:00")]
    sessions = TradingCalendar(name).sessions(ns(start), ns(end))
    assert sessions.open_ns.tolist() == [opened.value for opened in wanted["open"]]
    assert sessions.close_ns.tolist() == [closed.value for closed in wanted["close"]]
    assert sessions.weekday.tolist() == [day.weekday() for day in wanted.index]


@pytest.mark.parametrize("day", ["2025-07-03", "2025-11-28", "2025-12-24", "2015-12-24"])
def test_half_days_close_at_one_in_new_york(day: str) -> None:
    session = session_of(day)
    closes = dt.datetime.fromtimestamp(int(session.close_ns[0]) / 1e9, NEW_YORK)
    assert (closes.date().isoformat(), closes.hour, closes.minute) == (day, 13, 0)


@pytest.mark.parametrize(
    ("day", "open_utc"),
    [("2011-03-11", "14:30"), ("2011-03-14", "13:30"), ("2025-10-31", "13:30"), ("2025-11-03", "14:30")],
)
def test_the_open_moves_in_utc_when_daylight_saving_time_does(day: str, open_utc: str) -> None:
    session = session_of(day)
    assert session.open_ns[0] == ns(f"{day}T{open_utc}")
    assert session.open_ns[0] - session.midnight_ns[0] == 9 * HOUR_NS + HOUR_NS // 2


@pytest.mark.parametrize("holiday", ["2025-07-04", "2025-12-25", "2012-10-29", "2001-09-12"])
def test_a_holiday_is_followed_by_the_next_session(holiday: str) -> None:
    assert session_of(holiday).open_ns[0] > ns(holiday) + DAY_NS


@given(st.integers(min_value=0, max_value=2 * 10**18), st.integers(min_value=0, max_value=10 * DAY_NS))
def test_around_the_clock_every_instant_lies_in_the_session_that_locate_names(start_ns: int, span_ns: int) -> None:
    sessions = TradingCalendar("24/7").sessions(start_ns, start_ns + span_ns)
    for ts_ns in (start_ns, start_ns + span_ns):
        row = sessions.locate(ts_ns)
        assert sessions.open_ns[row] < ts_ns <= sessions.close_ns[row]
    assert np.array_equal(sessions.open_ns[1:], sessions.close_ns[:-1])
    days = sessions.midnight_ns.astype("datetime64[ns]").astype("datetime64[D]").tolist()
    assert sessions.weekday.tolist() == [day.weekday() for day in days]


@pytest.mark.parametrize(
    "span", [("2000-03-01", "2000-03-03"), ("1998-01-02", "1998-01-05"), ("2026-12-30", "2026-12-31")]
)
def test_old_and_coming_years_have_sessions(span: tuple[str, str]) -> None:
    assert len(TradingCalendar("XNYS").sessions(ns(span[0]), ns(span[1]))) >= 2


@pytest.mark.parametrize(
    ("name", "bar", "expected"),
    [
        ("XNYS", 900, 252 * 26),
        ("XNYS", 3_600, 252 * 7),
        ("XNYS", 86_400, 252),
        ("XHKG", 1_800, 252 * 11),
        ("24/7", 86_400, 365.25),
        ("24/7", 300, 365.25 * 288),
    ],
)
def test_a_year_has_252_regular_sessions_or_all_of_its_days(name: str, bar: int, expected: float) -> None:
    assert TradingCalendar(name).bars_per_year(bar * SECOND_NS) == expected


def test_an_alias_is_the_same_exchange_and_survives_pickling() -> None:
    span = (ns("2025-06-30"), ns("2025-07-09"))
    alias = pickle.loads(pickle.dumps(TradingCalendar("NYSE")))  # noqa: S301 - written one call before
    assert np.array_equal(alias.sessions(*span).close_ns, TradingCalendar("XNYS").sessions(*span).close_ns)


def test_an_unknown_name_is_refused_with_close_ones() -> None:
    with pytest.raises(ConfigurationError, match="was 'NYSX'; did you mean XNYS"):
        TradingCalendar("NYSX")


def test_a_span_that_ends_before_it_starts_and_a_bar_longer_than_a_day_are_refused() -> None:
    with pytest.raises(DataValidationError, match="end_ns must not be before"):
        TradingCalendar("24/7").sessions(2, 1)
    with pytest.raises(ConfigurationError, match="bar_ns must be in"):
        TradingCalendar("24/7").bars_per_year(DAY_NS + 1)
