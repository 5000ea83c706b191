"""Calibration repairs what is systematic and does not follow noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from configs.training import TrainingConfig
from outcry.models.evaluation import score
from training.calibrate import choose_method, fit_calibration, identity_calibration

METHODS = ["auto", "isotonic", "platt", "beta", "identity"]
ROWS_A_FRAME = 10


def _sample(seed: int, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.dirichlet((4.0, 5.0, 4.0), size=n_rows)
    return true, np.array([rng.choice(3, p=p) for p in true], dtype=np.int8)


def _fit(probability, labels, method="isotonic", n_bins=12):
    config = TrainingConfig(calibration_method=method, calibration_bins=n_bins)
    return fit_calibration(probability, labels, np.arange(len(labels)) // ROWS_A_FRAME, config)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "identity"])
def test_an_overconfident_vote_is_repaired_on_rows_it_has_not_seen(method: str) -> None:
    true, labels = _sample(0, 20_000)
    boast = true**2.5 / (true**2.5).sum(axis=1, keepdims=True)
    calibration = _fit(boast[:10_000], labels[:10_000], method)
    before, after = score(boast[10_000:], labels[10_000:]), score(calibration.apply(boast[10_000:]), labels[10_000:])
    assert before.ece_frac > 0.15
    assert after.ece_frac < 0.03
    assert after.log_loss < before.log_loss
    assert after.log_loss < log_loss(labels[10_000:], true[10_000:]) + 0.01


@pytest.mark.parametrize("method", METHODS)
def test_a_vote_that_is_calibrated_is_left_nearly_as_it_is(method: str) -> None:
    true, labels = _sample(4, 30_000)
    mapped = _fit(true[:20_000], labels[:20_000], method).apply(true[20_000:])
    assert np.abs(mapped - true[20_000:]).mean() < (0.015 if method == "isotonic" else 0.008)
    assert score(mapped, labels[20_000:]).log_loss < score(true[20_000:], labels[20_000:]).log_loss + 0.002


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 1000), n_rows=st.integers(1, 200), n_bins=st.integers(2, 20), method=st.sampled_from(METHODS)
)
def test_any_sample_gives_a_map_that_keeps_order_and_certainty_out(
    seed: int, n_rows: int, n_bins: int, method: str
) -> None:
    said, labels = _sample(seed, n_rows)
    calibration = _fit(said, labels, method, n_bins)
    for mapped in calibration.calibrated:
        assert (np.diff(mapped) >= 0).all()
        assert 0 < mapped[0] <= mapped[-1]
    assert np.isfinite(calibration.apply(said)).all()


def test_without_predictions_nothing_is_changed() -> None:
    said, _ = _sample(1, 500)
    for method in METHODS:
        calibration = _fit(np.empty((0, 3)), np.empty(0, dtype=np.int8), method)
        np.testing.assert_allclose(calibration.apply(said), said, atol=1e-5)
    np.testing.assert_allclose(identity_calibration().apply(np.eye(3)), np.eye(3), atol=1e-5)


def test_the_method_that_is_chosen_fits_the_distortion() -> None:
    true, labels = _sample(5, 30_000)
    frame = np.arange(len(labels)) // ROWS_A_FRAME
    boast = true**2.5 / (true**2.5).sum(axis=1, keepdims=True)
    steps = np.where(true > 0.4, true + 0.3, true)  # no curve of two parameters does this
    config = TrainingConfig(calibration_method="auto")
    assert choose_method(true, labels, frame, config) == "identity"
    assert choose_method(boast, labels, frame, config) in {"platt", "beta"}
    assert choose_method(steps / steps.sum(axis=1, keepdims=True), labels, frame, config) != "identity"


def test_the_choice_is_judged_on_rows_that_the_maps_have_not_seen() -> None:
    rng = np.random.default_rng(6)
    said = rng.dirichlet((4.0, 5.0, 4.0), size=400)
    labels = rng.integers(0, 3, 400).astype(
        np.int8
    )  # noise: bins as many as rows would fit it best where they are fitted
    frame = np.arange(400)
    config = TrainingConfig(calibration_method="auto", calibration_bins=200)
    assert choose_method(said, labels, frame, config) in {"platt", "beta"}


def test_too_few_frames_to_judge_choose_the_identity() -> None:
    said, labels = _sample(7, 600)
    assert choose_method(said, labels, np.arange(600) // 100, TrainingConfig()) == "identity"
