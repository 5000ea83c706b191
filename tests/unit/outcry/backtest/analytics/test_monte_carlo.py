"""Resampled paths promise what arithmetic says they must."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outcry.backtest.analytics.drawdown_metrics import drawdown_metrics
from outcry.backtest.analytics.monte_carlo import DEPTHS, LEVELS, resample_returns, resample_trades, summarise_paths
from outcry.backtest.analytics.round_trips import Trade
from outcry.messages import Side


def trade(pnl: float) -> Trade:
    return Trade("AAA", Side.BUY, 1.0, 0, 1, 100.0, 100.0 + pnl, 0.0, pnl)


def test_paths_of_independent_returns_spread_as_the_square_root_of_time() -> None:
    returns = np.random.default_rng(0).normal(0.0005, 0.01, 1_000)
    paths = resample_returns(returns, np.random.default_rng(1), n_paths=2_000)
    assert paths is not None
    logs = np.log(paths[:, -1])
    growth = np.log1p(returns)
    assert logs.mean() == pytest.approx(1_000 * growth.mean(), abs=4 * growth.std() * math.sqrt(1_000 / 2_000))
    assert logs.std() == pytest.approx(growth.std() * math.sqrt(1_000), rel=0.1)


def test_drawdowns_of_a_random_walk_are_as_deep_as_its_reflection_says() -> None:
    """Without drift the largest drawdown is distributed as the largest |W|: Lévy's theorem."""
    n, deviation = 2_000, 0.001
    returns = np.random.default_rng(2).normal(0.0, deviation, n)
    returns -= returns.mean()
    paths = resample_returns(returns, np.random.default_rng(3), n_paths=1_000)
    assert paths is not None
    found = summarise_paths(paths)
    walks = np.abs(np.random.default_rng(4).normal(0, deviation, (2_000, n)).cumsum(axis=1)).max(axis=1)
    np.testing.assert_allclose(found.max_drawdown_fracs[1:4], np.quantile(walks, LEVELS[1:4]), rtol=0.1)


@given(st.lists(st.floats(-0.3, 0.3), min_size=10, max_size=60), st.integers(0, 2**32 - 1))
def test_a_summary_is_that_of_each_path(values: list[float], seed: int) -> None:
    paths = resample_returns(np.array(values), np.random.default_rng(seed), n_paths=50)
    assert paths is not None
    found = summarise_paths(paths)
    depth = [drawdown_metrics(path, 1.0).max_frac for path in paths]
    np.testing.assert_allclose(found.max_drawdown_fracs, np.quantile(depth, LEVELS), atol=1e-12)
    assert found.loss_probability == np.mean(paths[:, -1] < 1)
    assert found.depth_probabilities == tuple(np.mean(np.array(depth) >= each) for each in DEPTHS)
    assert list(found.total_return_fracs) == sorted(found.total_return_fracs)


def test_trades_keep_their_mean_and_a_ruined_path_stays_ruined() -> None:
    trades = [trade(pnl) for pnl in np.random.default_rng(5).normal(10.0, 100.0, 200)]
    paths = resample_trades(trades, 100_000.0, np.random.default_rng(6), n_paths=2_000)
    assert paths is not None
    earned = 100_000.0 * (paths[:, -1] - 1.0)
    assert stats.ttest_1samp(earned, sum(each.pnl for each in trades)).pvalue > 0.01
    ruinous = resample_trades([trade(pnl) for pnl in (-60.0, 50.0) * 10], 100.0, np.random.default_rng(7))
    assert ruinous is not None
    ends = ruinous[(ruinous == 0).any(axis=1)]
    assert len(ends)
    assert (ends[:, -1] == 0).all()


def test_too_little_is_not_resampled() -> None:
    assert resample_returns(np.zeros(5), np.random.default_rng(0)) is None
    assert resample_trades([trade(1.0)] * 5, 1_000.0, np.random.default_rng(0)) is None
