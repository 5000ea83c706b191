"""The interval of the Sharpe ratio covers the truth as often as it says."""

import numpy as np
import pytest

from outcry.backtest.analytics.bootstrap import optimal_mean_block, sharpe_interval, stationary_indices


def autoregressive(n: int, phi: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(0.0, 0.01, n)
    values = np.zeros(n)
    for t in range(1, n):
        values[t] = phi * values[t - 1] + noise[t]
    return values


def test_the_interval_covers_the_true_sharpe_at_about_its_level() -> None:
    rng = np.random.default_rng(11)
    true_sharpe = 0.0005 / 0.01 * np.sqrt(252)
    n_runs, covered = 400, 0
    for _ in range(n_runs):
        interval = sharpe_interval(rng.normal(0.0005, 0.01, 250), 252.0, rng, n_resamples=300)
        assert interval is not None
        covered += interval.low <= true_sharpe <= interval.high
    # Binomial(400, 0.95) has a deviation of 1.1 %; a percentile interval of 250 returns is up to 1 % too narrow.
    assert covered / n_runs == pytest.approx(0.95, abs=0.03)


def test_dependent_returns_ask_for_longer_blocks_than_independent_ones() -> None:
    rng = np.random.default_rng(3)
    independent = np.median([optimal_mean_block(rng.normal(size=500)) for _ in range(20)])
    dependent = np.median([optimal_mean_block(autoregressive(500, 0.7, rng)) for _ in range(20)])
    assert independent < 5 < dependent


def test_blocks_are_as_long_as_asked_on_average() -> None:
    indices = stationary_indices(500, 400, 8.0, np.random.default_rng(4))
    follows = (np.diff(indices, axis=1) % 500) == 1
    # A new block starts with probability 1/8, and goes on where it was by chance with 1/500.
    assert follows.mean() == pytest.approx(7 / 8 + 1 / 8 / 500, abs=0.003)
    counts = np.bincount(indices.ravel(), minlength=500)
    assert counts.min() > 0.6 * counts.mean()


def test_the_same_seed_gives_the_same_interval() -> None:
    returns = np.random.default_rng(1).normal(0, 0.01, 100)
    first, second = (sharpe_interval(returns, 252.0, np.random.default_rng(9)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("returns", [np.array([0.01]), np.zeros(50), np.full(50, 0.001)])
def test_there_is_no_interval_without_evidence(returns: np.ndarray) -> None:
    assert sharpe_interval(returns, 252.0, np.random.default_rng(0)) is None
