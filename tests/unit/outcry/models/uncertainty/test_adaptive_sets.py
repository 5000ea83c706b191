"""The level follows the outcomes: long-run coverage, whatever comes, and the same after a restart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcry.errors import BundleError, ConfigurationError, DataValidationError
from outcry.models.uncertainty.adaptive_sets import AdaptiveSets
from training.conformal import fit_prediction_sets


def _market(seed: int, n_frames: int, n_symbols: int) -> tuple[np.ndarray, np.ndarray]:
    """Return forecasts and labels: a model that is right at first, and worse and worse later."""
    rng = np.random.default_rng(seed)
    said = rng.dirichlet((0.5, 0.5, 0.5), (n_frames, n_symbols))
    worse = np.linspace(0.0, 1.0, n_frames)[:, np.newaxis, np.newaxis]
    true = (1 - worse) * said + worse * said[:, :, ::-1]
    labels = (rng.random((n_frames, n_symbols, 1)) > true.cumsum(axis=2)).sum(axis=2).clip(0, 2).astype(np.int8)
    return said, labels


def _run(adaptive: AdaptiveSets, said: np.ndarray, labels: np.ndarray, horizon_bars: int):
    """Return missed shares, levels and counts a frame; a label is known a horizon later."""
    unknown = np.full(labels.shape[1], -1, dtype=np.int8)
    errors, levels = [], []
    for t in range(len(said)):
        adaptive.update(said[t], labels[t - horizon_bars] if t >= horizon_bars else unknown)
        n_covered, n_known = adaptive.counts
        if n_known:
            errors.append(1 - n_covered / n_known)
        levels.append(adaptive.alpha_t)
    return np.array(errors), np.array(levels)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    alpha=st.sampled_from([0.05, 0.1, 0.5]),
    gamma=st.sampled_from([0.005, 0.05, 0.3]),
    horizon_bars=st.integers(1, 5),
    is_hostile=st.booleans(),
)
def test_the_long_run_misses_stay_within_the_bound_whatever_comes(seed, alpha, gamma, horizon_bars, is_hostile):
    said, labels = _market(seed, 400, 3)
    if is_hostile:
        labels = said.argmin(axis=2).astype(np.int8)  # always what was called least likely
    fitted = fit_prediction_sets(*_flat(_market(seed + 1, 20, 3)))
    adaptive = AdaptiveSets(fitted, alpha, gamma, horizon_bars, 3)
    errors, levels = _run(adaptive, said, labels, horizon_bars)
    reach = horizon_bars * gamma
    assert -reach <= levels.min()
    assert levels.max() <= 1 + reach
    assert len(errors) == 400 - horizon_bars
    bound = (max(alpha, 1 - alpha) + reach) / (gamma * len(errors))
    assert abs(errors.mean() - alpha) <= bound


def test_under_drift_coverage_is_kept_where_a_fixed_level_loses_it() -> None:
    said, labels = _market(7, 3_000, 5)
    fitted = fit_prediction_sets(*_flat((said[:500], labels[:500])))
    fixed, following = (
        _run(AdaptiveSets(fitted, 0.1, gamma, 1, 5), said[500:], labels[500:], 1)[0] for gamma in (0.0, 0.02)
    )
    assert fixed[-1_000:].mean() > 0.2
    assert following.mean() == pytest.approx(0.1, abs=0.02)
    assert following[-1_000:].mean() == pytest.approx(0.1, abs=0.03)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), horizon_bars=st.integers(1, 4), restart=st.integers(0, 29))
def test_a_restart_changes_no_bit(seed: int, horizon_bars: int, restart: int) -> None:
    said, labels = _market(seed, 30, 4)
    rng = np.random.default_rng(seed)
    labels[rng.random(labels.shape) < 0.2] = -1
    said[rng.random(labels.shape) < 0.1] = np.nan
    fitted = fit_prediction_sets(*_flat(_market(0, 50, 4)))
    whole, cut = (AdaptiveSets(fitted, 0.1, 0.05, horizon_bars, 4) for _ in range(2))
    for t in range(30):
        outcome = labels[t - horizon_bars] if t >= horizon_bars else np.full(4, -1, dtype=np.int8)
        for each in (whole, cut):
            each.update(said[t], outcome)
        assert cut.alpha_t == whole.alpha_t
        assert cut.counts == whole.counts
        np.testing.assert_array_equal(cut.sets, whole.sets)
        if t == restart:
            state = cut.snapshot()
            cut.update(said[0], labels[0])
            cut = AdaptiveSets(fitted, 0.1, 0.05, horizon_bars, 4)
            cut.restore(state)


def test_what_never_becomes_known_or_was_never_forecast_is_not_counted() -> None:
    fitted = fit_prediction_sets(*_flat(_market(0, 50, 4)))
    adaptive = AdaptiveSets(fitted, 0.1, 0.05, 2, 2)
    said = np.array([[0.8, 0.1, 0.1], [np.nan] * 3])
    unknown = np.array([-1, -1], dtype=np.int8)
    for outcome in (unknown, unknown, unknown, np.array([-1, 2], dtype=np.int8)):
        adaptive.update(said, outcome)
        assert adaptive.counts == (0, 0)
    assert adaptive.alpha_t == 0.1
    assert adaptive.sets[1].all()
    adaptive.update(said, np.array([2, 2], dtype=np.int8))
    assert adaptive.counts[1] == 1


@pytest.mark.parametrize(
    ("arguments", "error", "rule"),
    [
        ((0.0, 0.01, 1, 3), BundleError, r"alpha must be in \(0, 1\), was 0\.0"),
        ((0.1, -0.01, 1, 3), ConfigurationError, r"gamma must not be negative, was -0\.01"),
        ((0.1, 0.01, 0, 3), ConfigurationError, r"horizon_bars must be positive, was 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(arguments, error, rule) -> None:
    fitted = fit_prediction_sets(*_flat(_market(0, 5, 3)))
    with pytest.raises(error, match=rule):
        AdaptiveSets(fitted, *arguments)


def test_arrays_and_states_of_another_shape_are_refused() -> None:
    fitted = fit_prediction_sets(*_flat(_market(0, 5, 3)))
    adaptive = AdaptiveSets(fitted, 0.1, 0.01, 2, 3)
    with pytest.raises(DataValidationError, match=r"probability and outcome must have shapes \(3, 3\) and \(3,\)"):
        adaptive.update(np.ones((2, 3)), np.zeros(3, dtype=np.int8))
    with pytest.raises(DataValidationError, match=r"sets must have shape \(2, 3, 3\), was \(1, 3, 3\)"):
        adaptive.restore(AdaptiveSets(fitted, 0.1, 0.01, 1, 3).snapshot())


def _flat(market: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    said, labels = market
    return said.reshape(-1, 3), labels.ravel()
