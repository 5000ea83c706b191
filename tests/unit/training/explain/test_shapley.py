"""Contributions add up to the log-odds; where there is a formula, or a library that knows, they are what it says."""

from itertools import permutations

import numpy as np
import pytest

from outcry.market.frame import FloatArray
from outcry.models.dataset import Dataset
from outcry.models.families import find_family
from outcry.models.family import FitSettings, RowModel
from training.explain.exact import exact_shapley
from training.explain.explain import ask_member
from training.explain.sample import Sample
from training.explain.shapley import Shapley, centred, log_odds, sample_shapley

SMALL = {
    "xgboost": {"max_rounds": 8, "max_depth": 3},
    "lightgbm": {"max_rounds": 8, "n_leaves": 7, "min_leaf_rows": 20},
    "catboost": {"max_rounds": 8, "max_depth": 3},
    "random_forest": {"n_trees": 12, "max_depth": 4},
}


def fit(name: str, panel: Sample, labels: np.ndarray | None = None) -> RowModel:
    if name == "catboost":
        pytest.importorskip("catboost")
    family = find_family(name)
    labels = panel.labels if labels is None else labels
    data = Dataset(panel.rows, labels, panel.frame, tuple("abcdef"))
    model = family.fit(data, data, data, family.params(**SMALL.get(name, {})), FitSettings(seed=0))
    assert not isinstance(model, type(None))
    return model  # type: ignore[return-value]  # of a family of rows


def added_up(shapley: Shapley) -> FloatArray:
    return shapley.base + shapley.values.sum(axis=2)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost", "logistic", "elastic_net"])
def test_exact_contributions_add_up_to_the_log_odds_of_the_stored_model(panel: Sample, name: str):
    model, told = fit(name, panel), panel.take(np.arange(0, 1000, 25))
    exact = exact_shapley(name, model, told, panel, 1)
    assert exact is not None
    assert np.abs(exact.values).max() > 0.05
    tolerance = 2e-6 if name == "xgboost" else 1e-10  # XGBoost adds up in float32
    assert np.allclose(added_up(exact), log_odds(model.predict_proba(told.rows)), atol=tolerance, rtol=0)
    assert np.allclose(exact.values.sum(axis=1), 0.0, atol=1e-6)  # what one class gains the others lose
    assert np.array_equal(exact.values[:, :, 2], np.zeros((40, 3)))  # a constant column says nothing


@pytest.mark.parametrize("name", ["catboost", "logistic"])
def test_a_class_that_never_came_has_no_log_odds(panel: Sample, name: str):
    model = fit(name, panel, np.where(panel.labels == 1, 0, panel.labels).astype(np.int8))
    told = panel.take(np.arange(20))
    exact = exact_shapley(name, model, told, panel, 1)
    assert exact is not None
    assert np.array_equal(np.isnan(exact.base), [False, True, False])
    assert not exact.values[:, 1].any()
    probability = model.predict_proba(told.rows)
    against = np.log(probability[:, 0] / probability[:, 2])
    assert np.allclose(added_up(exact)[:, 0] - added_up(exact)[:, 2], against, atol=1e-9)


@pytest.mark.parametrize("name", ["ridge", "random_forest"])
def test_a_model_without_an_exact_way_is_asked(panel: Sample, name: str):
    model, told = fit(name, panel), panel.take(np.arange(0, 1000, 50))
    assert exact_shapley(name, model, told, panel, 1) is None
    background = panel.take(np.arange(7, 1000, 200))
    found = sample_shapley(lambda asked: ask_member(model, asked), told, background, np.random.default_rng(0))
    assert np.allclose(added_up(found), log_odds(model.predict_proba(told.rows)), atol=1e-12)
    assert np.allclose(found.base, log_odds(model.predict_proba(background.rows)).mean(axis=0), atol=1e-12)
    assert not found.values[:, :, 2].any()


def test_drawn_orders_come_to_the_closed_form_of_a_linear_model(panel: Sample):
    model = fit("logistic", panel)
    told, background = panel.take(np.arange(0, 1000, 100)), panel.take(np.arange(3, 1000, 160))
    exact = exact_shapley("logistic", model, told, background, 1)
    found = sample_shapley(lambda asked: model.predict_proba(asked.rows), told, background, np.random.default_rng(0))
    assert exact is not None
    assert np.allclose(found.values, exact.values, atol=1e-10)  # in a sum the order does not count
    assert np.allclose(found.base, exact.base, atol=1e-10)


def test_drawn_orders_come_to_the_mean_over_all_orders():
    """Three columns that act together, by brute force."""

    def ask(sample: Sample) -> FloatArray:
        a, b, c = sample.rows.T
        margins = np.column_stack((a * b + c, np.zeros(len(a)), -a * b * c))
        odds = np.exp(margins)
        return odds / odds.sum(axis=1, keepdims=True)

    def one(rows: FloatArray) -> Sample:
        return Sample(rows, None, np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int8))

    row, other = np.array([[0.5, -1.0, 0.8]]), np.array([[-0.3, 0.4, 0.1]])
    expected = np.zeros((3, 3))
    for order in permutations(range(3)):
        mixed = other.copy()
        for column in order:
            before = log_odds(ask(one(mixed)))
            mixed[:, column] = row[:, column]
            expected[:, column] += (log_odds(ask(one(mixed))) - before)[0] / 6
    many = one(np.repeat(other, 400, axis=0))
    found = sample_shapley(ask, one(row), many, np.random.default_rng(1))
    assert np.allclose(found.values[0], expected, atol=0.02)
    assert np.allclose(added_up(found), log_odds(ask(one(row))), atol=1e-12)


def test_a_column_of_a_window_is_that_of_all_its_bars():
    def ask(sample: Sample) -> FloatArray:
        assert sample.windows is not None
        up = 1.0 / (1.0 + np.exp(-sample.windows[:, :, 0].mean(axis=1, dtype=np.float64)))
        return np.column_stack((0.9 * up, np.full(len(up), 0.1), 0.9 * (1.0 - up)))

    rng = np.random.default_rng(0)
    windows = rng.normal(size=(6, 4, 2)).astype(np.float32)
    sample = Sample(np.zeros((6, 2)), windows, np.arange(6), np.zeros(6, dtype=np.int8))
    before = windows.copy()
    found = sample_shapley(ask, sample, sample.take(np.array([0, 3])), rng)
    assert np.allclose(added_up(found), log_odds(ask(sample)), atol=1e-12)
    assert not found.values[:, :, 1].any()
    assert np.array_equal(windows, before)


def test_log_odds_forget_what_a_softmax_forgets():
    margins = np.random.default_rng(0).normal(size=(4, 3, 3))
    shifted = margins + np.array([5.0, -2.0, 7.0])
    assert np.allclose(centred(margins).values, centred(shifted).values)
    assert np.allclose(log_odds(np.array([[0.2, 0.3, 0.5]])).sum(), 0.0)
    assert np.isfinite(log_odds(np.array([[0.0, 0.0, 1.0]]))).all()
    assert np.array_equal(log_odds(np.full((1, 3), np.nan)), np.zeros((1, 3)))
