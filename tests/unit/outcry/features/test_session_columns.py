"""Session columns: the calendar gives the day, bars outside it leave the day as it was."""

from collections.abc import Callable

import numpy as np
import pytest

from outcry.features.catalogue import FEATURE_NAMES
from outcry.features.engine import FeatureEngine
from outcry.market.frame import Frame, FrameTensor
from outcry.market.sessions import Sessions

MINUTE_NS = 60_000_000_000
DAY_NS = 1440 * MINUTE_NS
MONDAY_NS = 19_723 * DAY_NS  # 1 January 2024


@pytest.fixture
def sessions() -> Sessions:
    """Monday 09:30-16:00 and Tuesday 09:30-13:00; the exchange is 5 hours behind UTC."""
    midnight = np.array([MONDAY_NS, MONDAY_NS + DAY_NS]) + 300 * MINUTE_NS
    return Sessions(
        open_ns=midnight + 570 * MINUTE_NS,
        close_ns=midnight + np.array([960, 780]) * MINUTE_NS,
        midnight_ns=midnight,
        weekday=np.array([0, 1]),
    )


@pytest.fixture
def trade(sessions: Sessions) -> Callable[..., dict[str, float]]:
    """Return a function that closes a bar of one symbol at a local minute, and reads the columns after it."""
    engine = FeatureEngine(1, sessions, 252.0)

    def trade(day: int, minute: int, bar: tuple[float, float, float, float], volume: float = 100.0) -> dict[str, float]:
        o, h, l, c, v, vwap = (np.array([x]) for x in (*bar, volume, sum(bar[1:]) / 3))  # noqa: E741 - the low
        seq = 0 if engine.last_seq is None else engine.last_seq + 1
        ts = int(sessions.midnight_ns[day]) + minute * MINUTE_NS
        engine.update(Frame(seq, ts, o, h, l, c, v, vwap, np.array([True])))
        return dict(zip(FEATURE_NAMES, engine.values[0], strict=True))

    return trade


Trade = Callable[..., dict[str, float]]


def test_the_clock_reads_exchange_time(trade: Trade) -> None:
    row = trade(0, 10 * 60 + 15, (10, 11, 9, 10))
    assert (row["time_hour_raw"], row["time_minute_raw"], row["time_weekday_raw"]) == (10, 15, 0)
    assert (row["time_session_since_open"], row["time_session_to_close"]) == (45, 345)
    assert row["time_session_fraction"] == pytest.approx(45 / 390)
    assert (row["time_session_is_open"], row["time_session_is_short"]) == (1, 0)
    assert trade(1, 780, (10, 11, 9, 10))["time_session_is_short"] == 1


def test_the_gap_is_undefined_in_the_first_session_and_stays_through_the_second(trade: Trade) -> None:
    assert np.isnan(trade(0, 960, (10, 11, 9, 10))["time_gap_1_open"])
    assert trade(1, 575, (12, 13, 11, 11))["time_gap_1_open"] == pytest.approx(0.2)
    assert trade(1, 580, (11, 11, 11, 11))["time_gap_1_open"] == pytest.approx(0.2)


def test_bars_outside_the_session_leave_the_prices_of_the_day(trade: Trade) -> None:
    day = trade(0, 600, (10, 12, 9, 11))
    after_hours = trade(0, 1020, (50, 60, 40, 55))
    before_open = trade(1, 500, (1, 2, 0.5, 1))
    names = [n for n in FEATURE_NAMES if n.startswith(("time_session_r", "time_opening", "tech_vwap_session"))]
    assert [after_hours[n] for n in names] == [before_open[n] for n in names] == [day[n] for n in names]
    assert (after_hours["time_session_is_open"], after_hours["time_hour_raw"]) == (0, 17)
    assert (before_open["time_session_since_open"], before_open["time_session_to_close"]) == (0, 210)
    assert trade(1, 575, (11, 11, 11, 11))["time_gap_1_open"] == 0.0  # against the last close inside a session


def test_the_opening_range_is_final_after_thirty_minutes(trade: Trade) -> None:
    assert trade(0, 585, (10, 11, 10, 10))["time_opening_30_width"] == pytest.approx(0.1)
    assert trade(0, 600, (10, 12, 10, 10))["time_opening_30_width"] == pytest.approx(0.2)
    later = trade(0, 615, (10, 15, 5, 12))
    assert later["time_opening_30_width"] == pytest.approx(0.2)
    assert later["time_opening_30_high"] == pytest.approx(0.0)
    assert later["time_opening_30_low"] == pytest.approx(0.2)
    assert later["time_session_range"] == pytest.approx(1.0)
    assert (later["time_session_since_high"], later["time_session_since_low"]) == (0, 0)
    assert trade(0, 630, (12, 12, 12, 12))["time_session_since_high"] == 15


def test_session_vwap_starts_anew_and_is_the_close_without_volume(trade: Trade) -> None:
    trade(0, 575, (10, 10, 10, 10), volume=100.0)
    assert trade(0, 580, (20, 20, 20, 20), volume=300.0)["tech_vwap_session_raw"] == pytest.approx(17.5)
    assert trade(1, 575, (30, 31, 29, 31), volume=0.0)["tech_vwap_session_raw"] == 31.0
    assert trade(1, 580, (40, 40, 40, 40), volume=5.0)["tech_vwap_session_raw"] == 40.0


def test_a_daily_bar_is_a_whole_session(trade: Trade) -> None:
    trade(0, 960, (10, 12, 9, 11))
    row = trade(1, 780, (12, 14, 11, 13))
    assert (row["time_session_fraction"], row["time_session_to_close"]) == (1, 0)
    assert row["time_session_return"] == pytest.approx(13 / 12 - 1)
    assert row["time_gap_1_open"] == pytest.approx(12 / 11 - 1)
    assert row["time_opening_30_width"] == row["time_session_range"] == pytest.approx(3 / 12)


@pytest.mark.realdata
def test_session_vwap_equals_the_sums_of_each_real_session(intraday: FrameTensor, intraday_sessions: Sessions) -> None:
    values = FeatureEngine(intraday.n_symbols, intraday_sessions, 252.0 * 78).replay(intraday)
    day = np.searchsorted(intraday_sessions.close_ns, intraday.ts_close_ns)
    vwap = values[:, 0, FEATURE_NAMES.index("tech_vwap_session_raw")]
    is_inside = intraday.ts_close_ns > intraday_sessions.open_ns[day]
    for session in np.unique(day):
        has = (day == session) & is_inside & intraday.present[:, 0]
        volume = intraday.volume[has, 0].cumsum()
        expected = (intraday.vwap[has, 0] * intraday.volume[has, 0]).cumsum() / volume
        np.testing.assert_allclose(vwap[has], expected, rtol=1e-12)
