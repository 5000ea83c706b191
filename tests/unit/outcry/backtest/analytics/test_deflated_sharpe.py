"""Deflated Sharpe ratios: the example of the paper, and what they promise on noise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outcry.backtest.analytics.deflated_sharpe import (
    DeflatedSharpe,
    deflated_sharpe,
    effective_trials,
    expected_max_sharpe,
    sharpe_by_trial,
)
from outcry.backtest.analytics.significance import probabilistic_sharpe
from outcry.errors import ConfigurationError, DataValidationError

seeds = st.integers(0, 2**32 - 1)


def best_of(returns: np.ndarray, n_independent: float | None = None) -> DeflatedSharpe:
    ratios = sharpe_by_trial(returns)
    found = deflated_sharpe(returns[:, np.nanargmax(ratios)], ratios, n_independent)
    assert found is not None
    return found


def sample_of_the_paper() -> tuple[np.ndarray, np.ndarray]:
    """1,250 daily returns with a Sharpe ratio of 2.5 a year, skewness -3 and kurtosis 10, and 100 ratios around it.

    A kurtosis of skewness² + 1 is that of two values: 105 of the returns are the low one. The ratios have the variance
    1/2 in a year of 250 days.
    """
    ratio = 2.5 / math.sqrt(250)
    returns = np.ones(1_250)
    returns[np.linspace(5, 1_245, 105).astype(int)] = -1.0
    returns = (returns - returns.mean()) / returns.std(ddof=1) + ratio
    others = math.sqrt((99 / 500 - 2 * ratio**2) / 98)
    return returns, np.concatenate(([ratio, -ratio], np.full(49, others), np.full(49, -others)))


def test_the_example_of_the_paper_comes_out() -> None:
    returns, ratios = sample_of_the_paper()
    assert ratios.var(ddof=1) == pytest.approx(0.5 / 250)
    assert stats.skew(returns) == pytest.approx(-3, abs=0.01)
    found = deflated_sharpe(returns, ratios)
    assert found is not None
    assert found.n_trials == 100
    assert found.expected_max_sharpe == pytest.approx(0.1132, abs=5e-5)
    assert found.deflated_sharpe_frac == pytest.approx(0.9004, abs=2e-4)  # 105 / 1,250 is not quite the share
    fewer = deflated_sharpe(returns, ratios, n_independent=46)
    assert fewer is not None
    assert fewer.deflated_sharpe_frac == pytest.approx(0.9505, abs=2e-4)


@pytest.mark.parametrize("n_trials", [10, 100, 1_000])
def test_the_expected_best_is_that_of_simulated_ratios(n_trials: int) -> None:
    best = np.random.default_rng(1).normal(0, 0.3, (4_000, n_trials)).max(axis=1)
    # Standard error 0.3 * 0.6 / sqrt(4,000) = 0.003; the approximation itself is within 2 %.
    assert expected_max_sharpe(0.09, n_trials) == pytest.approx(best.mean(), rel=0.03)


@given(st.floats(0, 10), st.floats(1, 1e6), st.floats(1, 10))
def test_the_threshold_rises_with_trials_and_with_their_spread(variance: float, n: float, times: float) -> None:
    threshold = expected_max_sharpe(variance, n)
    assert 0 <= threshold <= expected_max_sharpe(variance, n * times) + 1e-12
    assert expected_max_sharpe(variance * times**2, n) == pytest.approx(times * threshold)


def test_one_trial_has_nothing_to_be_better_than() -> None:
    assert expected_max_sharpe(1.0, 1) == 0.0
    returns, ratios = sample_of_the_paper()
    found = deflated_sharpe(returns, ratios, n_independent=1)
    assert found is not None
    assert found.deflated_sharpe_frac == probabilistic_sharpe(returns)


def noise(kind: str, n_periods: int, n_trials: int, rng: np.random.Generator) -> np.ndarray:
    own = rng.standard_t(4, (n_periods, n_trials))
    if kind == "independent":
        return own
    if kind == "grouped":
        return np.repeat(own[:, : n_trials // 10], 10, axis=1) + 0.1 * own
    share = {"alike": 0.5, "nearly the same": 0.9}[kind]
    return math.sqrt(share) * rng.standard_t(4, (n_periods, 1)) + math.sqrt(1 - share) * own


@pytest.mark.parametrize("kind", ["independent", "grouped", "alike", "nearly the same"])
def test_luck_passes_for_skill_in_five_percent_of_sweeps_at_most(kind: str) -> None:
    rng = np.random.default_rng(20)
    found = np.array([best_of(noise(kind, 250, 50, rng)).deflated_sharpe_frac for _ in range(300)])
    # Binomial(300, 0.05) has a deviation of 1.3 %: three of them above 5 % at most.
    assert (found > 0.95).mean() <= 0.05 + 0.038
    # It is no uniform p-value: the threshold is the expected best, so half of the sweeps are on either side of it.
    assert 0.25 < np.median(found) < 0.65
    if kind == "independent":
        assert (found > 0.95).mean() <= 0.01


@pytest.mark.parametrize("n_trials", [2, 5])
def test_luck_passes_as_rarely_where_few_were_tried(n_trials: int) -> None:
    rng = np.random.default_rng(21)
    found = np.array([best_of(noise("independent", 60, n_trials, rng)).deflated_sharpe_frac for _ in range(200)])
    assert (found > 0.95).mean() <= 0.05


def test_the_one_trial_with_skill_is_found() -> None:
    n_found, n_runs = 0, 50
    for seed in range(n_runs):
        returns = np.random.default_rng(seed).normal(0, 0.01, (1_000, 100))
        returns[:, 37] += 0.0025  # 4 a year: 0.25 a day against an expected best of 0.08 to 0.09
        ratios = sharpe_by_trial(returns)
        n_found += int(ratios.argmax()) == 37 and best_of(returns).deflated_sharpe_frac > 0.95
    assert n_found == n_runs


@given(seeds, st.integers(2, 30), st.integers(5, 60))
def test_effective_trials_are_those_of_the_mean_correlation(seed: int, n_trials: int, n_periods: int) -> None:
    returns = noise("alike", n_periods, n_trials, np.random.default_rng(seed))
    correlation = np.corrcoef(returns.T)
    mean = correlation[~np.eye(n_trials, dtype=bool)].mean()
    found = effective_trials(returns)
    assert found == pytest.approx(np.clip(mean + (1 - mean) * n_trials, 1, n_trials))


def test_effective_trials_of_copies_is_one_and_of_independent_trials_their_number() -> None:
    returns = np.random.default_rng(0).normal(0, 0.01, (2_000, 40))
    assert effective_trials(np.repeat(returns[:, :1], 12, axis=1)) == pytest.approx(1.0)
    assert effective_trials(returns) == pytest.approx(40, rel=0.01)
    assert effective_trials(np.column_stack((returns[:, :3], np.zeros(2_000)))) == pytest.approx(3, rel=0.05)
    assert effective_trials(returns[:, :1]) == 1.0
    assert effective_trials(np.zeros((50, 3))) is None


def test_trials_that_failed_or_never_traded_are_left_out() -> None:
    returns = np.random.default_rng(2).normal(0, 0.01, (300, 6))
    idle = np.column_stack((returns, np.zeros(300)))
    ratios = sharpe_by_trial(idle)
    assert np.isnan(ratios).tolist() == [False] * 6 + [True]
    assert best_of(idle) == best_of(returns)


def test_what_cannot_be_deflated_is_none_or_an_error() -> None:
    returns = np.random.default_rng(3).normal(0, 0.01, (300, 4))
    ratios = sharpe_by_trial(returns)
    assert deflated_sharpe(np.zeros(300), ratios) is None
    assert deflated_sharpe(returns[:, 0], ratios[:1]) is None
    assert deflated_sharpe(returns[:5, 0], sharpe_by_trial(returns[:5])) is None
    with pytest.raises(DataValidationError, match="must hold that of returns"):
        deflated_sharpe(returns[:, 0], ratios * math.sqrt(252))
    with pytest.raises(DataValidationError, match="infinite"):
        deflated_sharpe(returns[:, 0], np.append(ratios, np.inf))
    with pytest.raises(ConfigurationError, match="at least 1"):
        deflated_sharpe(returns[:, 0], ratios, n_independent=0.5)
    returns[7, 2] = np.nan
    for measure in (effective_trials, sharpe_by_trial):
        with pytest.raises(DataValidationError, match="first in 2"):
            measure(returns)
        with pytest.raises(DataValidationError, match="shape"):
            measure(returns[:, 0])
