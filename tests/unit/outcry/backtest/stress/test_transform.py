"""A stressed tape does what the scenario says, and is a tape."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.backtest.stress.common_part import MAX_CORRELATION
from outcry.backtest.stress.scenario import SCENARIOS, StressScenario
from outcry.backtest.stress.span import StressSpan, locate_span, market_path
from outcry.backtest.stress.transform import stress_frames
from outcry.errors import DataValidationError
from outcry.market.frame import BAR_FIELDS, FloatArray, FrameTensor
from outcry.market.pivot import pivot_bars

Build = Callable[..., FrameTensor]
SESSION_NS = 23_400_000_000_000

seeds = st.integers(0, 2**32 - 1)
scenarios = st.builds(
    StressScenario,
    name=st.just("mine"),
    market_shock_frac=st.one_of(st.just(0.0), st.floats(-0.9, 0.5)),
    shock_sessions=st.integers(3, 60),
    recovery_sessions=st.integers(0, 60),
    volatility_multiplier=st.one_of(st.just(1.0), st.floats(0.2, 4.0)),
    correlation_increase=st.one_of(st.just(0.0), st.floats(0.0, 1.0)),
)


def returns_in_shock(frames: FrameTensor, span: StressSpan) -> FloatArray:
    return np.diff(np.log(frames.close[span.start_row : span.trough_row + 1]), axis=0)


def average_correlation(returns: FloatArray) -> float:
    n = returns.shape[1]
    return float((np.corrcoef(returns.T).sum() - n) / (n * (n - 1)))


def assert_valid(frames: FrameTensor) -> None:
    bars = {name: getattr(frames, name)[frames.present] for name in BAR_FIELDS}
    assert all(np.isfinite(values).all() for values in bars.values())
    assert (bars["low"] > 0).all()
    assert (bars["low"] <= np.minimum(bars["open"], bars["close"])).all()
    assert (bars["high"] >= np.maximum(bars["open"], bars["close"])).all()
    assert ((bars["low"] <= bars["vwap"]) & (bars["vwap"] <= bars["high"])).all()


@given(scenarios, st.integers(3, 90), st.integers(1, 6), seeds, st.floats(0.0, 0.6), st.sampled_from((1, 5)))
def test_bars_stay_valid_and_missing_bars_missing(
    build_frames: Build, scenario: StressScenario, n: int, n_symbols: int, seed: int, missing: float, per_session: int
) -> None:
    frames = build_frames(n, n_symbols, seed, missing_frac=missing, frames_per_session=per_session, has_tape=True)
    stressed = stress_frames(frames, scenario)
    assert_valid(stressed)
    np.testing.assert_array_equal(stressed.present, frames.present)
    np.testing.assert_array_equal(stressed.ts_close_ns, frames.ts_close_ns)
    np.testing.assert_array_equal(stressed.volume, frames.volume)
    assert stressed.first_seq == frames.first_seq
    for name in BAR_FIELDS:
        np.testing.assert_array_equal(np.isnan(getattr(stressed, name)), ~frames.present)
    assert frames.tape is not None
    assert stressed.tape is not None
    np.testing.assert_array_equal(np.isnan(stressed.tape), np.isnan(frames.tape))


@given(scenarios, st.integers(6, 90), st.integers(1, 6), seeds, st.floats(0.0, 0.4), st.integers(-3, 0))
def test_the_market_reaches_the_stated_shock_and_comes_back(
    build_frames: Build, scenario: StressScenario, n: int, n_symbols: int, seed: int, missing: float, first_seq: int
) -> None:
    span = locate_span(build_frames(n, 1, first_seq=first_seq), scenario)
    full_rows = (span.start_row, span.trough_row)
    frames = build_frames(n, n_symbols, seed, missing_frac=missing, full_rows=full_rows, first_seq=first_seq)
    stressed = stress_frames(frames, scenario)
    at = span.trough_row - span.start_row
    before, after = (market_path(each, span.start_row) for each in (frames, stressed))
    expected = 1.0 + scenario.market_shock_frac if scenario.market_shock_frac else before[at]
    assert after[at] == pytest.approx(expected, rel=1e-9)
    first, last = span.start_row + 1, span.recovered_row + 1
    is_regained = scenario.recovery_sessions > 0 or scenario.market_shock_frac == 0
    for name in BAR_FIELDS:
        one, other = getattr(frames, name), getattr(stressed, name)
        np.testing.assert_array_equal(other[:first], one[:first])
        if is_regained:
            np.testing.assert_array_equal(other[last:], one[last:])
        elif name != "volume":
            np.testing.assert_allclose(other[last:], one[last:] * expected / before[at], rtol=1e-9)


@given(scenarios, st.integers(8, 90), st.integers(2, 8), seeds)
def test_volatility_and_correlation_change_as_stated(
    build_frames: Build, scenario: StressScenario, n: int, n_symbols: int, seed: int
) -> None:
    frames = build_frames(n, n_symbols, seed)
    stressed, span = stress_frames(frames, scenario), locate_span(frames, scenario)
    one, other = (returns_in_shock(each, span) for each in (frames, stressed))
    if len(one) < 3:
        return
    np.testing.assert_allclose(other.std(axis=0), scenario.volatility_multiplier * one.std(axis=0), rtol=1e-7)
    before = average_correlation(one)
    expected = max(before, min(before + scenario.correlation_increase, MAX_CORRELATION))
    assert average_correlation(other) == pytest.approx(expected, abs=1e-7)


@given(scenarios, st.integers(8, 60), seeds)
def test_wicks_and_bodies_are_scaled_by_the_multiplier(
    build_frames: Build, scenario: StressScenario, n: int, seed: int
) -> None:
    frames = build_frames(n, 3, seed)
    stressed, span = stress_frames(frames, scenario), locate_span(frames, scenario)
    rows = slice(span.start_row + 1, span.trough_row + 1)
    k = scenario.volatility_multiplier

    def upper(each: FrameTensor) -> FloatArray:
        return np.log(each.high / np.maximum(each.open, each.close))[rows]

    def lower(each: FrameTensor) -> FloatArray:
        return np.log(np.minimum(each.open, each.close) / each.low)[rows]

    def body(each: FrameTensor) -> FloatArray:
        return np.log(each.close / each.open)[rows].std(axis=0)

    np.testing.assert_allclose(upper(stressed), k * upper(frames), atol=1e-12)
    np.testing.assert_allclose(lower(stressed), k * lower(frames), atol=1e-12)
    if scenario.correlation_increase == 0:
        np.testing.assert_allclose(body(stressed), k * body(frames), rtol=1e-7)


@given(st.integers(3, 60), seeds, st.floats(0.0, 0.5), st.booleans())
def test_the_scenario_without_a_change_is_the_identity(
    build_frames: Build, n: int, seed: int, missing: float, has_tape: bool
) -> None:
    frames = build_frames(n, 3, seed, missing_frac=missing, has_tape=has_tape)
    same = stress_frames(frames, StressScenario(name="calm", shock_sessions=10, recovery_sessions=10))
    nearly = StressScenario(name="nearly", shock_sessions=10, volatility_multiplier=1.0 + 1e-15)
    for stressed in (same, stress_frames(frames, nearly)):
        for name in BAR_FIELDS:
            np.testing.assert_allclose(getattr(stressed, name), getattr(frames, name), rtol=1e-12)
        if has_tape:
            np.testing.assert_allclose(stressed.tape, frames.tape, rtol=1e-12)
    assert same is frames


def test_a_fall_is_even_and_half_of_it_comes_before_the_open(build_frames: Build) -> None:
    frames = build_frames(40, 2)
    fall = StressScenario(name="fall", market_shock_frac=-0.5, shock_sessions=10, recovery_sessions=20)
    stressed = stress_frames(frames, fall)
    at_close = np.log(stressed.close / frames.close)
    at_open = np.log(stressed.open / frames.open)
    depth = np.log(0.5 / market_path(frames, 0)[10])
    rows = np.arange(40)
    level = np.interp(rows, (0, 10, 30), (0, depth, 0))
    np.testing.assert_allclose(at_close, level[:, np.newaxis].repeat(2, axis=1), atol=1e-12)
    np.testing.assert_allclose(at_open[1:, 0], (level[1:] + level[:-1]) / 2, atol=1e-12)


@pytest.mark.parametrize("lag", [0, 1])
def test_bars_without_a_gap_get_none_and_bars_without_a_body_get_none(build_frames: Build, lag: int) -> None:
    """All of a return is in the body of a bar that opens at the last close, and in the gap before one of one price."""
    frames = build_frames(50, 4)
    frames.open[lag:] = frames.close[: 50 - lag]
    high = np.maximum(frames.high, frames.open)
    frames = replace(frames, high=high, low=np.minimum(frames.low, frames.open))
    alike = StressScenario(name="alike", shock_sessions=40, volatility_multiplier=2.0, correlation_increase=0.3)
    stressed = stress_frames(frames, alike)
    np.testing.assert_allclose(stressed.open[lag:], stressed.close[: 50 - lag], rtol=1e-12)


def test_spreads_widen_and_crossed_quotes_stay_crossed(build_frames: Build) -> None:
    frames = build_frames(50, 4, has_tape=True)
    wild = StressScenario(name="wild", shock_sessions=20, volatility_multiplier=3.0)
    stressed = stress_frames(frames, wild)
    assert frames.tape is not None
    assert stressed.tape is not None
    one, other = (np.log(each[..., 1] / each[..., 0]) for each in (frames.tape, stressed.tape))
    assert np.nanmin(one) < 0
    np.testing.assert_allclose(other[1:21], 3.0 * one[1:21], atol=1e-12)
    np.testing.assert_array_equal(other[21:], one[21:])
    np.testing.assert_array_equal(stressed.tape[..., 2:], frames.tape[..., 2:])


def test_a_symbol_listed_in_the_shock_takes_the_drift(build_frames: Build) -> None:
    frames = build_frames(40, 3)
    for name in BAR_FIELDS:
        getattr(frames, name)[:6, 2] = np.nan
    frames.present[:6, 2] = False
    crash = StressScenario(name="crash", market_shock_frac=-0.4, shock_sessions=10, volatility_multiplier=2.0)
    stressed = stress_frames(frames, crash)
    depth = np.log(0.6 / market_path(frames, 0)[10])
    assert np.log(stressed.close[6, 2] / frames.close[6, 2]) == pytest.approx(0.6 * depth)
    assert np.log(stressed.close[10:, 2] / frames.close[10:, 2]) == pytest.approx(depth)


def test_the_same_frames_give_the_same_stress_and_are_not_changed(build_frames: Build) -> None:
    frames, untouched = build_frames(50, 4, has_tape=True), build_frames(50, 4, has_tape=True)
    for scenario in SCENARIOS:
        one, other = stress_frames(frames, scenario), stress_frames(untouched, scenario)
        for name in (*BAR_FIELDS, "tape"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    fresh = build_frames(50, 4, has_tape=True)
    for name in (*BAR_FIELDS, "tape", "present"):
        np.testing.assert_array_equal(getattr(frames, name), getattr(fresh, name))


@pytest.mark.parametrize(("name", "value"), [("low", 0.0), ("high", 1.0), ("close", np.nan)])
def test_a_bar_that_contradicts_itself_is_refused(build_frames: Build, name: str, value: float) -> None:
    frames = build_frames(50, 4)
    getattr(frames, name)[7, 2] = value
    with pytest.raises(DataValidationError, match="in row 7, column 2"):
        stress_frames(frames, SCENARIOS[0])


def test_prices_that_no_float_can_hold_are_refused(build_frames: Build) -> None:
    beyond = StressScenario(name="beyond", shock_sessions=40, volatility_multiplier=1e5)
    with pytest.raises(DataValidationError, match="prices must be positive"):
        stress_frames(build_frames(50, 4), beyond)


@pytest.fixture(scope="module")
def fifty_stocks(market_data_dir: Path) -> FrameTensor:
    bars = pl.read_parquet(market_data_dir / "sp500_daily_2013_2018.parquet").drop_nulls()
    is_bar = (pl.col("low") <= pl.min_horizontal("open", "close")) & (
        pl.col("high") >= pl.max_horizontal("open", "close")
    )
    counts = bars.filter(is_bar).group_by("symbol").len().sort("symbol")
    symbols = tuple(counts.filter(pl.col("len") > 1_200)["symbol"][:50])
    bars = bars.filter(is_bar & pl.col("symbol").is_in(symbols))
    columns: dict[str, Any] = {name: bars[name].to_numpy() for name in ("open", "high", "low", "close", "volume")}
    columns["vwap"] = (columns["high"] + columns["low"] + columns["close"]) / 3
    codes = bars["symbol"].replace_strict(symbols, range(50), return_dtype=pl.Int64).to_numpy()
    return pivot_bars(codes, bars["ts"].dt.timestamp("ns").to_numpy() + SESSION_NS, columns, symbols)


@pytest.mark.realdata
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_fifty_stocks_over_five_years_do_what_the_scenario_says(
    fifty_stocks: FrameTensor, scenario: StressScenario
) -> None:
    start_row = 250
    stressed = stress_frames(fifty_stocks, scenario, start_row)
    span = locate_span(fifty_stocks, scenario, start_row)
    assert_valid(stressed)
    assert not span.is_compressed
    whole = fifty_stocks.present[start_row : span.trough_row + 1].all(axis=0)
    assert whole.sum() >= 45
    one, other = (returns_in_shock(each, span)[:, whole] for each in (fifty_stocks, stressed))
    np.testing.assert_allclose(other.std(axis=0), scenario.volatility_multiplier * one.std(axis=0), rtol=1e-7)
    gained = average_correlation(other) - average_correlation(one)
    assert gained == pytest.approx(scenario.correlation_increase, abs=0.01)
    reached = market_path(stressed, start_row)[span.trough_row - start_row] - 1.0
    if scenario.market_shock_frac:
        assert reached == pytest.approx(scenario.market_shock_frac, abs=1e-9)
    np.testing.assert_array_equal(
        stressed.close[span.recovered_row + 1 :], fifty_stocks.close[span.recovered_row + 1 :]
    )
