"""Universes: real 5-minute bars of 41 US names, and generated ones."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from configs.sectors import load_sectors
from outcry.features.cross.config import CrossConfig
from outcry.market.frame import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Bars:
    """Closes, volumes and presence (n_frames, n_symbols), with a sector a symbol."""

    close: FloatArray
    volume: FloatArray
    present: BoolArray
    sectors: IntArray

    def rows(self, start: int, stop: int) -> tuple[FloatArray, FloatArray, BoolArray]:
        return self.close[start:stop], self.volume[start:stop], self.present[start:stop]


MakeBars = Callable[..., Bars]

CONFIG = CrossConfig(
    strength_frames=(4, 12),
    excess_frames=(1, 3),
    standing_frames=(1, 5),
    beta_frames=(10, 24),
    volume_frames=10,
    correlation_frames=12,
    short_frames=10,
    long_frames=20,
    factor_frames=12,
    exposure_frames=9,
    network_frames=16,
    cadence_frames=4,
)
"""Windows past which a universe is within 28 frames."""


@pytest.fixture(scope="session")
def real_bars(market_data_dir: Path) -> Bars:
    """The first 40 names and SPY (the last column) at the latest 800 instants; some bars are absent.

    Three of them begin late, and one sector is unknown.
    """
    table = pl.read_parquet(market_data_dir / "us_equities_5min_2025_2026.parquet").with_columns(
        pl.col("ts").dt.epoch("ns")
    )
    symbols = [*sorted(table["symbol"].unique())[:40], "SPY"]
    table = table.filter(pl.col("symbol").is_in(symbols))
    instants = np.unique(table["ts"].to_numpy())[-800:]
    table = table.filter(pl.col("ts") >= instants[0])
    row = np.searchsorted(instants, table["ts"].to_numpy())
    column = np.array([symbols.index(s) for s in table["symbol"]])
    close, volume = np.full((2, 800, 41), np.nan)
    close[row, column], volume[row, column] = table["close"].to_numpy(), table["volume"].to_numpy()
    for late, start in ((2, 100), (7, 301), (30, 550)):
        close[:start, late] = np.nan
    sectors = [load_sectors().get(s, "") for s in symbols]
    names = sorted(set(sectors))
    codes = np.array([names.index(s) for s in sectors])
    codes[5] = -1
    return Bars(close, volume, ~np.isnan(close), codes)


@pytest.fixture(scope="session")
def make_bars() -> MakeBars:
    """Return a maker of random walks with a common factor on a coarse tick, empty volume and absent bars."""

    def make(seed: int, n_frames: int, n_symbols: int, absent_frac: float = 0.1) -> Bars:
        rng = np.random.default_rng(seed)
        shape = (n_frames, n_symbols)
        common = rng.normal(0.0, 0.01, (n_frames, 1)) * rng.uniform(-0.5, 2.0, n_symbols)
        moves = (common + rng.normal(0.0, 0.01, shape)) * (rng.random(shape) < 0.8)
        close = np.maximum(np.round(50.0 * np.exp(np.cumsum(moves, axis=0)), 1), 0.1)
        volume = rng.integers(0, 1000, shape) * (rng.random(shape) < 0.9) * 1.0
        present = rng.random(shape) >= absent_frac
        return Bars(
            np.where(present, close, np.nan), np.where(present, volume, np.nan), present, rng.integers(-1, 3, n_symbols)
        )

    return make
