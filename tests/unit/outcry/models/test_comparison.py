"""The test of a loss differential is that of a regression library; classes are scored as scikit-learn does."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from outcry.errors import DataValidationError
from outcry.models.comparison import class_scores, compare, frame_means, loss_test, row_losses


def noisy(seed: int, n: int, smoothing: int = 3) -> np.ndarray:
    """Return a differential whose neighbours depend on each other, as labels that overlap make it."""
    return np.convolve(np.random.default_rng(seed).standard_normal(n + smoothing), np.ones(smoothing), "valid")[:n]


def forecasts(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet([2.0, 2.0, 2.0], n), rng.integers(0, 3, n).astype(np.int8)


@given(seed=st.integers(0, 10_000), n=st.integers(30, 300), n_lags=st.integers(0, 12), shift=st.floats(-0.5, 0.5))
def test_statistic_and_p_are_those_of_a_constant_with_hac_errors(seed: int, n: int, n_lags: int, shift: float):
    gain = noisy(seed, n) + shift
    found = loss_test(gain, n_lags)
    oracle = sm.OLS(gain, np.ones(n)).fit(
        cov_type="HAC", cov_kwds={"maxlags": n_lags, "use_correction": True}, use_t=True
    )
    assert found.gain_nats == pytest.approx(oracle.params[0])
    assert found.deviation_nats == pytest.approx(oracle.bse[0])
    two_sided = oracle.pvalues[0]
    assert found.p_value == pytest.approx(two_sided / 2 if found.statistic > 0 else 1 - two_sided / 2)


def test_a_forecaster_that_is_no_better_is_seldom_called_better():
    n_called = sum(loss_test(noisy(seed, 400), 3).p_value <= 0.05 for seed in range(400))
    assert binomtest(n_called, 400, 0.05).pvalue > 1e-3
    assert sum(loss_test(noisy(seed, 400), 0).p_value <= 0.05 for seed in range(400)) > 1.5 * n_called  # without lags


def test_equal_forecasts_are_not_better_and_a_constant_gain_is():
    assert loss_test(np.zeros(50), 5).p_value == 0.5
    assert loss_test(np.full(50, 0.1), 5).p_value == 0.0
    assert loss_test(np.full(50, -0.1), 5).p_value == 1.0
    with pytest.raises(DataValidationError, match="at least 2 frames, held 1"):
        loss_test(np.zeros(1), 5)


def test_rows_of_a_frame_are_one_observation():
    frame = np.array([3, 3, 3, 7, 9, 9])
    assert frame_means(np.array([1.0, 2.0, 6.0, 5.0, 1.0, 2.0]), frame).tolist() == [3.0, 5.0, 1.5]
    first, labels = forecasts(0, 600)
    second = 0.5 * first + 0.5 * np.eye(3)[labels]
    frame = np.repeat(np.arange(100), 6)
    once = compare(first, second, labels, frame, horizon_bars=2)
    tripled = compare(*(np.repeat(x, 3, axis=0) for x in (first, second, labels, frame)), horizon_bars=2)
    assert tripled.test.statistic == pytest.approx(once.test.statistic)
    assert (once.n_rows, once.test.n_frames, once.test.n_lags) == (600, 100, 2)
    assert once.test.gain_nats == pytest.approx(once.first.log_loss - once.second.log_loss)
    assert once.test.p_value < 1e-6
    assert compare(second, first, labels, frame, horizon_bars=2).test.p_value > 1 - 1e-6


@given(seed=st.integers(0, 1_000), n=st.integers(20, 200))
def test_classes_are_scored_as_scikit_learn_does(seed: int, n: int):
    probability, labels = forecasts(seed, n)
    labels[:3] = 0, 1, 2
    found = class_scores(probability, labels)
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, probability.argmax(axis=1), average="macro", zero_division=0.0
    )
    assert (found.precision_frac, found.recall_frac, found.f1_frac) == pytest.approx((precision, recall, f1))
    assert found.auc_frac == pytest.approx(roc_auc_score(labels, probability, multi_class="ovr", average="macro"))


def test_a_probability_of_nothing_loses_much_and_not_everything():
    assert np.isfinite(row_losses(np.array([[1.0, 0.0, 0.0]]), np.array([2], dtype=np.int8))).all()
