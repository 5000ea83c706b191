"""A fold selects its columns and trains on its own past: nothing that comes later can change what it did."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from configs.selection import GainConfig, VarianceConfig
from configs.training import TrainingConfig
from configs.validation import WeightsConfig
from outcry.errors import ConfigurationError, DataValidationError
from outcry.labels.splits.walk_forward import PurgedWalkForward
from outcry.market.frame import FloatArray, IntArray
from outcry.models.dataset import Dataset
from outcry.models.families.lightgbm import LightGBMParams
from outcry.models.families.ridge import Ridge
from outcry.models.families.xgboost import XGBoostParams
from training.dataset import split_in_time
from training.selection.pipeline import SELECTORS, select_columns
from training.walk_forward import WalkForward

N_FRAMES, N_SYMBOLS = 600, 4
FEATURES = ("noise_a", "first", "second", "noise_b", "noise_c", "late")
CONFIG = TrainingConfig(
    horizon_bars=3,
    embargo_bars=2,
    n_folds=3,
    min_train_frac=0.5,
    xgboost=XGBoostParams(max_rounds=5, max_depth=3),
    lightgbm=LightGBMParams(max_rounds=12, n_leaves=7, min_leaf_rows=20),
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
    symbol = np.tile(np.arange(N_SYMBOLS), N_FRAMES)
    return Dataset(rows, np.digitize(said, (-0.7, 0.7)).astype(np.int8), frame, FEATURES, symbol=symbol)


def _never_read(rows: IntArray, columns: Sequence[str]) -> FloatArray:
    raise AssertionError("no member reads windows")


def _folds(n_frames: int = N_FRAMES) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(
        PurgedWalkForward(CONFIG.n_folds, CONFIG.horizon_bars, CONFIG.embargo_bars, CONFIG.min_train_frac).split(
            n_frames
        )
    )


def _walk(data: Dataset, config: TrainingConfig, n_folds: int = 3, *, chooses_once: bool = False) -> WalkForward:
    ts_close_ns = np.arange(N_FRAMES, dtype=np.int64) * 10**9
    walk = WalkForward(data, ts_close_ns, config, _never_read, chooses_once=chooses_once)
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
    return replace(data, rows=rows, labels=labels)


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
    rows = data.of_columns(walk.chosen[-1]).rows
    assert walk.members["lightgbm"].predict_proba(rows).shape == (len(data), 3)


def test_one_choice_serves_all_folds_and_is_made_before_the_first_of_them_is_judged(data: Dataset) -> None:
    known = int(_folds()[0][0][-1])
    changed = _with_another_future(data, known)
    was, now = _walk(data, CONFIG, chooses_once=True), _walk(changed, CONFIG, chooses_once=True)
    anew = _walk(changed, CONFIG)
    assert now.chosen == was.chosen == anew.chosen[:1]
    assert len(now.records) == 3
    assert now.records[2].accuracy < anew.records[2].accuracy - 0.3  # what says the label now was noise before


def test_without_steps_every_column_is_trained_on(data: Dataset) -> None:
    walk = _walk(data, CONFIG.model_copy(update={"selection": ()}), n_folds=1)
    assert walk.chosen == (FEATURES,)


def test_rows_that_know_none_of_the_chosen_columns_are_left_out(data: Dataset) -> None:
    rows = data.rows.copy()
    unknown = np.arange(len(data)) % 8 == 0
    rows[unknown, 1:3] = np.nan
    gappy = replace(data, rows=rows)
    for now, was in zip(_walk(gappy, CONFIG).records, _walk(data, CONFIG).records, strict=True):
        assert now.n == was.n - was.n // 8


def test_folds_without_rows_or_frames_are_refused(data: Dataset) -> None:
    late = replace(data, frame=data.frame + 400)
    with pytest.raises(DataValidationError, match="fold 1 must have training rows, had none"):
        _walk(late, CONFIG, n_folds=1)
    walk = WalkForward(data, np.arange(N_FRAMES, dtype=np.int64), CONFIG, _never_read)
    with pytest.raises(ConfigurationError, match="6 rows are too few for fold 1"):
        walk.advance(np.arange(6), np.arange(20, 30), lambda fraction: None)


def _weights_that_count(
    data: Dataset, monkeypatch: pytest.MonkeyPatch, log_returns: FloatArray | None = None, **weights: Any
) -> list[tuple[Dataset, ...]]:
    """Return the parts that a family is given in each fold: earlier, validation and all training rows."""
    given: list[tuple[Dataset, ...]] = []
    learn = Ridge.fit
    monkeypatch.setattr(Ridge, "fit", lambda family, *said: given.append(said[:3]) or learn(family, *said))
    config = CONFIG.model_copy(
        update={"members": ("ridge",), "selection": (), "weights": WeightsConfig.model_validate(weights)}
    )
    walk = WalkForward(data, np.arange(N_FRAMES, dtype=np.int64), config, _never_read, log_returns=log_returns)
    for train, test in _folds():
        walk.advance(train, test, lambda fraction: None)
    return given


def test_without_a_setting_rows_have_no_weights(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [part.weights for parts in _weights_that_count(data, monkeypatch) for part in parts] == [None] * 9


def test_recent_rows_count_more_and_labels_that_share_bars_less(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = np.flatnonzero((data.frame < 100) | (data.frame % 7 == 0))  # labels over 3 bars that share none, later on
    data = replace(data.take(kept), symbol=kept % N_SYMBOLS)
    (earlier, _, whole), *_ = _weights_that_count(data, monkeypatch, half_life_bars=50.0, uniqueness="symbol")
    for part in (earlier, whole):
        assert part.weights is not None
        assert part.weights.mean() == pytest.approx(1.0)
        by_frame = dict(zip(part.frame.tolist(), part.weights.tolist(), strict=True))
        assert by_frame[203] == pytest.approx(by_frame[154] * 2.0 ** (49 / 50))
        assert by_frame[154] == pytest.approx(3.0 * by_frame[54] * 4.0)  # unique, against a third; two half-lives on


def test_weights_by_return_need_the_returns(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    data = replace(data, symbol=np.arange(len(data)) % N_SYMBOLS)
    returns = np.full((N_FRAMES, N_SYMBOLS), 1e-5)
    returns[150] = 0.1
    (_, _, whole), *_ = _weights_that_count(data, monkeypatch, returns, by_return=True)
    assert whole.weights is not None
    assert set(whole.frame[whole.weights > 1.0]) == {147, 148, 149}
    with pytest.raises(DataValidationError, match="weights need the symbol of each row, and those by return the ret"):
        _weights_that_count(data, monkeypatch, by_return=True)
