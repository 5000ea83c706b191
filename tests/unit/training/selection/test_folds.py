"""A fold selects from its training rows: nothing that comes later can change what it chose."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from configs.training import LightGBMConfig, TrainingConfig
from outcry.errors import ConfigurationError, DataValidationError
from outcry.labels.direction import direction_labels, volatility_band
from outcry.labels.split import PurgedWalkForward
from training.dataset import Dataset
from training.selection.config import CorrelationConfig, GainConfig, SelectionConfig, ShapConfig, VarianceConfig
from training.selection.folds import select_over_folds
from training.selection.pipeline import SELECTORS, select_columns

N_FRAMES = 600


def _train_frames(config: TrainingConfig, n_frames: int = N_FRAMES) -> list[np.ndarray]:
    split = PurgedWalkForward(config.n_folds, config.horizon_bars, config.embargo_bars, config.min_train_frac)
    return [train for train, _ in split.split(n_frames)]


def _with_another_future(data: Dataset, last_frame: int) -> Dataset:
    """Return rows that from the frame after `last_frame` on say the label in a column that was noise before."""
    rows, labels = data.rows.copy(), data.labels.copy()
    later = data.frame > last_frame
    labels[later] = 2 - labels[later]
    rows[later] = np.random.default_rng(9).normal(size=rows[later].shape)
    rows[later, data.feature_names.index("noise_a")] = 10.0 * labels[later]
    rows[later, data.feature_names.index("noise_b")] = -20.0 * labels[later]
    return Dataset(rows, labels, data.frame, data.feature_names)


@pytest.mark.parametrize("method", SELECTORS)
def test_rows_after_the_training_rows_of_a_fold_change_nothing_it_chose(method, make_step, data, config) -> None:
    selection = SelectionConfig(steps=(make_step(method, max_rows=900, n_columns=4),))
    middle = int(_train_frames(config)[1][-1])
    was = select_over_folds(data, N_FRAMES, selection, config)
    now = select_over_folds(_with_another_future(data, middle), N_FRAMES, selection, config)
    assert now.folds[:2] == was.folds[:2]
    assert now.folds[2] != was.folds[2]


def test_a_fold_answers_for_its_training_rows(data, config) -> None:
    selection = SelectionConfig(steps=(VarianceConfig(), GainConfig(n_columns=3)))
    found = select_over_folds(data, N_FRAMES, selection, config)
    expected = [select_columns(data.of_frames(train), selection, config) for train in _train_frames(config)]
    assert list(found.folds) == expected


def test_each_step_judges_what_the_one_before_kept(data, config) -> None:
    selection = SelectionConfig(steps=(VarianceConfig(), CorrelationConfig(), ShapConfig(n_columns=2)))
    varying, distinct, best = select_columns(data, selection, config)
    assert tuple(distinct.scores) == tuple(name for name in data.feature_names if name in varying.names)
    assert tuple(best.scores) == tuple(name for name in data.feature_names if name in distinct.names)
    assert len({"first", "twin_of_first"} & set(distinct.names)) == 1
    assert set(best.names) == {"second"} | ({"first", "twin_of_first"} & set(distinct.names))


def test_stability_is_that_of_the_last_step_among_all_columns(data, config) -> None:
    selection = SelectionConfig(steps=(CorrelationConfig(), ShapConfig(n_columns=2)))
    stability = select_over_folds(data, N_FRAMES, selection, config).stability
    frequency = dict(zip(stability.names, stability.frequency_frac, strict=True))
    assert stability.names == data.feature_names
    assert frequency["second"] == 1.0
    assert frequency["first"] + frequency["twin_of_first"] == 1.0
    assert sum(frequency.values()) == pytest.approx(2.0)


def test_folds_without_rows_or_frames_are_refused(data, config) -> None:
    late = Dataset(data.rows, data.labels, data.frame + 400, data.feature_names)
    with pytest.raises(DataValidationError, match="fold 1 must have training rows, had none"):
        select_over_folds(late, 700, SelectionConfig(), config)
    with pytest.raises(ConfigurationError, match="8 rows are too few for 3 folds"):
        select_over_folds(data, 8, SelectionConfig(), config)


@pytest.fixture(scope="module")
def daily_rows(market_data_dir: Path) -> Dataset:
    """Eight names of the S&P 500, 2013 to 2018: returns and volatilities of the past, two of them in other units."""
    table = pl.read_parquet(market_data_dir / "sp500_daily_2013_2018.parquet", columns=["symbol", "ts", "close"])
    symbols = sorted(table["symbol"].unique())[:8]
    wide = table.filter(pl.col("symbol").is_in(symbols)).pivot("symbol", index="ts", values="close").sort("ts")
    close = wide.select(symbols).to_numpy().astype(np.float64)
    columns = {}
    for n_bars in (1, 5, 20, 60):
        columns[f"return_{n_bars}"] = np.vstack((np.full((n_bars, 8), np.nan), close[n_bars:] / close[:-n_bars] - 1.0))
    columns["volatility_20"] = volatility_band(close, 1, 1.0, 20)
    columns["variance_20"] = columns["volatility_20"] ** 2
    columns["return_20_bps"] = 1e4 * columns["return_20"]
    labels = direction_labels(close, 5, 0.01)
    rows = np.stack(list(columns.values()), axis=-1)
    frame, symbol = np.nonzero((labels >= 0) & ~np.isnan(rows).all(axis=-1))
    return Dataset(rows[frame, symbol], labels[frame, symbol], frame.astype(np.int64), tuple(columns))


@pytest.mark.realdata
def test_real_columns_that_repeat_others_are_dropped_in_every_fold_and_stay_known_then(daily_rows: Dataset) -> None:
    config = TrainingConfig(n_folds=3, lightgbm=LightGBMConfig(max_rounds=20))
    selection = SelectionConfig(steps=(VarianceConfig(), CorrelationConfig(), ShapConfig(n_columns=4)))
    n_frames = int(daily_rows.frame[-1]) + 1
    found = select_over_folds(daily_rows, n_frames, selection, config)
    for train, (_, distinct, best) in zip(_train_frames(config, n_frames), found.folds, strict=True):
        assert set(distinct.names) == {"return_1", "return_5", "return_20", "return_60", "volatility_20"}
        assert "volatility_20" in best.names  # a fixed band is left more often when prices move more
        past = Dataset(
            *(part[daily_rows.frame <= train[-1]] for part in (daily_rows.rows, daily_rows.labels, daily_rows.frame)),
            daily_rows.feature_names,
        )
        assert select_columns(past, selection, config)[-1] == best
    assert 0.5 < found.stability.nogueira <= 1.0
