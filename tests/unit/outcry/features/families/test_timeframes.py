"""Timeframes: TA-Lib on bars that pandas resamples by session is the oracle; nothing is seen before a bar closes."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import talib

from outcry.errors import ConfigurationError
from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.families.timeframes import timeframe_text
from outcry.features.feature_set import FeatureSet, build_feature_set
from outcry.market.frame import Frame, FrameTensor
from outcry.market.sessions import Sessions

MINUTE_NS = 60_000_000_000
DAY_NS = 1440 * MINUTE_NS
MONDAY_NS = 19_723 * DAY_NS  # 1 January 2024

Bars = pd.DataFrame
Oracle = Callable[[Bars], np.ndarray]


def build(bar_minutes: int, **windows: list[object]) -> FeatureSet:
    config = FeatureSetConfig.model_validate({"groups": ["timeframes"], "windows": windows})
    return build_feature_set(config, bar_minutes * MINUTE_NS, ("A",))


def _hlc(function: Callable[..., np.ndarray], *windows: int) -> Oracle:
    return lambda b: function(b.high.to_numpy(), b.low.to_numpy(), b.close.to_numpy(), *windows)


def _bands(b: Bars) -> np.ndarray:
    upper, _, lower = talib.BBANDS(b.close.to_numpy(), 20, 2.0, 2.0)
    with np.errstate(invalid="ignore"):
        return (b.close.to_numpy() - lower) / (upper - lower)


def _slope(b: Bars) -> np.ndarray:
    average = pd.Series(talib.EMA(b.close.to_numpy(), 20))
    return (average / average.shift() - 1).to_numpy()


ON_CLOSED: dict[str, Oracle] = {
    "rsi_{}_14": lambda b: talib.RSI(b.close.to_numpy(), 14),
    "trend_{}_20_50": lambda b: np.sign(talib.EMA(b.close.to_numpy(), 20) - talib.EMA(b.close.to_numpy(), 50)),
    "slope_{}_20_50": _slope,
    "bbands_{}_20": _bands,
    "macd_{}_12_26_9": lambda b: talib.MACD(b.close.to_numpy(), 12, 26, 9)[2] / b.close.to_numpy(),
    "atr_{}_14": lambda b: _hlc(talib.ATR, 14)(b) / b.close.to_numpy(),
    "return_{}_1": lambda b: talib.ROCP(b.close.to_numpy(), 1),
    "_highest": lambda b: b.high.rolling(20).max().to_numpy(),
    "_lowest": lambda b: b.low.rolling(20).min().to_numpy(),
    "_high": lambda b: b.high.to_numpy(),
    "_low": lambda b: b.low.to_numpy(),
}
"""Of the bars of the timeframe; the last four are levels that the newest close is compared with."""

COLUMNS = (
    *(name for name in ON_CLOSED if "{}" in name),
    "resistance_{}_20",
    "support_{}_20",
    "position_{}_1",
)


def _expected(name: str, bars: Bars, minutes: int) -> pd.Series:
    def known(oracle: str) -> pd.Series:
        return _as_known(bars, minutes, ON_CLOSED[oracle])

    if name.startswith("resistance"):
        return known("_highest") / bars.close - 1
    if name.startswith("support"):
        return known("_lowest") / bars.close - 1
    if name.startswith("position"):
        high, low = known("_high"), known("_low")
        return ((bars.close - low) / (high - low)).where((high > low) | high.isna(), 0.5)
    return known(name)


def _as_known(bars: Bars, minutes: int, oracle: Oracle) -> pd.Series:
    """Resample, evaluate, and join each value to the bar from which on it is known."""
    if minutes == 10_080:
        key, is_end = bars.week, bars.ends_week & (bars.to_close == 0)
    else:
        part = (np.ceil(bars.since_open / minutes) - 1).astype(int) if minutes < 1440 else 0
        key = bars.day * 10_000 + part
        is_end = (bars.to_close == 0) | ((bars.since_open == (part + 1) * minutes) & (minutes < 1440))
    rows = pd.Series(np.arange(len(bars)), bars.index)
    groups = bars.assign(row=rows, is_end=is_end).groupby(key, sort=False)
    longer = groups.agg({"high": "max", "low": "min", "close": "last", "row": "last", "is_end": "last"})
    longer = longer.reset_index(drop=True)
    values = oracle(longer)
    known_from = np.where(longer.is_end, longer.row, longer.row + 1)
    out = np.full(len(bars) + 1, np.nan)
    out[known_from] = values  # where two bars become known at once, the later one counts
    return pd.Series(out[:-1], bars.index).ffill()


def _place(ts: np.ndarray, sessions: Sessions) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    day = np.searchsorted(sessions.close_ns, ts)
    date = pd.to_datetime(sessions.midnight_ns)  # the exchange is west of UTC
    weeks = date.to_period("W-SUN").to_numpy()
    ends_week = np.append(weeks[1:] != weeks[:-1], True)
    columns = {
        "day": day,
        "since_open": (ts - sessions.open_ns[day]) / MINUTE_NS,
        "to_close": (sessions.close_ns[day] - ts) / MINUTE_NS,
        "week": pd.factorize(weeks)[0][day],
        "ends_week": ends_week[day],
    }
    return ts > sessions.open_ns[day], columns


MARKETS = {"daily": (1440, [10_080]), "intraday": (5, [15, 60, 240, 1440]), "walk": (15, [60, 240, 1440])}
CASES = [(name, minutes) for name, (_, timeframes) in MARKETS.items() for minutes in timeframes]


@pytest.fixture(scope="module")
def by_market(request: pytest.FixtureRequest) -> dict[str, list[tuple[Bars, pd.DataFrame]]]:
    """The bars that each symbol has inside a session, and the columns after each of them."""
    markets = {}
    for name, (bar_minutes, _) in MARKETS.items():
        if name == "walk":  # around the clock, with absent bars
            frames: FrameTensor = request.getfixturevalue("make_market")(2, 3800, 2, minutes=15)
            sessions: Sessions = request.getfixturevalue("around_the_clock")
        else:
            frames = request.getfixturevalue(name)
            sessions = request.getfixturevalue(f"{name}_sessions")
        engine = FeatureEngine(build(bar_minutes), frames.n_symbols, sessions, 252.0)
        values = engine.replay(frames)
        is_inside, place = _place(frames.ts_close_ns, sessions)
        markets[name] = []
        for i in range(min(frames.n_symbols, 4)):
            has = frames.present[:, i] & is_inside
            prices = {field: getattr(frames, field)[has, i] for field in ("high", "low", "close")}
            bars = pd.DataFrame(prices | {what: array[has] for what, array in place.items()})
            markets[name].append((bars, pd.DataFrame(values[has, i], columns=engine.names)))
    return markets


@pytest.mark.realdata
@pytest.mark.parametrize(("market", "minutes"), CASES, ids=[f"{name}-{timeframe_text(m)}" for name, m in CASES])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_agrees_with_talib_on_resampled_bars(
    column: str, market: str, minutes: int, by_market: dict[str, list[tuple[Bars, pd.DataFrame]]]
) -> None:
    name = f"mtf_{column.format(timeframe_text(minutes))}"
    n_known = 0
    for bars, values in by_market[market]:
        expected = _expected(column, bars, minutes)
        np.testing.assert_array_equal(values[name].isna(), expected.isna())
        n_known += int(expected.notna().sum())
        np.testing.assert_allclose(values[name], expected, rtol=1e-9, atol=1e-11)
    sessions = max(bars.day.nunique() for bars, _ in by_market[market])
    assert n_known > 500 or (minutes == 1440 and "50" in column and sessions < 50)


@pytest.mark.realdata
def test_a_column_begins_with_the_closed_bar_of_its_warm_up(
    intraday: FrameTensor, intraday_sessions: Sessions, by_market: dict[str, list[tuple[Bars, pd.DataFrame]]]
) -> None:
    columns = {column.name: column for column in build(5).columns}
    assert len(columns) == 40
    for bars, values in by_market["intraday"]:
        for name, column in columns.items():
            minutes = {"15min": 15, "1h": 60, "4h": 240, "1d": 1440}[name.split("_")[2]]
            n_closed = _as_known(bars, minutes, lambda longer: np.arange(1.0, len(longer) + 1)).fillna(0.0)
            np.testing.assert_array_equal(values[name].notna(), n_closed >= column.warmup_bars)


@pytest.fixture
def sessions() -> Sessions:
    """Monday to Friday 09:30-16:00, the Wednesday to 13:00, and the next Monday; 5 hours behind UTC."""
    midnight = MONDAY_NS + np.array([0, 1, 2, 3, 4, 7]) * DAY_NS + 300 * MINUTE_NS
    close = np.array([960, 960, 780, 960, 960, 960])
    return Sessions(midnight + 570 * MINUTE_NS, midnight + close * MINUTE_NS, midnight, np.array([0, 1, 2, 3, 4, 0]))


Trade = Callable[[int, int, float], float]


def _trader(sessions: Sessions, minutes: int, column: str) -> Trade:
    """Return a function that closes a bar at a local minute, and reads a column of one timeframe after it."""
    engine = FeatureEngine(build(5, mtf_bar=[minutes]), 1, sessions, 252.0)
    place = engine.names.index(f"mtf_{column}_{timeframe_text(minutes)}_1")

    def trade(day: int, minute: int, close: float) -> float:
        price = np.array([close])
        ts = int(sessions.midnight_ns[day]) + minute * MINUTE_NS
        seq = 0 if engine.last_seq is None else engine.last_seq + 1
        engine.update(Frame(seq, ts, price, price, price, price, price, price, np.array([True])))
        return float(engine.values[0, place])

    return trade


def test_a_bar_is_seen_when_it_ends_and_not_before(sessions: Sessions) -> None:
    trade = _trader(sessions, 60, "return")
    assert np.isnan([trade(0, 600, 1.0), trade(0, 630, 2.0), trade(0, 660, 50.0)]).all()
    assert trade(0, 690, 3.0) == 0.5
    assert trade(0, 700, 99.0) == 0.5


def test_a_bar_without_its_end_is_seen_at_the_next_bar(sessions: Sessions) -> None:
    trade = _trader(sessions, 60, "return")
    trade(0, 630, 2.0)
    assert np.isnan(trade(0, 685, 3.0))
    assert trade(0, 695, 7.0) == 0.5
    assert trade(0, 815, 4.0) == pytest.approx(7 / 3 - 1)  # the hour to 12:30 has no bar


def test_a_late_bar_and_its_own_end_can_close_at_once(sessions: Sessions) -> None:
    trade = _trader(sessions, 15, "return")
    trade(0, 585, 2.0)
    trade(0, 590, 4.0)
    assert trade(0, 615, 5.0) == 0.25


def test_the_last_bar_of_a_session_ends_with_it_also_on_a_half_day(sessions: Sessions) -> None:
    trade = _trader(sessions, 240, "return")
    trade(1, 810, 1.0)
    assert trade(1, 960, 2.0) == 1.0
    assert trade(2, 600, 8.0) == 1.0
    assert trade(2, 780, 3.0) == 0.5


def test_bars_outside_a_session_are_left_out(sessions: Sessions) -> None:
    trade = _trader(sessions, 1440, "return")
    trade(0, 955, 2.0)
    assert np.isnan(trade(0, 1000, 50.0))
    assert np.isnan(trade(1, 500, 60.0))
    assert np.isnan(trade(1, 575, 3.0))  # closes the Monday
    assert trade(1, 960, 3.0) == 0.5


def test_a_week_ends_with_its_last_session_or_with_the_next_week(sessions: Sessions) -> None:
    trade = _trader(sessions, 10_080, "position")
    values = [trade(day, 960, 1.0 + day) for day in (0, 1)]
    assert np.isnan([*values, trade(2, 780, 2.0), trade(3, 960, 1.0), trade(4, 955, 3.0)]).all()
    assert trade(4, 960, 2.5) == 0.75
    late = _trader(sessions, 10_080, "position")
    assert np.isnan([late(0, 960, 1.0), late(3, 960, 3.0)]).all()
    assert late(5, 575, 4.0) == 1.5


@pytest.mark.parametrize("minutes", [1441, 2880, 20_160])
def test_timeframes_between_and_beyond_a_session_and_a_week_are_refused(minutes: int) -> None:
    with pytest.raises(ConfigurationError, match=f"up to 1440 minutes .* or 10080 .*, was {minutes}"):
        build(5, mtf_rsi=[[minutes, 14]])


def test_other_timeframes_and_windows_have_other_columns() -> None:
    names = build(5, mtf_rsi=[[30, 7], [120, 14]], mtf_macd=[[60, 5, 10, 3]]).names
    assert {"mtf_rsi_30min_7", "mtf_rsi_2h_14", "mtf_macd_1h_5_10_3"} <= set(names)
    with pytest.raises(ConfigurationError, match="fast must be at most slow 5, was 10"):
        build(5, mtf_macd=[[60, 10, 5, 3]])
