"""Real bars and generated ones, both with gaps, as tensors."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outcry.market.frame import BAR_FIELDS, FrameTensor

MINUTE_NS = 60_000_000_000


def _load(path: Path, n_symbols: int, n_frames: int) -> FrameTensor:
    table = pl.read_parquet(path).with_columns(
        pl.col("ts").dt.epoch("ns"), vwap=(pl.col("high") + pl.col("low") + pl.col("close")) / 3
    )
    symbols = sorted(table["symbol"].unique())[:n_symbols]
    table = table.filter(pl.col("symbol").is_in(symbols))
    opens = np.unique(table["ts"].to_numpy())[-n_frames:]
    table = table.filter(pl.col("ts") >= opens[0])
    row = np.searchsorted(opens, table["ts"].to_numpy())
    column = np.searchsorted(symbols, table["symbol"].to_numpy().astype(str))
    bars = {field: np.full((len(opens), n_symbols), np.nan) for field in BAR_FIELDS}
    for field, values in bars.items():
        values[row, column] = table[field].to_numpy()
    return FrameTensor(first_seq=0, ts_close_ns=opens, present=~np.isnan(bars["close"]), **bars)


@pytest.fixture(scope="session")
def daily(market_data_dir: Path) -> FrameTensor:
    """The first 12 names of the S&P 500, 2013 to 2018."""
    return _load(market_data_dir / "sp500_daily_2013_2018.parquet", 12, 2000)


@pytest.fixture(scope="session")
def intraday(market_data_dir: Path) -> FrameTensor:
    """5-minute bars of 8 US names, the last 3,000 instants; bars are absent outside the regular session."""
    return _load(market_data_dir / "us_equities_5min_2025_2026.parquet", 8, 3000)


@pytest.fixture(params=["daily", "intraday"])
def real_market(request: pytest.FixtureRequest) -> FrameTensor:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def make_market() -> Callable[..., FrameTensor]:
    """Return a maker of random walks on a coarse tick that gap between bars, with flat stretches and absent bars."""

    def make(seed: int, n_frames: int = 60, n_symbols: int = 2, absent_frac: float = 0.15) -> FrameTensor:
        rng = np.random.default_rng(seed)
        shape = (n_frames, n_symbols)
        moves = rng.normal(0.0, 0.02, shape) * (rng.random(shape) < 0.8)
        close = np.round(50.0 * np.exp(np.cumsum(moves, axis=0)), 1)
        gaps = np.round(rng.normal(0.0, 1.0, shape), 1) * (rng.random(shape) < 0.2)
        open_ = np.vstack([close[:1], close[:-1]]) + gaps
        high = np.maximum(open_, close) + np.round(rng.exponential(0.4, shape), 1)
        low = np.minimum(open_, close) - np.round(rng.exponential(0.4, shape), 1)
        present = rng.random(shape) >= absent_frac
        columns = (open_, high, low, close, np.full(shape, 100.0), (high + low + close) / 3)
        bars = {name: np.where(present, x, np.nan) for name, x in zip(BAR_FIELDS, columns, strict=True)}
        ts_close_ns = np.arange(1, n_frames + 1, dtype=np.int64) * MINUTE_NS
        return FrameTensor(first_seq=0, ts_close_ns=ts_close_ns, present=present, **bars)

    return make
