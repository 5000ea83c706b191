"""Cross-validation of the choice of a trial, held against a slow one, and against what it promises on noise."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from outcry.backtest.analytics import overfitting
from outcry.backtest.analytics.overfitting import Overfitting, backtest_overfitting
from outcry.errors import ConfigurationError, DataValidationError

seeds = st.integers(0, 2**32 - 1)


def measured(returns: np.ndarray, n_blocks: int = 8) -> Overfitting:
    found = backtest_overfitting(returns, n_blocks)
    assert found is not None
    return found


def slowly(returns: np.ndarray, n_blocks: int) -> list[tuple[float, float, float]]:
    """Logit, ratio in sample and ratio out of sample of every combination, straight from the paper."""
    n_periods, n_trials = returns.shape
    block_of_period = np.searchsorted(np.arange(1, n_blocks) * n_periods // n_blocks, np.arange(n_periods), "right")
    found = []
    for chosen in combinations(range(n_blocks), n_blocks // 2):
        is_in = np.isin(block_of_period, chosen)
        inside, outside = (part.mean(axis=0) / part.std(axis=0, ddof=1) for part in (returns[is_in], returns[~is_in]))
        best = int(inside.argmax())
        omega = stats.rankdata(outside)[best] / (n_trials + 1)
        found.append((math.log(omega / (1 - omega)), inside[best], outside[best]))
    return found


@settings(max_examples=25)
@given(seeds, st.sampled_from([2, 4, 6]), st.integers(2, 7), st.integers(30, 64), st.floats(-0.01, 0.01))
def test_every_combination_is_that_of_a_slow_computation(
    seed: int, n_blocks: int, n_trials: int, n_periods: int, mean: float
) -> None:
    returns = np.random.default_rng(seed).normal(mean, 0.01, (n_periods, n_trials))
    found = measured(returns, n_blocks)
    ours = np.column_stack((found.logits, found.in_sample_sharpes, found.out_of_sample_sharpes))
    theirs = np.array(slowly(returns, n_blocks))
    assert ours.shape == (math.comb(n_blocks, n_blocks // 2), 3)
    np.testing.assert_allclose(ours[ours[:, 1].argsort()], theirs[theirs[:, 1].argsort()], rtol=1e-9, atol=1e-9)
    assert found.pbo_frac == pytest.approx((theirs[:, 0] < -1e-9).mean() + (abs(theirs[:, 0]) <= 1e-9).mean() / 2)
    assert found.loss_frac == (theirs[:, 2] < 0).mean()


@given(seeds)
def test_degradation_is_the_line_of_scipy(seed: int) -> None:
    found = measured(np.random.default_rng(seed).normal(0, 0.01, (80, 5)))
    line = stats.linregress(found.in_sample_sharpes, found.out_of_sample_sharpes)
    assert found.slope == pytest.approx(line.slope)
    assert found.intercept == pytest.approx(line.intercept)


def test_two_blocks_by_hand() -> None:
    # The first trial wins the first half and is last in the second, and the other way round: always overfit.
    up, down = np.array([0.03, 0.01] * 5), np.array([-0.03, -0.01] * 5)
    returns = np.column_stack((np.append(up, down), np.append(down, up), np.tile([0.01, -0.01], 10)))
    found = measured(returns, n_blocks=2)
    ratio = 0.02 / (0.01 * math.sqrt(10 / 9))
    np.testing.assert_allclose(found.logits, math.log(0.25 / 0.75))
    np.testing.assert_allclose(found.in_sample_sharpes, ratio)
    np.testing.assert_allclose(found.out_of_sample_sharpes, -ratio)
    assert (found.pbo_frac, found.loss_frac, found.slope, found.intercept) == (1.0, 1.0, None, None)


def test_of_noise_the_choice_is_poor_in_half_of_the_cases() -> None:
    rng = np.random.default_rng(0)
    found = [measured(rng.normal(0, 0.01, (160, n_trials))) for n_trials in (3, 20, 51) for _ in range(200)]
    # One sweep deviates by 0.2 to 0.3, so the mean of 600 by 0.01; three of these.
    assert np.mean([each.pbo_frac for each in found]) == pytest.approx(0.5, abs=0.03)
    # Choosing does not help: the chosen trial loses as often as it gains, and better in sample is worse out of it.
    assert np.mean([each.loss_frac for each in found]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([each.slope for each in found if each.slope is not None]) < 0


def test_the_one_trial_with_skill_is_chosen_and_stays_good() -> None:
    for seed in range(30):
        returns = np.random.default_rng(seed).normal(0, 0.01, (500, 50))
        returns[:, 11] += 0.004  # 0.4 a period; the best of the rest has 0.14 in a half, each with an error of 0.06
        found = measured(returns)
        assert found.pbo_frac < 0.05
        assert found.loss_frac < 0.05


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = np.random.default_rng(5).normal(0, 0.01, (200, 9))
    at_once = measured(returns)
    monkeypatch.setattr(overfitting, "_CHUNK_CELLS", 40)
    in_chunks = measured(returns)
    np.testing.assert_array_equal(at_once.logits, in_chunks.logits)
    np.testing.assert_allclose(at_once.out_of_sample_sharpes, in_chunks.out_of_sample_sharpes, rtol=1e-12)


@given(seeds, st.floats(1e-6, 1e6))
def test_the_size_of_positions_changes_nothing(seed: int, times: float) -> None:
    returns = np.random.default_rng(seed).normal(0, 0.01, (80, 6))
    found, scaled = measured(returns), measured(returns * times)
    np.testing.assert_allclose(scaled.logits, found.logits, atol=1e-12)
    np.testing.assert_allclose(scaled.out_of_sample_sharpes, found.out_of_sample_sharpes, rtol=1e-6, atol=1e-9)


def test_equal_trials_share_the_median() -> None:
    returns = np.repeat(np.random.default_rng(6).normal(0, 0.01, (100, 1)), 7, axis=1)
    found = measured(returns)
    assert not found.logits.any()
    assert found.pbo_frac == 0.5


def test_a_trial_that_rests_has_a_ratio_of_zero_there() -> None:
    rng = np.random.default_rng(7)
    losing = rng.normal(-0.01, 0.001, (100, 3))
    resting = np.zeros(100)
    found = measured(np.column_stack((losing, resting)))
    assert not found.in_sample_sharpes.any()
    assert found.pbo_frac == 0.0
    traded_at_first = np.append(rng.normal(0.01, 0.001, 50), np.zeros(50))
    late = measured(np.column_stack((losing, traded_at_first)), n_blocks=2)
    assert sorted(late.out_of_sample_sharpes)[0] == 0.0
    assert np.isfinite(late.in_sample_sharpes).all()


def test_too_little_to_judge_is_none() -> None:
    returns = np.random.default_rng(8).normal(0, 0.01, (79, 4))
    assert backtest_overfitting(returns, 16) is None
    assert backtest_overfitting(returns[:, :1], 8) is None
    assert backtest_overfitting(np.full((100, 4), 0.001), 8) is None


@pytest.mark.parametrize("n_blocks", [-2, 0, 7, 22])
def test_blocks_that_cannot_be_halved_are_refused(n_blocks: int) -> None:
    with pytest.raises(ConfigurationError, match="n_blocks must be even"):
        backtest_overfitting(np.zeros((100, 3)), n_blocks)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_returns_that_are_not_finite_are_refused(value: float) -> None:
    returns = np.zeros((100, 3))
    returns[4, 1] = value
    with pytest.raises(DataValidationError, match="were not in 1 trials, first in 1"):
        backtest_overfitting(returns)
