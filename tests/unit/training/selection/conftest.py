"""Rows in which it is known what each column says, and settings that judge them in a moment."""

import numpy as np
import pytest

from configs.training import TrainingConfig
from outcry.models.dataset import Dataset
from outcry.models.families.lightgbm import LightGBMParams

N_FRAMES, N_SYMBOLS = 600, 4
FEATURES = (
    "noise_a",
    "first",
    "constant",
    "second",
    "noise_b",
    "twin_of_first",
    "never_known",
    "noise_late",
    "noise_c",
)


def rows_of(seed: int) -> Dataset:
    """Return 2,400 rows whose class follows two columns; a third repeats one of them, the others say nothing."""
    rng = np.random.default_rng(seed)
    n_rows = N_FRAMES * N_SYMBOLS
    rows = rng.normal(size=(n_rows, len(FEATURES)))
    column = dict(zip(FEATURES, rows.T, strict=True))
    column["twin_of_first"][:] = 7.0 * column["first"] + rng.normal(scale=0.3, size=n_rows)
    column["constant"][:] = 0.3  # whose variance, over 2,400 rows, is rounded to more than zero
    column["never_known"][:] = np.nan
    column["noise_late"][: n_rows // 3] = np.nan
    said = 1.2 * column["first"] - column["second"] + rng.normal(scale=0.7, size=n_rows)
    labels = np.digitize(said, (-0.7, 0.7)).astype(np.int8)
    column["second"][:20] = np.nan
    return Dataset(rows, labels, np.repeat(np.arange(N_FRAMES), N_SYMBOLS), FEATURES)


@pytest.fixture
def data() -> Dataset:
    return rows_of(5)


@pytest.fixture(scope="session")
def config() -> TrainingConfig:
    return TrainingConfig(
        horizon_bars=3,
        embargo_bars=2,
        n_folds=3,
        min_train_frac=0.5,
        lightgbm=LightGBMParams(max_rounds=12, n_leaves=7, min_leaf_rows=20),
    )
