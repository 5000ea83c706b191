"""A benchmark is joined as of the closes of the run, pays its costs, and is rebalanced every month."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from outcry.backtest.analytics.benchmark import buy_and_hold
from outcry.backtest.analytics.benchmark_equity import benchmark_equity
from outcry.backtest.analytics.session_returns import DAY_NS
from outcry.backtest.analytics.summary import analyse
from outcry.backtest.benchmark import Benchmark
from outcry.backtest.history import AssumedCosts, RunHistory
from outcry.backtest.report.key_figures import key_figures
from outcry.backtest.report.page import render_page
from outcry.backtest.report.run_figures import figures_of

Build = Callable[..., RunHistory]
FREE = AssumedCosts(slippage_bps=0.0)


def prices(ts_close_ns: np.ndarray, n_symbols: int, seed: int = 3) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0.0005, 0.012, (len(ts_close_ns), n_symbols))
    return np.asarray(100.0 * np.exp(np.cumsum(steps, axis=0)))


def against(history: RunHistory, weights: list[float], closes: np.ndarray, ts_ns: np.ndarray | None = None, **facts):
    times = history.ts_close_ns if ts_ns is None else ts_ns
    benchmark = Benchmark("its benchmark", np.array(weights), facts.pop("cash_per_year", 0.02), times, closes)
    return dataclasses.replace(history, benchmark=benchmark, **facts)


def test_all_of_one_symbol_is_bought_and_held(build_history: Build) -> None:
    history = build_history(n=400)
    closes = prices(history.ts_close_ns, 1)
    found = benchmark_equity(against(history, [1.0], closes))
    np.testing.assert_allclose(found, buy_and_hold(closes, history.initial_cash, history.costs), rtol=1e-6)
    dear = AssumedCosts(2.0, 0.005, 1.0, min_commission=25.0)
    found = benchmark_equity(against(history, [1.0], closes, costs=dear))
    np.testing.assert_allclose(found, buy_and_hold(closes, history.initial_cash, dear), rtol=1e-6)


def test_weights_are_bought_again_every_month(build_history: Build) -> None:
    history = build_history(n=400)
    closes = prices(history.ts_close_ns, 2)
    found = benchmark_equity(against(history, [0.6, 0.3], closes, costs=FREE, cash_per_year=0.0))
    # The same with pandas: between rebalancings each part grows by its price.
    frame = pd.DataFrame(closes, index=pd.to_datetime(history.ts_close_ns - 1))
    first = ~frame.index.to_period("M").duplicated()
    month, worth, expected = first.cumsum(), history.initial_cash, np.empty(len(frame))
    for number in range(1, month[-1] + 1):
        # From the first close of a month to that of the next one, inclusive: there it is bought again.
        rows = np.flatnonzero((month == number) | (first & (month == number + 1)))
        expected[rows] = worth * (0.1 + frame.iloc[rows] / frame.iloc[rows[0]] @ np.array([0.6, 0.3]))
        worth = expected[rows[-1]]
    np.testing.assert_allclose(found, expected)


def test_turning_over_at_a_cost_earns_less(build_history: Build) -> None:
    history = build_history(n=400)
    closes = prices(history.ts_close_ns, 2)
    free, paid = (
        benchmark_equity(against(history, [0.5, 0.5], closes, costs=costs)) for costs in (FREE, AssumedCosts(10.0))
    )
    entry = history.initial_cash * 0.001
    assert paid[0] == pytest.approx(free[0] - entry)
    assert 1.0 - paid[-1] / free[-1] > 0.001  # the entry, and something every month


def test_cash_earns_its_rate_and_has_no_beta(build_history: Build) -> None:
    history = against(build_history(n=300), [], np.empty((0, 0)), np.empty(0, dtype=np.int64), cash_per_year=0.05)
    summary = analyse(history).summary
    assert summary.benchmark is not None
    assert summary.benchmark.total_return_frac == pytest.approx((1 + 0.05 / 252) ** 300 - 1)
    assert summary.regression is not None
    assert (summary.regression.beta, summary.regression.treynor) == (None, None)
    plain = analyse(dataclasses.replace(history, benchmark=None, risk_free_per_year=0.05)).summary
    # Against cash the information ratio is the Sharpe ratio above that cash.
    assert summary.regression.information_ratio == pytest.approx(plain.returns.sharpe)
    assert "n/a" in dict(key_figures(summary)["Against the benchmark"])["Beta"]


def test_a_price_is_known_from_its_close_on_and_not_before(build_history: Build) -> None:
    history = build_history(n=6)
    ts_ns = history.ts_close_ns
    late = np.array([ts_ns[1] + 1, ts_ns[3]])  # just too late for frame 1
    found = benchmark_equity(against(history, [1.0], np.array([[10.0], [20.0]]), late, costs=FREE, cash_per_year=0.0))
    np.testing.assert_allclose(found / history.initial_cash, [1, 1, 1, 2, 2, 2])


def test_daily_closes_beside_hourly_frames(build_history: Build) -> None:
    daily = build_history(n=40)
    hours = (daily.ts_close_ns[:, np.newaxis] - 3_600_000_000_000 * np.array([3, 2, 1, 0])).ravel()
    columns = {
        name: np.repeat(getattr(daily, name), 4, axis=0)
        for name in ("equity", "cash", "gross_exposure", "net_exposure", "drawdown", "closes", "probability")
    }
    hourly = dataclasses.replace(daily, ts_close_ns=hours, bars_per_year=1008.0, **columns)
    closes = prices(daily.ts_close_ns, 1)
    found = benchmark_equity(against(hourly, [1.0], closes, daily.ts_close_ns, costs=FREE, cash_per_year=0.0))
    expected = benchmark_equity(against(daily, [1.0], closes, costs=FREE, cash_per_year=0.0))
    np.testing.assert_allclose(found[3::4], expected)
    assert (found[:3] == daily.initial_cash).all()


def test_sessions_without_a_price_are_said_and_not_compared(build_history: Build) -> None:
    history = build_history(n=120)
    closes, kept = prices(history.ts_close_ns, 1), slice(20, 80)
    part = against(history, [1.0], closes[kept], history.ts_close_ns[kept])
    summary = analyse(part).summary
    assert summary.n_compared_sessions == 60 + 4  # a price is good for four days
    assert any("has prices in 64 of 120 sessions" in text for text in summary.warnings)
    rows = slice(20, 84)
    found, filled = summary.regression, np.concatenate((np.zeros(21), np.diff(closes[20:80, 0]) / closes[20:79, 0]))
    filled = np.concatenate((filled, np.zeros(40)))
    filled[20] = -0.000_24
    returns = np.diff(history.equity, prepend=history.initial_cash) / np.concatenate(
        ([history.initial_cash], history.equity[:-1])
    )
    assert found is not None
    assert found.beta == pytest.approx(np.cov(returns[rows], filled[rows])[0, 1] / filled[rows].var(ddof=1), rel=1e-3)


def test_a_run_that_ends_before_its_benchmark_begins_is_reported_without_one(build_history: Build) -> None:
    history = build_history(n=60)
    later = history.ts_close_ns + 100 * DAY_NS
    history = against(history, [1.0], prices(later, 1), later)
    analysis = analyse(history)
    summary = analysis.summary
    assert (summary.benchmark, summary.regression, analysis.benchmark_equity) == (None, None, None)
    assert any("its benchmark, has no price in the traded span" in text for text in summary.warnings)
    assert "its benchmark" not in summary.verdict
    assert "none in the traded span" in render_page(history, analysis)
    assert figures_of(history, summary).figures["beta"] is None


def test_the_verdict_and_the_figures_name_the_benchmark(build_history: Build) -> None:
    history = build_history(n=200)
    history = against(history, [1.0], 100.0 + np.arange(200.0)[:, np.newaxis])
    summary = analyse(history).summary
    assert "; its benchmark gained 198.9" in summary.verdict
    assert dict(key_figures(summary)["Against the benchmark"])["Benchmark"] == "its benchmark"
    assert figures_of(history, summary).settings["benchmark"] == "its benchmark"
    assert math.isclose(figures_of(history, summary).figures["beta"], summary.regression.beta)
