"""Probabilities of skill, held against quantstats and against what they promise on noise."""

import numpy as np
import pandas as pd
import pytest
import quantstats.stats as qs
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outcry.backtest.analytics.significance import min_track_record, probabilistic_sharpe, timing_test

return_lists = st.lists(st.floats(-0.2, 0.2), min_size=20, max_size=80)


@given(return_lists)
def test_the_probability_of_skill_is_that_of_quantstats(values: list[float]) -> None:
    returns = np.array(values)
    probability = probabilistic_sharpe(returns)
    if probability is None:
        assert returns.std() < 1e-9 or stats.skew(returns, bias=False) ** 2 > 0.5  # no variance is left to estimate
        return
    series = pd.Series(returns, index=pd.date_range("2020-01-01", periods=len(returns)))
    assert probability == pytest.approx(qs.probabilistic_sharpe_ratio(series), abs=1e-9)


def test_the_probability_of_a_normal_series_is_that_of_its_t_test() -> None:
    returns = np.random.default_rng(3).normal(0.0005, 0.01, 5_000)
    assert probabilistic_sharpe(returns) == pytest.approx(
        1 - stats.ttest_1samp(returns, 0.0, alternative="greater").pvalue, abs=2e-3
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.9, 0.95, 0.99]))
def test_a_track_record_of_the_least_length_just_has_the_probability(seed: int, level_frac: float) -> None:
    returns = np.random.default_rng(seed).normal(0.001, 0.01, 100)
    needed = min_track_record(returns, level_frac=level_frac)
    probability = probabilistic_sharpe(returns)
    assert probability is not None
    if needed is None:
        assert returns.mean() <= 0
    else:
        assert (len(returns) >= needed) == (probability >= level_frac)


def test_there_is_no_probability_without_variance_and_no_record_that_proves_a_loss() -> None:
    assert probabilistic_sharpe(np.full(50, 0.01)) is None
    assert probabilistic_sharpe(np.array([0.01, 0.02])) is None
    assert min_track_record(-np.abs(np.random.default_rng(0).normal(0, 0.01, 100))) is None


def held_at_random(rng: np.random.Generator, n: int) -> np.ndarray:
    """Positions that are kept for days on end, as those of a strategy are."""
    return np.repeat(rng.normal(0.0, 0.3, (n // 8 + 1, 3)), 8, axis=0)[:n]


def test_p_values_of_timing_are_uniform_on_noise_that_clusters_and_drifts() -> None:
    p_values = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        volatility = np.exp(np.cumsum(rng.normal(0, 0.05, 200)))
        returns = 0.002 + 0.01 * (volatility / volatility.mean())[:, np.newaxis] * rng.normal(size=(200, 3))
        test = timing_test(0.5 + held_at_random(rng, 200), returns)
        assert test is not None
        p_values.append(test.p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_positions_that_know_the_returns_are_told_from_noise() -> None:
    rng = np.random.default_rng(0)
    returns = rng.normal(0, 0.01, (500, 3))
    known = timing_test(np.sign(returns) * (rng.random(returns.shape) < 0.6), returns)
    assert known is not None
    assert known.p_value == pytest.approx(1 / 500)
    assert known.gain > 10 * abs(known.expected_gain)


def test_gains_of_all_shifts_are_those_of_a_loop() -> None:
    rng = np.random.default_rng(1)
    weights, returns = held_at_random(rng, 100), rng.normal(0, 0.01, (100, 3))
    gains = [float((weights * np.roll(returns, -k, axis=0)).sum()) for k in range(100)]
    test = timing_test(weights, returns)
    assert test is not None
    assert test.gain == pytest.approx(gains[0])
    assert test.expected_gain == pytest.approx(np.mean(gains))
    assert test.p_value == sum(gain >= gains[0] for gain in gains) / 100


def test_positions_that_never_change_have_no_timing() -> None:
    returns = np.random.default_rng(0).normal(0, 0.01, (200, 2))
    assert timing_test(np.full((200, 2), 0.5), returns) is None
    assert timing_test(returns[:20], returns[:20]) is None
