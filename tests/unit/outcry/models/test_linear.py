"""A linear model says what scikit-learn says of the same standardised columns."""

import json
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from outcry.errors import BundleError
from outcry.market.frame import FloatArray
from outcry.models.dataset import Dataset
from outcry.models.families import find_family
from outcry.models.family import FitSettings
from outcry.models.linear import LinearModel, Standardisation, read_linear

N_FEATURES = 6


def _rows(seed: int, n_rows: int = 900) -> FloatArray:
    """Heavy tails, different scales, and some that are not known."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_t(2.5, size=(n_rows, N_FEATURES)) * 10.0 ** np.arange(-3, 3) + 5.0
    rows[rng.random(rows.shape) < 0.05] = np.nan
    return rows


def _data(seed: int, n_classes: int = 3) -> Dataset:
    rows = _rows(seed)
    said = np.nan_to_num((rows[:, 2] - 5.0) / 0.1) + np.random.default_rng(seed + 1).normal(size=len(rows))
    labels = np.digitize(said, [-0.6, 0.6] if n_classes == 3 else [0.0]).astype(np.int8)
    return Dataset(rows, labels, np.arange(len(rows)), tuple(f"tech_{k}" for k in range(N_FEATURES)))


@pytest.fixture(scope="module")
def scale() -> Standardisation:
    return Standardisation.of_rows(_rows(0), 0.01)


def test_the_softmax_is_that_of_scikit_learn(scale: Standardisation) -> None:
    data = _data(0)
    model = LogisticRegression().fit(scale.apply(data.rows), data.labels)
    ours = LinearModel("l.json", scale, model.coef_, model.intercept_)
    probe = np.concatenate((_rows(5), np.full((1, N_FEATURES), np.nan), np.full((1, N_FEATURES), 1e9)))
    np.testing.assert_allclose(ours.predict_proba(probe), model.predict_proba(scale.apply(probe)), rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("family", ["logistic", "elastic_net"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_family_fits_what_scikit_learn_fits(family: str, n_classes: int) -> None:
    """One penalty, so that validation has nothing to choose; the family solves it less far."""
    data, penalty, l1_frac = _data(2, n_classes), 0.01, 0.5 if family == "elastic_net" else 0.0
    params = find_family(family).params(penalties=(penalty,), max_iterations=3000)
    ours = find_family(family).fit(data, data, data, params, FitSettings(seed=1))
    standardised = Standardisation.of_rows(data.rows, params.winsor_frac).apply(data.rows)  # type: ignore[attr-defined]
    theirs = LogisticRegression(
        C=1.0 / (penalty * len(data)), l1_ratio=l1_frac, solver="saga", tol=1e-8, max_iter=5000, random_state=0
    ).fit(standardised, data.labels)
    found = ours.predict_proba(data.rows)[:, theirs.classes_]  # type: ignore[union-attr]
    np.testing.assert_allclose(found, theirs.predict_proba(standardised), rtol=0.0, atol=1e-2)


def test_least_squares_are_those_of_the_normal_equations() -> None:
    data, penalty = _data(3), 0.3
    params = find_family("ridge").params(penalties=(penalty,))
    model = find_family("ridge").fit(data, data, data, params, FitSettings(seed=1))
    x = Standardisation.of_rows(data.rows, params.winsor_frac).apply(data.rows)  # type: ignore[attr-defined]
    y = np.eye(3)[data.labels]
    centred = x - x.mean(axis=0)
    weights = np.linalg.solve(centred.T @ centred + penalty * len(x) * np.eye(N_FEATURES), centred.T @ (y - y.mean(0)))
    expected = (centred @ weights + y.mean(axis=0)).clip(0.01)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(data.rows), expected, rtol=0.0, atol=1e-12)  # type: ignore[union-attr]


def test_validation_chooses_the_penalty() -> None:
    """Where validation says the opposite of what was learnt, the heaviest is the best."""
    data = _data(4)
    opposite = Dataset(data.rows, (2 - data.labels).astype(np.int8), data.frame, data.feature_names)
    for family in ("logistic", "elastic_net", "ridge"):
        params = find_family(family).params(penalties=(0.001, 100.0, 0.1))
        spread = [
            np.ptp(
                find_family(family).fit(data, validation, data, params, FitSettings(seed=1)).predict_proba(data.rows)
            )  # type: ignore[union-attr]
            for validation in (data, opposite)
        ]
        assert spread[0] > 2.0 * spread[1], family


def test_no_warning_of_the_library_is_heard() -> None:
    data = _data(6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for family in ("logistic", "elastic_net", "ridge"):
            few = {} if family == "ridge" else {"max_iterations": 1}
            find_family(family).fit(data, data, data, find_family(family).params(**few), FitSettings(seed=1))


def test_far_values_are_taken_for_the_edge_and_unknown_ones_for_the_mean(scale: Standardisation) -> None:
    standardised = scale.apply(_rows(0))
    np.testing.assert_allclose(standardised.mean(axis=0), 0.0, atol=1e-12)
    known = ~np.isnan(_rows(0))
    np.testing.assert_allclose([standardised[known[:, k], k].std() for k in range(N_FEATURES)], 1.0, rtol=1e-9)
    np.testing.assert_array_equal(scale.apply(np.full((1, N_FEATURES), np.nan)), 0.0)
    np.testing.assert_array_equal(scale.apply(np.full((1, N_FEATURES), 1e9)), scale.apply(scale.high[np.newaxis]))


def test_columns_of_one_value_or_none_are_left_as_they_are() -> None:
    rows = _rows(0)
    rows[:, 0], rows[:, 1] = 7.0, np.nan
    scale = Standardisation.of_rows(rows, 0.01)
    np.testing.assert_array_equal(scale.apply(np.full((1, N_FEATURES), 1e6))[0, :2], 0.0)
    data = Dataset(rows, _data(0).labels, np.arange(len(rows)), ("a",) * N_FEATURES)
    for family in ("logistic", "elastic_net", "ridge"):
        model = find_family(family).fit(data, data, data, find_family(family).params(), FitSettings(seed=1))
        far = rows.copy()
        far[:, :2] = -1e6
        probability = model.predict_proba(far)  # type: ignore[union-attr]
        np.testing.assert_array_equal(probability, model.predict_proba(rows))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("low", [1e9] * N_FEATURES),
        ("deviation", [0.0] * N_FEATURES),
        ("mean", [0.0]),
        ("coefficients", {"up": [0.0]}),
        ("intercepts", {"up": None, "neutral": None, "down": None}),
        ("least_probability", 0.5),
        ("least_probability", "low"),
    ],
)
def test_a_file_that_is_none_is_refused(scale: Standardisation, name: str, value: Any) -> None:
    text = LinearModel("l.json", scale, np.ones((3, N_FEATURES)), np.zeros(3)).save()["l.json"]
    content = json.loads(text)
    assert read_linear("l.json", text, N_FEATURES).save() == {"l.json": text}
    with pytest.raises(BundleError, match=r"l\.json"):
        read_linear("l.json", json.dumps(content | {name: value}).encode(), N_FEATURES)
