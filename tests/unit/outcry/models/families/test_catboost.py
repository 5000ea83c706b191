"""CatBoost is needed where it is fitted, and nowhere else."""

import sys
from pathlib import Path

import numpy as np
import pytest

from outcry.errors import ConfigurationError, DataValidationError
from outcry.models.dataset import Dataset
from outcry.models.families.catboost import FAMILY, CatBoostParams
from outcry.models.family import FitSettings


@pytest.fixture
def data() -> Dataset:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 3))
    return Dataset(rows, np.digitize(rows[:, 0], [-0.5, 0.5]).astype(np.int8), np.arange(300), ("a", "b", "c"))


def _fit(earlier: Dataset, validation: Dataset, whole: Dataset) -> object:
    return FAMILY.fit(earlier, validation, whole, CatBoostParams(max_rounds=5), FitSettings(seed=1))


def test_without_the_library_a_fit_says_how_to_get_it(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "catboost", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'outcry\[catboost\]'"):
        _fit(data, data, data)


def test_rows_of_constants_are_an_error_in_one_line(data: Dataset) -> None:
    flat = Dataset(np.ones_like(data.rows), data.labels, data.frame, data.feature_names)
    with pytest.raises(DataValidationError, match="catboost cannot learn from these rows") as caught:
        _fit(flat, flat, flat)
    assert "\n" not in str(caught.value)


def test_validation_rows_of_a_class_that_was_not_learnt_are_passed_over(data: Dataset) -> None:
    two = data.take(np.flatnonzero(data.labels != 1))
    _fit(two, data, two)
    _fit(two, data.take(np.flatnonzero(data.labels == 1)), two)


def test_a_fit_leaves_nothing_on_disk(data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _fit(data, data, data)
    assert not list(tmp_path.iterdir())
