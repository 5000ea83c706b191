"""What one model says about its columns is what other libraries make of the same model."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.inspection import permutation_importance
from sklearn.preprocessing import StandardScaler

from configs.selection import GainConfig, LassoConfig, PermutationConfig, ShapConfig
from outcry.models.dataset import Dataset
from training.dataset import split_in_time
from training.selection.embedded import select_by_gain, select_by_lasso, select_by_permutation, select_by_shap
from training.selection.trees import build_trees

KNOWN = ("noise_a", "first", "second", "noise_b", "noise_c")


def _lasso_by_scipy(rows: np.ndarray, labels: np.ndarray, fraction: float) -> np.ndarray:
    """Minimise the penalised log loss over positive and negative parts of the coefficients, which is smooth."""
    n_rows, n_features = rows.shape
    hit = np.eye(3)[labels]
    largest = np.abs(rows.T @ (hit - hit.mean(axis=0))).max() / n_rows

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        positive, negative = x[3:].reshape(2, n_features, 3)
        log_p = log_softmax(rows @ (positive - negative) + x[:3], axis=1)
        error = (np.exp(log_p) - hit) / n_rows
        slope = rows.T @ error
        penalty = fraction * largest
        value = -(log_p * hit).sum() / n_rows + penalty * x[3:].sum()
        return value, np.concatenate((error.sum(axis=0), (slope + penalty).ravel(), (penalty - slope).ravel()))

    n_parts = 2 * 3 * n_features
    bounds = [(None, None)] * 3 + [(0.0, None)] * n_parts
    options = {"maxiter": 5000, "ftol": 1e-14, "gtol": 1e-9}
    found = minimize(objective, np.zeros(3 + n_parts), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    positive, negative = found.x[3:].reshape(2, n_features, 3)
    return positive - negative


@pytest.mark.parametrize("fraction", [0.5, 0.05])
def test_lasso_minimises_the_penalised_log_loss_of_all_rows(data, config, fraction) -> None:
    known = data.of_columns(KNOWN).of_frames(np.arange(5, 600))
    expected = np.abs(_lasso_by_scipy(StandardScaler().fit_transform(known.rows), known.labels, fraction)).sum(axis=1)
    found = select_by_lasso(known, LassoConfig(n_penalties=1, least_penalty_frac=fraction), config)
    # a solver that stops at a relative step of 1e-3
    np.testing.assert_allclose(list(found.scores.values()), expected, atol=3e-3 * expected.max())
    assert set(found.names) == {name for name, size in zip(KNOWN, expected, strict=True) if size > 1e-6}


def test_lasso_puts_the_median_where_a_value_is_unknown(data, config) -> None:
    table = pd.DataFrame(data.rows)
    filled = np.ascontiguousarray(table.fillna(table.median()).fillna(0.0))  # one column has no median
    whole = Dataset(filled, data.labels, data.frame, data.feature_names)
    step = LassoConfig(n_penalties=1, least_penalty_frac=0.05)
    assert select_by_lasso(data, step, config) == select_by_lasso(whole, step, config)


def test_lasso_chooses_a_strong_penalty_for_noise_and_a_weak_one_for_a_signal(data, config) -> None:
    rng = np.random.default_rng(8)
    names = tuple(f"noise_{k}" for k in range(40))
    noise = Dataset(rng.normal(size=(len(data), 40)), rng.permutation(data.labels), data.frame, names)
    assert len(select_by_lasso(noise, LassoConfig(), config).names) < 10
    signal = Dataset(
        np.hstack((data.rows[:, [1, 3]], noise.rows)), data.labels, data.frame, ("first", "second", *names)
    )
    weakest = select_by_lasso(signal, LassoConfig(n_penalties=1), config)
    found = select_by_lasso(signal, LassoConfig(), config)
    assert found.names[:2] == ("first", "second")
    assert found.scores == pytest.approx(weakest.scores, abs=3e-3 * max(weakest.scores.values()))


def test_gain_is_the_share_of_all_splits(data, config) -> None:
    booster = build_trees(config).fit(data.rows, data.labels).booster_
    splits = booster.trees_to_dataframe().groupby("split_feature")["split_gain"].sum()
    gain = np.array([splits.get(f"Column_{k}", 0.0) for k in range(9)])
    found = select_by_gain(data, GainConfig(), config)
    # the text of a model, from which the table is made, is rounded
    np.testing.assert_allclose(list(found.scores.values()), gain / gain.sum(), rtol=1e-4)
    assert sum(found.scores.values()) == pytest.approx(1.0)


def test_permutation_shuffles_rows_that_the_trees_have_not_seen(data, config) -> None:
    earlier, held_out = split_in_time(data, config)
    expected = permutation_importance(
        build_trees(config).fit(earlier.rows, earlier.labels),
        held_out.rows,
        held_out.labels,
        scoring="neg_log_loss",
        n_repeats=4,
        random_state=config.seed,
    )
    found = select_by_permutation(data, PermutationConfig(n_repeats=4), config)
    np.testing.assert_allclose(list(found.scores.values()), expected.importances_mean, atol=1e-12)


def test_permutation_survives_a_class_that_only_held_out_rows_have(data, config) -> None:
    labels = np.where(data.frame < 560, np.minimum(data.labels, 1), data.labels)
    found = select_by_permutation(
        Dataset(data.rows, labels, data.frame, data.feature_names), PermutationConfig(n_columns=2), config
    )
    assert set(found.names) <= {"first", "second", "twin_of_first"}


@pytest.mark.parametrize("n_classes", [2, 3])
def test_shap_is_the_mean_contribution_over_rows_summed_over_classes(data, config, n_classes) -> None:
    data = Dataset(data.rows, np.minimum(data.labels, n_classes - 1), data.frame, data.feature_names)
    trees = build_trees(config).set_params(colsample_bytree=0.5)
    trees.fit(data.rows, data.labels)
    said = trees.booster_.predict(data.rows, pred_contrib=True)
    raw = trees.booster_.predict(data.rows, raw_score=True).reshape(len(data), -1)
    expected = np.zeros(9)
    for k in range(raw.shape[1]):
        of_class = said[:, 10 * k : 10 * (k + 1)]
        np.testing.assert_allclose(of_class.sum(axis=1), raw[:, k], atol=1e-9)
        expected += np.abs(of_class[:, :9]).mean(axis=0)
    step = ShapConfig(colsample_frac=0.5, max_explained_rows=len(data), max_bin_rows=len(data))
    found = select_by_shap(data, step, config)
    np.testing.assert_allclose(list(found.scores.values()), expected, rtol=1e-12)
