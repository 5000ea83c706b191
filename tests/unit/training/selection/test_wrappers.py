"""Wrappers take the steps that their definition asks for."""

import numpy as np
import pytest
from sklearn.feature_selection import RFE, SequentialFeatureSelector
from sklearn.metrics import log_loss

from configs.selection import EliminationConfig, ForwardConfig
from outcry.labels.splits.walk_forward import PurgedWalkForward
from outcry.models.dataset import Dataset
from training.selection.trees import build_trees
from training.selection.wrappers import select_by_elimination, select_forward


@pytest.mark.parametrize(("n_columns", "step_frac"), [(1, 0.12), (2, 0.3), (3, 0.12), (3, 0.6), (9, 0.2)])
def test_elimination_drops_the_columns_that_scikit_learn_drops(data, config, n_columns, step_frac) -> None:
    # columns that no tree splits on have equal gain, and may be dropped in any order
    used = data.of_columns([name for name in data.feature_names if name not in {"constant", "never_known"}])
    expected = RFE(build_trees(config), n_features_to_select=min(n_columns, 7), step=step_frac).fit(
        used.rows, used.labels
    )
    found = select_by_elimination(used, EliminationConfig(n_columns=n_columns, step_frac=step_frac), config)
    assert set(found.names) == {used.feature_names[k] for k in expected.get_support(indices=True)}
    scores = np.array(list(found.scores.values()))
    np.testing.assert_array_equal(np.where(scores > 1.0, 1, 1.0 / scores), expected.ranking_)
    gain = expected.estimator_.feature_importances_
    np.testing.assert_allclose(scores[expected.support_], 1.0 + gain / gain.sum())


def _held_out(data: Dataset, config) -> tuple[np.ndarray, np.ndarray]:
    ((earlier, held_out),) = PurgedWalkForward(1, config.horizon_bars, config.embargo_bars, 0.8).split(600)
    return np.flatnonzero(np.isin(data.frame, earlier)), np.flatnonzero(np.isin(data.frame, held_out))


@pytest.mark.parametrize("n_columns", [1, 2, 3])
def test_forward_adds_the_columns_that_scikit_learn_adds(data, config, n_columns) -> None:
    trees = build_trees(config).set_params(n_estimators=20, colsample_bytree=1.0)
    expected = SequentialFeatureSelector(
        trees,
        n_features_to_select=n_columns,
        scoring=lambda fitted, rows, labels: -log_loss(labels, fitted.predict_proba(rows)),
        cv=[_held_out(data, config)],
    ).fit(data.rows, data.labels)
    found = select_forward(data, ForwardConfig(n_columns=n_columns, min_gain_nats=0.0), config)
    assert set(found.names) == {data.feature_names[k] for k in expected.get_support(indices=True)}


def test_forward_stops_where_a_column_saves_too_little(data, config) -> None:
    found = select_forward(data, ForwardConfig(n_columns=9, min_gain_nats=0.02), config)
    assert len(found.names) == 2
    saved_by_both, saved_by_second = (found.scores[name] for name in found.names)
    assert saved_by_both > saved_by_second + 0.02 > 0.04


def test_forward_counts_what_is_saved_against_the_frequencies_of_the_classes(data, config) -> None:
    found = select_forward(data, ForwardConfig(n_columns=1), config)
    earlier, held_out = _held_out(data, config)
    (name,) = found.names
    column = [data.feature_names.index(name)]
    trees = build_trees(config).set_params(n_estimators=20, colsample_bytree=1.0)
    trees.fit(data.rows[np.ix_(earlier, column)], data.labels[earlier])
    said = log_loss(data.labels[held_out], trees.predict_proba(data.rows[np.ix_(held_out, column)]))
    frequency = np.bincount(data.labels[earlier]) / len(earlier)
    assert found.scores[name] == pytest.approx(-np.log(frequency[data.labels[held_out]]).mean() - said)
