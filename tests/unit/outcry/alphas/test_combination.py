"""Weights know the past alone, less what is not known yet, and a replay repeats them."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import pearsonr, rankdata

from outcry.alphas.combination import AlphaCombination, combine_alphas
from outcry.alphas.config import CombinationConfig
from outcry.alphas.cross_section import standardise
from outcry.errors import ConfigurationError, DataValidationError, RecoveryError
from outcry.labels.forward import forward_returns
from outcry.market.frame import FloatArray

HORIZON, N_ALPHAS, N_FRAMES, N_SYMBOLS = 4, 3, 90, 8
CONFIG = CombinationConfig(window_frames=30, refit_frames=5, min_payoffs=10)
WEIGHTINGS = get_args(CombinationConfig.model_fields["weighting"].annotation)
MAPS = get_args(CombinationConfig.model_fields["orthogonal"].annotation)


def make_market(seed: int = 1) -> tuple[FloatArray, FloatArray]:
    """Return scores (3, 90, 8) and closes; the first alpha knows a part of what comes, and some are not known."""
    rng = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (N_FRAMES, N_SYMBOLS)), axis=0))
    scores = rng.normal(size=(N_ALPHAS, N_FRAMES, N_SYMBOLS))
    scores[0] += 20.0 * np.nan_to_num(forward_returns(close, HORIZON))
    scores[1] += 0.7 * scores[0]
    scores[:, rng.random((N_FRAMES, N_SYMBOLS)) < 0.05] = np.nan
    scores[2, :20] = np.nan
    close[rng.random(close.shape) < 0.05] = np.nan
    return scores, close


def test_weights_are_those_of_the_payoffs_that_are_known() -> None:
    """Fitted anew from forward returns, whose row t is known at t + horizon."""
    scores, close = make_market()
    forward = forward_returns(close, HORIZON)
    _, weights = combine_alphas(scores, close, HORIZON, CONFIG)
    standard = np.nan_to_num(standardise(scores))
    coefficients = np.full((N_FRAMES, N_ALPHAS), np.nan)
    for t in range(N_FRAMES - HORIZON):
        known = np.isfinite(forward[t])
        for k in range(N_ALPHAS):
            if standard[k, t, known].any():
                coefficients[t, k] = pearsonr(standard[k, t, known], rankdata(forward[t, known])).statistic
    expected = np.full(N_ALPHAS, 1.0 / N_ALPHAS)
    for t in range(N_FRAMES):
        past = coefficients[max(0, t - HORIZON + 1 - 30) : max(0, t - HORIZON + 1)]
        if t % 5 == 0 and len(past) >= 10:
            merit = np.maximum(np.nan_to_num(np.nanmean(past, axis=0)) if t >= 30 else _means(past), 0.0)
            expected = merit / merit.sum()
        assert weights[t] == pytest.approx(expected, abs=1e-9), t
    assert weights[-1, 0] > 0.5


def _means(past: FloatArray) -> FloatArray:
    """Return means of what is known in each column, 0 where nothing is."""
    return np.array([column[np.isfinite(column)].mean() if np.isfinite(column).any() else 0.0 for column in past.T])


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("mapped", MAPS)
def test_nothing_changes_with_the_future_and_something_with_the_present(weighting: str, mapped: str) -> None:
    config = CONFIG.model_copy(update={"weighting": weighting, "orthogonal": mapped})
    scores, close = make_market()
    score, weights = combine_alphas(scores, close, HORIZON, config)
    for cut in (60, 73):  # at 60 weights are fitted
        rng = np.random.default_rng(cut)
        other_scores, other_close = scores.copy(), close.copy()
        other_scores[:, cut + 1 :] = rng.normal(size=other_scores[:, cut + 1 :].shape)
        other_close[cut + 1 :] *= rng.uniform(0.5, 2.0, other_close[cut + 1 :].shape)
        other_score, other_weights = combine_alphas(other_scores, other_close, HORIZON, config)
        assert score[: cut + 1].tobytes() == other_score[: cut + 1].tobytes()
        assert weights[: cut + 1].tobytes() == other_weights[: cut + 1].tobytes()
        assert weights[cut + 1 :].tobytes() != other_weights[cut + 1 :].tobytes() or (weighting, mapped) == (
            "equal",
            "off",
        )
    # the close of a frame ends the label of the frame a horizon before: weights fitted at it read it
    at = close.copy()
    at[60] *= np.linspace(0.8, 1.2, N_SYMBOLS)
    _, now = combine_alphas(scores, at, HORIZON, config)
    assert now[:60].tobytes() == weights[:60].tobytes()
    if weighting != "equal" and mapped != "principal":  # one component has all the weight, whatever this frame says
        assert now[60].tolist() != weights[60].tolist()


def test_a_score_is_not_judged_before_its_horizon_is_over() -> None:
    """An alpha that is the future itself has no more weight than others until its first payoffs are known."""
    _, close = make_market()
    close = np.where(np.isfinite(close), close, 50.0)
    scores = np.random.default_rng(4).normal(size=(2, N_FRAMES, N_SYMBOLS))
    scores[0] = np.nan_to_num(forward_returns(close, HORIZON))
    config = CombinationConfig(window_frames=30, refit_frames=1, min_payoffs=2)
    _, weights = combine_alphas(scores, close, HORIZON, config)
    # payoffs of frames 0 and 1 are known at frames 4 and 5
    assert weights[:5].tolist() == [[0.5, 0.5]] * 5
    assert weights[5, 0] > 0.6


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10_000),
    weighting=st.sampled_from(WEIGHTINGS),
    mapped=st.sampled_from(MAPS),
    max_abs_correlation=st.sampled_from([0.3, 1.0]),
    max_weight=st.sampled_from([0.5, 1.0]),
)
def test_every_weighting_keeps_to_its_limits(
    seed: int, weighting: str, mapped: str, max_abs_correlation: float, max_weight: float
) -> None:
    config = CombinationConfig.model_validate(
        CONFIG.model_dump()
        | {
            "weighting": weighting,
            "orthogonal": mapped,
            "max_abs_correlation": max_abs_correlation,
            "max_weight": max_weight,
        }
    )
    scores, close = make_market(seed)
    score, weights = combine_alphas(scores, close, HORIZON, config)
    assert np.isfinite(weights).all()
    assert (np.isfinite(score) | ~np.isfinite(scores).any(axis=0) | (weights == 0.0).any(axis=1)[:, None]).all()
    if mapped == "off":
        assert weights.sum(axis=1) == pytest.approx(1.0)
        if max_abs_correlation == 1.0:
            assert (weights <= max_weight + 1e-9).all()
            assert (weights >= 0.0).all()


def test_turnover_is_limited_from_one_fit_to_the_next() -> None:
    scores, close = make_market()
    config = CONFIG.model_copy(update={"max_turnover": 0.1})
    _, weights = combine_alphas(scores, close, HORIZON, config)
    changes = np.abs(np.diff(weights, axis=0)).sum(axis=1)
    assert changes.max() == pytest.approx(0.1, abs=1e-6)
    assert np.flatnonzero(changes > 0)[0] + 1 == 15  # min_payoffs are known at frame 13, and fits are every 5 frames


def test_of_two_alphas_alike_the_later_has_no_weight() -> None:
    scores, close = make_market()
    scores[1] = scores[0]
    config = CONFIG.model_copy(update={"max_abs_correlation": 0.9, "weighting": "equal"})
    _, weights = combine_alphas(scores, close, HORIZON, config)
    assert weights[-1].tolist() == [0.5, 0.0, 0.5]


def test_weights_of_a_regime_are_fitted_to_that_regime() -> None:
    """The first alpha is right in regime 0 and the second in regime 1; each has the weight in its own."""
    _, close = make_market()
    close = np.where(np.isfinite(close), close, 50.0)
    forward, regimes = np.nan_to_num(forward_returns(close, 1)), np.arange(N_FRAMES) // 15 % 2
    noise = np.random.default_rng(3).normal(size=(2, N_FRAMES, N_SYMBOLS))
    scores = np.stack([np.where((regimes == k)[:, None], forward, -forward) for k in range(2)]) + 0.001 * noise
    config = CombinationConfig(window_frames=60, refit_frames=50, min_payoffs=10)
    _, weights = combine_alphas(scores, close, 1, config, regimes)
    assert weights[40, 0] > 0.99
    assert weights[50, 1] > 0.99
    assert weights[60, 0] > 0.99  # fitted where the regime changed, not in the rhythm
    _, blind = combine_alphas(scores, close, 1, config)
    assert blind[50, 0] > 0.99  # most payoffs so far are of the other regime


def test_weights_that_lose_are_fitted_ahead_of_their_turn() -> None:
    """The first alpha is right up to frame 60 and wrong after it, the second the other way round."""
    _, close = make_market()
    close = np.where(np.isfinite(close), close, 50.0)
    forward, is_early = np.nan_to_num(forward_returns(close, 1)), np.arange(N_FRAMES)[:, None] < 60
    noise = np.random.default_rng(3).normal(size=(2, N_FRAMES, N_SYMBOLS))
    scores = np.stack([np.where(is_early, forward, -forward), np.where(is_early, -forward, forward)]) + 0.001 * noise
    config = CombinationConfig(window_frames=10, refit_frames=50, min_payoffs=10, review_frames=4)
    _, weights = combine_alphas(scores, close, 1, config)
    assert (weights[50:62, 0] > 0.99).all()
    # of the last four payoffs two are lost at frame 62, and half of the window four frames later
    assert weights[67, 1] > 0.99
    _, patient = combine_alphas(scores, close, 1, config.model_copy(update={"review_frames": None}))
    assert (patient[50:, 0] > 0.99).all()


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_restored_combination_goes_on_with_the_same_bits(weighting: str) -> None:
    config = CONFIG.model_copy(update={"weighting": weighting, "orthogonal": "symmetric"})
    scores, close = make_market()
    score, weights = combine_alphas(scores, close, HORIZON, config)
    first = AlphaCombination(N_ALPHAS, N_SYMBOLS, HORIZON, config)
    for t in range(47):
        first.update(scores[:, t], close[t])
    kept = first.snapshot()
    first.update(scores[:, 47], close[47])  # changes nothing that was kept
    second = AlphaCombination(N_ALPHAS, N_SYMBOLS, HORIZON, config)
    second.restore(kept)
    for t in range(47, N_FRAMES):
        second.update(scores[:, t], close[t])
        assert second.score.tobytes() == score[t].tobytes()
        assert second.weights.tobytes() == weights[t].tobytes()


def test_an_alpha_that_does_not_know_a_symbol_has_no_opinion_of_it() -> None:
    combination = AlphaCombination(2, 3, 1, CombinationConfig())
    scores = np.array([[1.0, 0.0, -1.0], [2.0, np.nan, -2.0]])
    combination.update(scores, np.full(3, 10.0))
    expected = 0.5 * (standardise(scores[0]) + np.nan_to_num(standardise(scores[1])))
    assert combination.score == pytest.approx(expected)
    combination.update(np.full((2, 3), np.nan), np.full(3, 10.0))
    assert np.isnan(combination.score).all()


def test_values_that_break_a_rule_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="horizon_bars must be at least 1, was 0"):
        AlphaCombination(2, 3, 0, CONFIG)
    with pytest.raises(ConfigurationError, match=r"bounds 0\.0 to 0\.4 must let 2 alphas sum to total 1\.0"):
        AlphaCombination(2, 3, 1, CombinationConfig(max_weight=0.4))
    combination = AlphaCombination(2, 3, 1, CONFIG)
    with pytest.raises(DataValidationError, match=r"scores must have shape \(2, 3\), was \(3, 3\)"):
        combination.update(np.ones((3, 3)), np.ones(3))
    with pytest.raises(RecoveryError, match=r"arrays must hold scores, float64 \(1, 2, 3\)"):
        combination.restore(AlphaCombination(2, 3, 2, CONFIG).snapshot())
    with pytest.raises(ValidationError, match="min_payoffs must be at most window_frames 30, was 63"):
        CombinationConfig(window_frames=30)
    with pytest.raises(ValidationError, match="max_turnover must not be set where alphas are mapped"):
        CombinationConfig(max_turnover=0.1, orthogonal="symmetric")
