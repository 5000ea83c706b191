"""Ratios of an equity curve, held against pandas and scipy."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outcry.backtest.analytics.drawdown_metrics import drawdown_metrics
from outcry.backtest.analytics.return_metrics import return_metrics
from outcry.backtest.analytics.session_returns import session_returns, session_rows, sessions_per_year

DAY_NS = 86_400_000_000_000
session_return_lists = st.lists(st.floats(-0.2, 0.2), min_size=21, max_size=80)


def daily(returns: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return DAY_NS * np.arange(1, len(returns) + 1), 1_000.0 * np.cumprod(1.0 + np.array(returns))


@given(session_return_lists)
def test_ratios_agree_with_pandas_and_scipy(returns: list[float]) -> None:
    ts_close_ns, equity = daily(returns)
    series = pd.Series(np.concatenate(([1_000.0], equity))).pct_change().dropna()
    metrics = return_metrics(ts_close_ns, equity, 1_000.0, 252.0)
    if series.std() < 1e-9:
        return
    assert metrics.volatility_per_year == pytest.approx(series.std() * math.sqrt(252))
    assert metrics.sharpe == pytest.approx(series.mean() / series.std() * math.sqrt(252), abs=1e-9)
    assert metrics.annual_return_frac == pytest.approx((equity[-1] / 1_000.0) ** (252 / len(returns)) - 1)
    assert metrics.var_95_frac == pytest.approx(-series.quantile(0.05), abs=1e-12)
    expected = stats.ttest_1samp(series, 0.0)
    assert metrics.t_statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert metrics.p_value == pytest.approx(expected.pvalue, abs=1e-9)


@given(session_return_lists)
def test_drawdown_agrees_with_pandas(returns: list[float]) -> None:
    _, equity = daily(returns)
    series = pd.Series(np.concatenate(([1_000.0], equity)))
    depth = 1.0 - series / series.cummax()
    metrics = drawdown_metrics(equity, 1_000.0)
    assert metrics.max_frac == pytest.approx(depth.max(), abs=1e-12)
    assert metrics.average_frac == pytest.approx(depth[1:].mean(), abs=1e-12)
    under = (depth[1:] > 0).astype(int)
    assert metrics.longest_bars == int(under.groupby((under == 0).cumsum()).sum().max())


def test_recovery_counts_frames_from_the_deepest_point_back_to_its_peak() -> None:
    assert drawdown_metrics(np.array([100.0, 80.0, 90.0, 100.0, 95.0]), 100.0).recovery_bars == 2
    assert drawdown_metrics(np.array([100.0, 80.0, 90.0]), 100.0).recovery_bars is None


def test_intraday_frames_are_measured_by_session() -> None:
    ts_close_ns = np.concatenate([day * DAY_NS + np.arange(1, 79) * 300_000_000_000 for day in range(30)])
    equity = 1_000.0 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 1e-3, len(ts_close_ns))))
    closes_of_day = pd.Series(equity, pd.to_datetime(ts_close_ns - 1)).resample("D").last().to_numpy()
    assert sessions_per_year(ts_close_ns, 252.0 * 78.0) == 252.0
    np.testing.assert_array_equal(equity[session_rows(ts_close_ns)], closes_of_day)
    intraday = return_metrics(ts_close_ns, equity, 1_000.0, 252.0 * 78.0)
    by_day = return_metrics(DAY_NS * np.arange(1, 31), closes_of_day, 1_000.0, 252.0)
    assert intraday.sharpe == by_day.sharpe


def test_a_bar_that_closes_at_midnight_belongs_to_the_day_it_ends() -> None:
    assert session_rows(np.array([DAY_NS - 1, DAY_NS, DAY_NS + 1])).tolist() == [1, 2]


@pytest.mark.parametrize("equity", [[1_000.0], [1_000.0] * 40, [500.0, 0.0, 0.0], [900.0, -5.0, -5.0]])
def test_a_figure_that_is_not_defined_is_none_and_never_infinite(equity: list[float]) -> None:
    metrics = return_metrics(DAY_NS * np.arange(1, len(equity) + 1), np.array(equity), 1_000.0, 252.0)
    assert all(math.isfinite(value) for value in dataclasses.astuple(metrics) if value is not None)
    assert np.isfinite(session_returns(DAY_NS * np.arange(1, len(equity) + 1), np.array(equity), 1_000.0)).all()
    assert len(equity) != 40 or metrics.sharpe is None
