"""A LightGBM model that is not of the kind the ensemble is made of is refused, by what it has."""

from typing import Any

import lightgbm
import numpy as np
import pytest

from outcry.errors import BundleError
from outcry.models.lightgbm_trees import parse_lightgbm


def _fit(rows: Any = None, **changes: Any) -> bytes:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((300, 2)) if rows is None else rows
    params = {"objective": "multiclass", "num_class": 3, "num_leaves": 4, "num_threads": 1, "verbosity": -1} | changes
    data = lightgbm.Dataset(rows, rng.integers(0, 3, len(rows)).astype(np.float64), params=params)
    return bytes(lightgbm.train(params, data, 2).model_to_string().encode())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": "multiclassova"}, "must be multiclass num_class:3 3, was multiclassova num_class:3"),
        ({"objective": "regression", "num_class": 1}, "must be multiclass num_class:3 3, was regression 1"),
        ({"num_class": 4}, "must be multiclass num_class:3 3, was multiclass num_class:4 4"),
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "must not average"),
        ({"linear_tree": True}, "must not have linear trees"),
        ({"zero_as_missing": True}, "must not take zero as missing"),
    ],
)
def test_another_kind_of_model_is_named(changes: dict[str, Any], message: str) -> None:
    rows = np.random.default_rng(1).integers(0, 4, (300, 2)).astype(np.float64)
    with pytest.raises(BundleError, match=f"lightgbm model {message}"):
        parse_lightgbm(_fit(rows, **changes), n_features=2)


def test_other_columns_are_refused() -> None:
    with pytest.raises(BundleError, match="lightgbm model must read 3 features, reads 2"):
        parse_lightgbm(_fit(), n_features=3)


def test_a_tree_of_one_leaf_is_read() -> None:
    rows = np.zeros((300, 2))  # nothing to split
    assert b"num_leaves=1\n" in _fit(rows)
    probability = parse_lightgbm(_fit(rows), n_features=2).predict_proba(rows[:2])
    np.testing.assert_array_equal(probability, lightgbm.Booster(model_str=_fit(rows).decode()).predict(rows[:2]))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("left_child", "0 0 0"),
        ("left_child", "1"),
        ("right_child", "-9 -9 -9"),
        ("split_feature", "0 0 7"),
        ("threshold", "a b c"),
        ("leaf_value", "0.1"),
        ("decision_type", ""),
    ],
)
def test_a_damaged_model_is_refused(line: str, value: str) -> None:
    lines = _fit().decode().splitlines()
    place = next(k for k, text in enumerate(lines) if text.startswith(f"{line}="))
    assert lines[place] != f"{line}={value}"
    lines[place] = f"{line}={value}"
    with pytest.raises(BundleError):
        parse_lightgbm("\n".join(lines).encode(), n_features=2)


@pytest.mark.parametrize("text", [b"", b"tree", _fit()[:2000], b"\xff\xfe", b"max_feature_idx=many"])
def test_what_is_no_model_is_refused(text: bytes) -> None:
    with pytest.raises(BundleError, match="lightgbm model cannot be read"):
        parse_lightgbm(text, n_features=2)
