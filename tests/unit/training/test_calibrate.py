"""Calibration repairs what is systematic and does not follow noise."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from outcry.models.evaluation import score
from training.calibrate import fit_calibration, identity_calibration


def _sample(seed: int, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.dirichlet((4.0, 5.0, 4.0), size=n_rows)
    return true, np.array([rng.choice(3, p=p) for p in true], dtype=np.int8)


def test_an_overconfident_vote_is_repaired_on_rows_it_has_not_seen() -> None:
    true, labels = _sample(0, 20_000)
    boast = true**2.5 / (true**2.5).sum(axis=1, keepdims=True)
    calibration = fit_calibration(boast[:10_000], labels[:10_000], 12)
    before, after = score(boast[10_000:], labels[10_000:]), score(calibration.apply(boast[10_000:]), labels[10_000:])
    assert before.ece_frac > 0.15
    assert after.ece_frac < 0.03
    assert after.log_loss < before.log_loss
    assert after.log_loss < log_loss(labels[10_000:], true[10_000:]) + 0.01


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), n_rows=st.integers(1, 200), n_bins=st.integers(2, 20))
def test_any_sample_gives_a_map_that_keeps_order_and_certainty_out(seed: int, n_rows: int, n_bins: int) -> None:
    said, labels = _sample(seed, n_rows)
    calibration = fit_calibration(said, labels, n_bins)
    for mapped in calibration.calibrated:
        assert (np.diff(mapped) >= 0).all()
        assert 0 < mapped[0] <= mapped[-1] < 1
    assert np.isfinite(calibration.apply(said)).all()


def test_without_predictions_nothing_is_changed() -> None:
    said, _ = _sample(1, 500)
    calibration = fit_calibration(np.empty((0, 3)), np.empty(0, dtype=np.int8), 12)
    np.testing.assert_allclose(calibration.apply(said), said, atol=1e-5)
    np.testing.assert_allclose(identity_calibration().apply(np.eye(3)), np.eye(3), atol=1e-5)
