"""Forecasts are graded as scikit-learn grades them, and only where their horizon has passed."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, log_loss

from outcry.backtest.analytics.forecast_quality import forecast_quality
from outcry.messages import Direction


@pytest.fixture
def forecasts() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    probability = rng.dirichlet((2.0, 3.0, 2.0), (400, 4))
    drawn = (rng.random((400, 4, 1)) > probability.cumsum(axis=2)).sum(axis=2)
    return probability, np.minimum(drawn, 2).astype(np.int8)


def test_scores_agree_with_scikit_learn(forecasts: tuple[np.ndarray, np.ndarray]) -> None:
    probability, labels = forecasts
    quality = forecast_quality(probability, labels)
    assert quality is not None
    rows, outcome = probability.reshape(-1, 3), labels.ravel()
    assert quality.scores.log_loss == pytest.approx(log_loss(outcome, rows, labels=[0, 1, 2]))
    assert quality.scores.accuracy == accuracy_score(outcome, rows.argmax(axis=1))
    base = np.tile(np.bincount(outcome) / len(outcome), (len(outcome), 1))
    assert quality.base_log_loss == pytest.approx(log_loss(outcome, base, labels=[0, 1, 2]))
    assert quality.skill_frac > 0
    for direction in Direction:
        observed, forecast = calibration_curve(outcome == direction, rows[:, direction], n_bins=10)
        np.testing.assert_allclose(quality.curves[direction].observed_frac, observed)
        np.testing.assert_allclose(quality.curves[direction].forecast_frac, forecast)


def test_forecasts_whose_horizon_has_not_passed_are_counted_but_not_graded(
    forecasts: tuple[np.ndarray, np.ndarray],
) -> None:
    probability, labels = forecasts
    labels[-10:] = -1
    probability[:5] = np.nan
    quality = forecast_quality(probability, labels)
    assert quality is not None
    assert (quality.scores.n, quality.n_forecasts) == (385 * 4, 395 * 4)


def test_noise_has_no_skill(forecasts: tuple[np.ndarray, np.ndarray]) -> None:
    probability, labels = forecasts
    quality = forecast_quality(np.random.default_rng(8).permutation(probability), labels)
    assert quality is not None
    assert quality.skill_frac < 0


def test_too_few_forecasts_are_not_graded() -> None:
    assert forecast_quality(np.full((10, 2, 3), 1 / 3), np.zeros((10, 2), np.int8)) is None
    assert forecast_quality(np.full((100, 2, 3), np.nan), np.zeros((100, 2), np.int8)) is None
