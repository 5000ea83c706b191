"""Scores agree with scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss

from outcry.models.evaluation import score


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    probability = rng.dirichlet((1.0, 1.0, 1.0), size=5000)
    labels = np.array([rng.choice(3, p=p) for p in probability], dtype=np.int8)
    return probability, labels


def test_scores_are_those_of_scikit_learn(sample: tuple[np.ndarray, np.ndarray]) -> None:
    probability, labels = sample
    found = score(probability, labels)
    assert found.n == 5000
    assert found.log_loss == pytest.approx(log_loss(labels, probability), rel=1e-12)
    assert found.accuracy == pytest.approx(accuracy_score(labels, probability.argmax(axis=1)), rel=1e-12)
    assert found.brier == pytest.approx(brier_score_loss(labels, probability, scale_by_half=False), rel=1e-12)


def test_calibration_error_is_small_for_true_probabilities_and_large_for_boasts(
    sample: tuple[np.ndarray, np.ndarray],
) -> None:
    probability, labels = sample
    assert score(probability, labels).ece_frac < 0.02  # sampling error of ten bins of about 500
    certain = np.eye(3)[probability.argmax(axis=1)]
    boast = score(certain, labels)
    assert boast.ece_frac == pytest.approx(1.0 - boast.accuracy, abs=1e-12)


def test_calibration_error_is_the_gap_weighted_by_bin() -> None:
    probability = np.array([[0.62, 0.2, 0.18]] * 4 + [[0.1, 0.05, 0.85]] * 2)
    labels = np.array([0, 0, 1, 2, 2, 2], dtype=np.int8)
    assert score(probability, labels).ece_frac == pytest.approx((4 * 0.12 + 2 * 0.15) / 6)
