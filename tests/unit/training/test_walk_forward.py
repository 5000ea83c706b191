"""A fold selects its columns and trains on its own past: nothing that comes later can change what it did."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from configs.selection import GainConfig, VarianceConfig
from configs.training import LightGBMConfig, TrainingConfig, XGBoostConfig
from outcry.errors import ConfigurationError, DataValidationError
from outcry.labels.split import PurgedWalkForward
from training.dataset import Dataset, split_in_time
from training.selection.pipeline import SELECTORS, select_columns
from training.walk_forward import WalkForward

N_FRAMES, N_SYMBOLS = 600, 4
FEATURES = ("noise_a", "first", "second", "noise_b", "noise_c", "late")
CONFIG = TrainingConfig(
    horizon_bars=3,
    embargo_bars=2,
    n_folds=3,
    min_train_frac=0.5,
    xgboost=XGBoostConfig(max_rounds=5, max_depth=3),
    lightgbm=LightGBMConfig(max_rounds=12, n_leaves=7, min_leaf_rows=20),
    selection=(VarianceConfig(), GainConfig(n_columns=2)),
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    """2,400 rows whose class follows two columns; one is known from the middle on."""
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(N_FRAMES * N_SYMBOLS, len(FEATURES)))
    said = 1.2 * rows[:, 1] - rows[:, 2] + rng.normal(scale=0.7, size=len(rows))
    rows[: len(rows) // 2, FEATURES.index("late")] = np.nan
    frame = np.repeat(np.arange(N_FRAMES), N_SYMBOLS)
    return Dataset(rows, np.digitize(said, (-0.7, 0.7)).astype(np.int8), frame, FEATURES)


def _folds(n_frames: int = N_FRAMES) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(
        PurgedWalkForward(CONFIG.n_folds, CONFIG.horizon_bars, CONFIG.embargo_bars, CONFIG.min_train_frac).split(
            n_frames
        )
    )


def _walk(data: Dataset, config: TrainingConfig, n_folds: int = 3) -> WalkForward:
    walk = WalkForward(data, np.arange(N_FRAMES, dtype=np.int64) * 10**9, config)
    for train, test in _folds()[:n_folds]:
        walk.advance(train, test, lambda fraction: None)
    return walk


def _with_another_future(data: Dataset, last_frame: int) -> Dataset:
    """Return rows that from the frame after `last_frame` on say the label in a column that was noise before."""
    rows, labels = data.rows.copy(), data.labels.copy()
    later = data.frame > last_frame
    labels[later] = 2 - labels[later]
    rows[later] = np.random.default_rng(9).normal(size=rows[later].shape)
    rows[later, FEATURES.index("noise_a")] = 10.0 * labels[later]
    rows[later, FEATURES.index("noise_b")] = -20.0 * labels[later]
    return Dataset(rows, labels, data.frame, data.feature_names)


@pytest.mark.parametrize("method", SELECTORS)
def test_frames_after_the_training_rows_of_a_fold_change_nothing_it_chose(
    method: str, data: Dataset, make_step: Callable[..., Any]
) -> None:
    config = CONFIG.model_copy(update={"selection": (make_step(method, max_rows=900, n_columns=3),)})
    known = int(_folds()[0][0][-1])
    was, now = _walk(data, config), _walk(_with_another_future(data, known), config)
    assert now.chosen[0] == was.chosen[0]
    assert now.chosen[2] != was.chosen[2] or method == "lasso"  # whose own held-out rows speak for the old columns


def test_a_fold_chooses_by_the_rows_before_its_validation_rows_and_trains_on_what_it_chose(data: Dataset) -> None:
    walk = _walk(data, CONFIG)
    for (train, _), chosen in zip(_folds(), walk.chosen, strict=True):
        earlier, _ = split_in_time(data.of_frames(train), CONFIG)
        assert chosen == select_columns(earlier, CONFIG)[-1].names
    assert set(walk.chosen[-1]) == {"first", "second"}
    member = walk.members["lightgbm"].member
    rows = data.of_columns(walk.chosen[-1]).rows
    assert member.predict_proba(rows).shape == (len(data), 3)


def test_without_steps_every_column_is_trained_on(data: Dataset) -> None:
    walk = _walk(data, CONFIG.model_copy(update={"selection": ()}), n_folds=1)
    assert walk.chosen == (FEATURES,)


def test_rows_that_know_none_of_the_chosen_columns_are_left_out(data: Dataset) -> None:
    rows = data.rows.copy()
    unknown = np.arange(len(data)) % 8 == 0
    rows[unknown, 1:3] = np.nan
    gappy = Dataset(rows, data.labels, data.frame, FEATURES)
    for now, was in zip(_walk(gappy, CONFIG).records, _walk(data, CONFIG).records, strict=True):
        assert now.n == was.n - was.n // 8


def test_folds_without_rows_or_frames_are_refused(data: Dataset) -> None:
    late = Dataset(data.rows, data.labels, data.frame + 400, FEATURES)
    with pytest.raises(DataValidationError, match="fold 1 must have training rows, had none"):
        _walk(late, CONFIG, n_folds=1)
    walk = WalkForward(data, np.arange(N_FRAMES, dtype=np.int64), CONFIG)
    with pytest.raises(ConfigurationError, match="6 rows are too few for 1 folds"):
        walk.advance(np.arange(6), np.arange(20, 30), lambda fraction: None)
