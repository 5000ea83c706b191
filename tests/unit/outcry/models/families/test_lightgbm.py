"""What LightGBM can be told beside the usual."""

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from outcry.errors import BundleError
from outcry.models.dataset import Dataset
from outcry.models.families.lightgbm import FAMILY, LightGBMParams
from outcry.models.family import FitSettings, UpdateSettings
from outcry.models.lightgbm_trees import parse_lightgbm

NAMES = ("weekday", "month", "return")
PARAMS = LightGBMParams(
    max_rounds=12, n_leaves=12, min_leaf_rows=20, colsample_frac=1.0, categories=("weekday", "month", "left out")
)


def _data(seed: int, n_codes: tuple[int, int] = (5, 40)) -> Dataset:
    """Tuesdays and Fridays rise, and so do months of no particular order; some codes are not known."""
    rng = np.random.default_rng(seed)
    rows = np.column_stack([*(rng.integers(0, n, 2000) for n in n_codes), rng.normal(size=2000)]).astype(np.float64)
    said = np.isin(rows[:, 0], (1, 4)) * 1.0 + np.isin(rows[:, 1] % 7, (2, 3, 6)) + 0.5 * rows[:, 2]
    rows[rng.random(rows.shape) < 0.05] = np.nan
    return Dataset(rows, np.digitize(said, [0.5, 1.5]).astype(np.int8), np.arange(2000), NAMES)


def test_a_test_of_categories_asks_for_a_set() -> None:
    data, fit = _data(0), FitSettings(seed=1, early_stopping_rounds=50)
    model = FAMILY.fit(data, data, data, PARAMS, fit)
    assert b"cat_threshold=" in model.text
    plain = FAMILY.fit(data, data, data, PARAMS.model_copy(update={"categories": ()}), fit)
    assert b"cat_threshold=" not in plain.text
    grown = FAMILY.update(model, data, PARAMS, UpdateSettings(seed=2, n_rounds=2, learning_rate_frac=0.5))
    assert grown.text.count(b"cat_threshold=") > model.text.count(b"cat_threshold=")


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 999), n_codes=st.tuples(st.integers(1, 90), st.integers(1, 90)))
def test_every_code_comes_out_as_in_the_library(seed: int, n_codes: tuple[int, int]) -> None:
    data = _data(seed, n_codes)
    params = {"objective": "multiclass", "num_class": 3, "num_leaves": 20, "min_data_in_leaf": 5, "verbosity": -1}
    more = {"num_threads": 1, "min_data_per_group": 5, "cat_smooth": 1.0, "max_cat_threshold": 64}
    train = lightgbm.Dataset(data.rows, data.labels.astype(np.float32), categorical_feature=[0, 1])
    booster = lightgbm.train(params | more, train, 6)
    forest = parse_lightgbm(booster.model_to_string().encode(), n_features=3)
    odd = [-3.0, -1.0, -0.5, 0.0, 0.5, 1.999, 31.0, 32.0, 33.5, 63.0, 64.0, 1e9, np.nan]
    strange = np.array([[a, b, 0.1] for a in odd for b in odd])
    for rows in (data.rows, strange):
        assert_array_equal(forest.predict_proba(rows), booster.predict(rows, num_threads=1))
    wide = np.column_stack([np.full(len(strange), 7.0), strange[:, ::-1]])
    assert_array_equal(forest.predict_proba(wide, np.array([3, 2, 1])), forest.predict_proba(strange))


@pytest.mark.parametrize("line", ["cat_boundaries=0", "cat_threshold=", "cat_threshold=a"])
def test_a_damaged_set_is_refused(line: str) -> None:
    data = _data(0)
    model = FAMILY.fit(data, data, data, PARAMS, FitSettings(seed=1, early_stopping_rounds=50))
    name = line.partition("=")[0]
    lines = [line if each.startswith(f"{name}=") else each for each in model.text.decode().splitlines()]
    with pytest.raises(BundleError, match="lightgbm model"):
        parse_lightgbm("\n".join(lines).encode(), n_features=3)
