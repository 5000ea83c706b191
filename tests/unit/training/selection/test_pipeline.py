"""Steps run one after the other, and see the rows they are given."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from configs.selection import CorrelationConfig, ShapConfig, VarianceConfig
from configs.training import TrainingConfig
from outcry.errors import DataValidationError
from outcry.labels.direction import direction_labels, volatility_band
from outcry.models.dataset import Dataset
from outcry.models.families.lightgbm import LightGBMParams
from training.selection.pipeline import select_columns


def test_each_step_judges_what_the_one_before_kept(data, config) -> None:
    steps = (VarianceConfig(), CorrelationConfig(), ShapConfig(n_columns=2))
    varying, distinct, best = select_columns(data, config.model_copy(update={"selection": steps}))
    assert tuple(distinct.scores) == tuple(name for name in data.feature_names if name in varying.names)
    assert tuple(best.scores) == tuple(name for name in data.feature_names if name in distinct.names)
    assert len({"first", "twin_of_first"} & set(distinct.names)) == 1
    assert set(best.names) == {"second"} | ({"first", "twin_of_first"} & set(distinct.names))


def test_no_step_answers_nothing_and_no_rows_are_refused(data, config) -> None:
    assert select_columns(data, config.model_copy(update={"selection": ()})) == ()
    with pytest.raises(DataValidationError, match="a selection must have rows, had none"):
        select_columns(data.of_frames(np.array([10_000])), config)


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
@pytest.mark.parametrize("n_frames", [500, 900, 1200])
def test_real_columns_that_repeat_others_are_dropped(daily_rows: Dataset, n_frames: int) -> None:
    steps = (VarianceConfig(), CorrelationConfig(), ShapConfig(n_columns=4))
    config = TrainingConfig(lightgbm=LightGBMParams(max_rounds=20), selection=steps)
    _, distinct, best = select_columns(daily_rows.of_frames(np.arange(n_frames)), config)
    assert set(distinct.names) == {"return_1", "return_5", "return_20", "return_60", "volatility_20"}
    assert "volatility_20" in best.names  # a fixed band is left more often when prices move more
