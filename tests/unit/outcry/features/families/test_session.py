"""Session columns: the calendar gives the day, bars outside it leave the day as it was."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
import talib

from outcry.errors import ConfigurationError
from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import FeatureSet, build_feature_set
from outcry.market.frame import BAR_FIELDS, Frame, FrameTensor
from outcry.market.sessions import Sessions

MINUTE_NS = 60_000_000_000
DAY_NS = 1440 * MINUTE_NS
MONDAY_NS = 19_723 * DAY_NS  # 1 January 2024

Trade = Callable[..., dict[str, float]]
Bars = pd.DataFrame


def build(**windows: list[object]) -> FeatureSet:
    config = FeatureSetConfig.model_validate({"groups": ["session"], "windows": windows})
    return build_feature_set(config, 5 * MINUTE_NS, ("A",))


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
def trade(sessions: Sessions) -> Trade:
    """Return a function that closes a bar of one symbol at a local minute, and reads the columns after it."""
    engine = FeatureEngine(build(session_range=[1]), 1, sessions, 252.0)

    def trade(day: int, minute: int, bar: tuple[float, float, float, float], volume: float = 100.0) -> dict[str, float]:
        o, h, l, c, v, vwap = (np.array([x]) for x in (*bar, volume, sum(bar[1:]) / 3))  # noqa: E741 - the low
        seq = 0 if engine.last_seq is None else engine.last_seq + 1
        ts = int(sessions.midnight_ns[day]) + minute * MINUTE_NS
        engine.update(Frame(seq, ts, o, h, l, c, v, vwap, np.array([True])))
        return dict(zip(engine.names, engine.values[0], strict=True))

    return trade


def test_the_clock_reads_exchange_time(trade: Trade) -> None:
    row = trade(0, 10 * 60 + 15, (10, 11, 9, 10))
    assert (row["time_hour_raw"], row["time_minute_raw"], row["time_weekday_raw"]) == (10, 15, 0)
    assert (row["time_session_since_open"], row["time_session_to_close"]) == (45, 345)
    assert row["time_session_fraction"] == pytest.approx(45 / 390)
    assert (row["time_session_is_open"], row["time_session_is_short"], row["time_session_phase"]) == (1, 0, 2)
    assert (row["time_month_raw"], row["time_monthday_raw"], row["time_month_cos"]) == (1, 1, 1)
    assert (row["time_month_to_end"], row["time_month_is_end"]) == (22, 0)
    assert (row["time_quarter_to_end"], row["time_quarter_is_end"]) == (64, 0)
    assert (row["time_expiry_to_next"], row["time_expiry_is_today"]) == (14, 0)  # 19 January
    assert trade(1, 780, (10, 11, 9, 10))["time_session_is_short"] == 1


def test_extended_hours_are_flagged(trade: Trade) -> None:
    trade(0, 960, (10, 11, 9, 10))
    after_hours = trade(0, 970, (10, 11, 9, 10))
    night = trade(1, 200, (10, 11, 9, 10))
    early = trade(1, 500, (10, 11, 9, 10))
    names = ["time_session_phase", "time_session_is_premarket", "time_session_is_afterhours", "time_session_is_open"]
    rows = [[row[name] for name in names] for row in (after_hours, night, early)]
    assert rows == [[3, 0, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0]]


def test_the_gap_is_undefined_in_the_first_session_and_stays_through_the_second(trade: Trade) -> None:
    first = trade(0, 960, (10, 11, 9, 10))
    assert np.isnan([first[f"time_gap_1_{part}"] for part in ("open", "distance", "filled")]).all()
    row = trade(1, 575, (12, 13, 11, 11))
    assert (row["time_gap_1_open"], row["time_gap_1_distance"]) == pytest.approx((0.2, 0.1))
    assert row["time_gap_1_filled"] == 0
    row = trade(1, 580, (11, 11, 9.5, 11))
    assert row["time_gap_1_open"] == pytest.approx(0.2)
    assert row["time_gap_1_filled"] == 1
    assert trade(1, 585, (12, 12, 12, 12))["time_gap_1_filled"] == 1


def test_bars_outside_the_session_leave_the_prices_of_the_day(trade: Trade) -> None:
    day = trade(0, 600, (10, 12, 9, 11))
    after_hours = trade(0, 1020, (50, 60, 40, 55))
    before_open = trade(1, 500, (1, 2, 0.5, 1))
    heads = ("time_session_r", "time_opening", "tech_vwap", "tech_twap", "time_firsthour")
    names = [name for name in day if name.startswith(heads)]
    assert len(names) == 11
    assert [after_hours[n] for n in names] == [before_open[n] for n in names] == [day[n] for n in names]
    assert (after_hours["time_session_is_open"], after_hours["time_hour_raw"]) == (0, 17)
    assert (before_open["time_session_since_open"], before_open["time_session_to_close"]) == (0, 210)
    assert trade(1, 575, (11, 11, 11, 11))["time_gap_1_open"] == 0.0  # against the last close inside a session


def test_the_opening_range_is_final_after_thirty_minutes(trade: Trade) -> None:
    assert trade(0, 585, (10, 11, 10, 10))["time_opening_30_width"] == pytest.approx(0.1)
    row = trade(0, 600, (10, 12, 10, 10))
    assert (row["time_opening_30_width"], row["time_opening_30_breakout"]) == pytest.approx((0.2, 0.0))
    later = trade(0, 615, (10, 15, 5, 12))
    assert later["time_opening_30_width"] == pytest.approx(0.2)
    assert later["time_opening_30_high"] == pytest.approx(0.0)
    assert later["time_opening_30_low"] == pytest.approx(0.2)
    assert later["time_session_range"] == pytest.approx(1.0)
    assert (later["time_session_since_high"], later["time_session_since_low"]) == (0, 0)
    assert trade(0, 630, (12, 12, 12, 12))["time_session_since_high"] == 15
    closes = (12.01, 12.0, 10.0, 9.99)
    sides = [trade(0, 645 + i, (c, c, c, c))["time_opening_30_breakout"] for i, c in enumerate(closes)]
    assert sides == [1, 0, 0, -1]


def test_the_return_of_the_first_hour_is_kept(trade: Trade) -> None:
    assert trade(0, 600, (10, 12, 10, 11))["time_firsthour_60_return"] == pytest.approx(0.1)
    assert trade(0, 630, (11, 12, 10, 12))["time_firsthour_60_return"] == pytest.approx(0.2)
    row = trade(0, 660, (11, 18, 10, 18))
    assert (row["time_firsthour_60_return"], row["time_firsthour_60_since"]) == pytest.approx((0.2, 0.5))
    row = trade(1, 780, (20, 22, 20, 22))  # the first bar is longer than the hour
    assert (row["time_firsthour_60_return"], row["time_firsthour_60_since"]) == pytest.approx((0.1, 0.0))


def test_activity_is_volume_against_the_bars_before(trade: Trade) -> None:
    bar = (10, 10, 10, 10)
    assert trade(0, 660, bar, 100.0)["time_lunch_720_810_activity"] == 1
    assert trade(0, 720, bar, 300.0)["time_lunch_720_810_activity"] == 1
    row = trade(0, 721, bar, 50.0)
    assert (row["time_lunch_720_810_activity"], row["time_lunch_720_810_is_now"]) == (0.25, 1)
    row = trade(0, 810, bar, 150.0)
    assert (row["time_lunch_720_810_activity"], row["time_lunch_720_810_is_now"]) == (0.5, 1)
    row = trade(0, 900, bar, 400.0)
    assert (row["time_lunch_720_810_activity"], row["time_lunch_720_810_is_now"]) == (0.5, 0)
    assert (row["time_powerhour_60_activity"], row["time_powerhour_60_is_now"]) == (1, 0)
    row = trade(0, 930, bar, 400.0)
    assert (row["time_powerhour_60_activity"], row["time_powerhour_60_is_now"]) == (2, 1)  # 5 bars of 200 before
    row = trade(0, 965, bar, 9e9)
    assert (row["time_powerhour_60_activity"], row["time_powerhour_60_is_now"]) == (2, 0)
    assert trade(1, 575, bar, 0.0)["time_powerhour_60_activity"] == 1
    assert trade(1, 725, bar, 7.0)["time_lunch_720_810_activity"] == 1  # no volume before


def test_session_vwap_starts_anew_and_is_the_close_without_volume(trade: Trade) -> None:
    trade(0, 575, (10, 10, 10, 10), volume=100.0)
    row = trade(0, 580, (20, 20, 20, 20), volume=300.0)
    assert row["tech_vwap_session_raw"] == pytest.approx(17.5)
    assert row["tech_twap_session_distance"] == pytest.approx(20 / 15 - 1)
    assert trade(1, 575, (30, 31, 29, 31), volume=0.0)["tech_vwap_session_raw"] == 31.0
    assert trade(1, 580, (40, 40, 40, 40), volume=5.0)["tech_vwap_session_raw"] == 40.0


def test_a_daily_bar_is_a_whole_session(trade: Trade) -> None:
    trade(0, 960, (10, 12, 9, 11))
    row = trade(1, 780, (12, 14, 11, 13))
    assert (row["time_session_fraction"], row["time_session_to_close"]) == (1, 0)
    assert row["time_session_return"] == pytest.approx(13 / 12 - 1)
    assert row["time_gap_1_open"] == pytest.approx(12 / 11 - 1)
    assert row["time_opening_30_width"] == row["time_session_range"] == pytest.approx(3 / 12)
    assert row["time_firsthour_60_return"] == row["time_session_return"]
    assert (row["time_lunch_720_810_activity"], row["time_powerhour_60_activity"]) == (1, 1)


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ({"lunch": [[810, 720]]}, r"end_minute must be in \(810, 1440\], was 720"),
        ({"lunch": [[720, 1441]]}, "was 1441"),
        ({"relative_volume": [[1441, 20]]}, "minutes must be at most 1440, was 1441"),
    ],
)
def test_impossible_parts_of_a_day_are_refused(windows: dict[str, list[object]], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        build(**windows)


def test_other_windows_have_other_columns() -> None:
    names = build(opening_range=[15, 60], first_hour=[30], power_hour=[30], session_range=[5]).names
    assert {"time_opening_15_breakout", "time_opening_60_high", "time_firsthour_30_since"} <= set(names)
    assert {"time_powerhour_30_activity", "time_session_5_usage"} <= set(names)


def _days(bars: Bars) -> Iterator[Bars]:
    for _, day in bars.groupby("day"):
        yield day


def _within_days(bars: Bars, function: Callable[[Bars], pd.Series]) -> pd.Series:
    return pd.concat([function(day) for day in _days(bars)])


def _last_close(bars: Bars) -> pd.Series:
    closes = bars.groupby("day").close.last().shift()
    return bars.day.map(closes)


def _daily_atr(bars: Bars) -> pd.Series:
    """ATR over the sessions before, by TA-Lib."""
    days = bars.groupby("day").agg({"high": "max", "low": "min", "close": "last"})
    atr = talib.ATR(days.high.to_numpy(), days.low.to_numpy(), days.close.to_numpy(), 14)
    return bars.day.map(pd.Series(atr, days.index).shift())


def _filled(bars: Bars) -> pd.Series:
    high, low = bars.groupby("day").high.cummax(), bars.groupby("day").low.cummin()
    last = _last_close(bars)
    return ((low <= last) & (last <= high)).astype(float).where(last.notna())


def _activity(is_in: Callable[[Bars], pd.Series]) -> Callable[[Bars], pd.Series]:
    def activity(day: Bars) -> pd.Series:
        mine = is_in(day)
        before = day.volume[~mine.cummax()]
        if before.sum() == 0:
            return pd.Series(1.0, day.index)
        return (day.volume.where(mine).expanding().mean() / before.mean()).fillna(1.0)

    return lambda bars: _within_days(bars, activity)


def _relative_volume(bars: Bars) -> pd.Series:
    """Average the means of earlier sessions in the same half hour, one after the other."""
    of_bucket = bars.assign(bucket=(np.ceil(bars.since_open / 30) - 1).astype(int))
    means: dict[int, list[float]] = {}
    out = pd.Series(np.nan, bars.index)
    for n, day in enumerate(_days(of_bucket)):
        for bucket, part in day.groupby("bucket"):
            average = np.nan
            for i, mean in enumerate(means.get(bucket, []), start=1):
                average = mean if i == 1 else average + (mean - average) / min(i, 20)
            if n:
                out[part.index] = part.volume / average if average > 0 else 1.0
            means.setdefault(bucket, []).append(part.volume.mean())
    return out


def _opening(bars: Bars) -> pd.DataFrame:
    in_range = (bars.since_open <= 30) | (bars.groupby("day").cumcount() == 0)
    high = bars.high.where(in_range).groupby(bars.day).cummax().groupby(bars.day).ffill()
    low = bars.low.where(in_range).groupby(bars.day).cummin().groupby(bars.day).ffill()
    return pd.DataFrame({"high": high, "low": low})


def _first(bars: Bars) -> pd.Series:
    return bars.groupby("day").open.transform("first")


def _first_hour(bars: Bars) -> pd.Series:
    in_hour = (bars.since_open <= 60) | (bars.groupby("day").cumcount() == 0)
    return bars.close.where(in_hour).groupby(bars.day).ffill()


ORACLES: dict[str, Callable[[Bars], pd.Series]] = {
    "time_session_return": lambda b: b.close / _first(b) - 1,
    "time_session_range": lambda b: (b.groupby("day").high.cummax() - b.groupby("day").low.cummin()) / _first(b),
    "time_gap_1_open": lambda b: _first(b) / _last_close(b) - 1,
    "time_gap_1_distance": lambda b: b.close / _last_close(b) - 1,
    "time_gap_1_filled": _filled,
    "tech_vwap_session_raw": lambda b: (
        (b.vwap * b.volume).groupby(b.day).cumsum() / b.volume.groupby(b.day).cumsum()
    ).fillna(b.close),
    "tech_twap_session_distance": lambda b: (
        b.close / _within_days(b, lambda day: day[["open", "high", "low", "close"]].mean(axis=1).expanding().mean()) - 1
    ),
    "time_opening_30_high": lambda b: b.close / _opening(b).high - 1,
    "time_opening_30_width": lambda b: (_opening(b).high - _opening(b).low) / _first(b),
    "time_opening_30_breakout": lambda b: (
        (b.close > _opening(b).high).astype(float) - (b.close < _opening(b).low).astype(float)
    ),
    "time_firsthour_60_return": lambda b: _first_hour(b) / _first(b) - 1,
    "time_firsthour_60_since": lambda b: b.close / _first_hour(b) - 1,
    "time_lunch_720_810_activity": _activity(lambda day: (day.minute > 720) & (day.minute <= 810)),
    "time_powerhour_60_activity": _activity(lambda day: day.to_close < 60),
    "time_session_14_usage": lambda b: (b.groupby("day").high.cummax() - b.groupby("day").low.cummin()) / _daily_atr(b),
    "time_gap_14_atr": lambda b: (_first(b) - _last_close(b)) / _daily_atr(b),
    "time_volume_30_20_relative": _relative_volume,
}


@pytest.fixture(scope="module", params=["intraday", "around_the_clock"])
def by_symbol(request: pytest.FixtureRequest) -> list[tuple[Bars, pd.DataFrame]]:
    """The bars that each symbol has inside a session, and the features after each of them."""
    if request.param == "intraday":
        frames: FrameTensor = request.getfixturevalue("intraday")
        sessions: Sessions = request.getfixturevalue("intraday_sessions")
    else:  # a walk with absent bars and bars without volume
        frames = request.getfixturevalue("make_market")(1, 3000, 2, minutes=15)
        sessions = request.getfixturevalue("around_the_clock")
    engine = FeatureEngine(build(), frames.n_symbols, sessions, 252.0 * 78)
    values = engine.replay(frames)
    ts = frames.ts_close_ns
    day = np.searchsorted(sessions.close_ns, ts)
    is_inside = ts > sessions.open_ns[day]
    when = {
        "day": day,
        "since_open": (ts - sessions.open_ns[day]) / MINUTE_NS,
        "to_close": (sessions.close_ns[day] - ts) / MINUTE_NS,
        "minute": (ts - sessions.midnight_ns[day]) / MINUTE_NS,
    }
    pairs = []
    for i in range(frames.n_symbols):
        has = frames.present[:, i] & is_inside
        fields = {field: getattr(frames, field)[has, i] for field in BAR_FIELDS}
        bars = pd.DataFrame(fields | {name: array[has] for name, array in when.items()})
        pairs.append((bars, pd.DataFrame(values[has, i], columns=engine.names)))
    return pairs


@pytest.mark.realdata
@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_column_agrees_with_pandas(name: str, by_symbol: list[tuple[Bars, pd.DataFrame]]) -> None:
    for bars, values in by_symbol:
        expected = ORACLES[name](bars)
        np.testing.assert_array_equal(values[name].isna(), expected.isna())
        assert expected.notna().sum() > 500
        np.testing.assert_allclose(values[name], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.realdata
def test_a_symbol_without_its_first_bars_has_the_same_clock(intraday: FrameTensor, intraday_sessions: Sessions) -> None:
    engine = FeatureEngine(build(), intraday.n_symbols, intraday_sessions, 252.0 * 78)
    values = engine.replay(intraday)
    clock = [engine.names.index(column.name) for column in engine.features.columns[:25]]
    latest = values[-1][intraday.present[-1]][:, clock]
    assert (latest == latest[0]).all()
