"""The weights of a vote are those of least log loss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

from training.weights import fit_weights


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_weights_reach_the_log_loss_that_a_search_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.dirichlet((2.0, 2.0, 2.0), size=(2, 300))
    said = 0.3 * first + 0.7 * second
    labels = np.array([rng.choice(3, p=p) for p in said], dtype=np.int8)

    def loss(weight_frac: float) -> float:
        return float(log_loss(labels, weight_frac * first + (1.0 - weight_frac) * second, labels=[0, 1, 2]))

    best = minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded")
    weights_frac = fit_weights(np.stack((first, second)), labels)
    assert weights_frac.sum() == pytest.approx(1.0, abs=1e-12)
    assert (weights_frac >= 0).all()
    # 1e-4 nats: expectation maximisation slows down near a corner, and a thousandth of a weight does not matter
    assert loss(weights_frac[0]) <= best.fun + 1e-4


def test_a_member_that_knows_gets_the_vote() -> None:
    labels = np.array([0, 1, 2] * 50, dtype=np.int8)
    knows = np.full((150, 3), 0.1) + 0.7 * np.eye(3)[labels]
    guesses = np.full((150, 3), 1 / 3)
    assert fit_weights(np.stack((guesses, knows)), labels)[1] > 0.99


def test_without_predictions_members_count_the_same() -> None:
    assert fit_weights(np.empty((2, 0, 3)), np.empty(0, dtype=np.int8)).tolist() == [0.5, 0.5]
