"""A history of bars of one symbol, and the price of a trade in it."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numba
import numpy as np
import pytest

from outcry.execution.config import BrokerConfig
from outcry.execution.costs.price import moved_billionths, trade_price
from outcry.execution.kernels.model import assumed_market
from outcry.market.grid import Grid

TICK = Decimal("0.01")
GRID = Grid(TICK, Decimal(1))
REFERENCE = Decimal(1000)
"""A tick of it is a tenth of a basis point."""
FREE = {"slippage_bps": 0.0, "commission_per_share": 0.0, "min_commission": 0.0}


@numba.njit
def _price(market, bars, t, sign, lots, reference, moved):
    return trade_price(market, bars, t, 0, sign, lots, reference, moved)


@numba.njit
def _moved(market, bars, t, lots):
    return moved_billionths(market, bars, t, 0, lots)


def on_tick(price: float, sign: int) -> Decimal:
    """Return a price on the tick, against the trader; what misses a tick by a rounding error lies on it."""
    steps = (Decimal(price) / TICK).quantize(Decimal("1e-6"))
    return steps.to_integral_value(ROUND_CEILING if sign > 0 else ROUND_FLOOR) * TICK


@dataclass(frozen=True)
class Past:
    """`Bars` of one symbol, and what a trade in one of them costs."""

    bars: tuple[np.ndarray, ...]

    @property
    def close(self) -> np.ndarray:
        return self.bars[3][:, 0]

    @property
    def volume(self) -> np.ndarray:
        return self.bars[4][:, 0]

    def price(self, t, lots=100, sign=1, *, moved=0, **config) -> Decimal:
        """Return the price of a trade in row t that was matched at `REFERENCE`."""
        market = assumed_market(BrokerConfig.model_validate(FREE | config), GRID)
        return GRID.price(_price(market, self.bars, t, sign, lots, GRID.price_units(REFERENCE), moved))

    def moved(self, t, lots, **config) -> int:
        """Return what a trade in row t moves the price by, billionths of it."""
        return _moved(assumed_market(BrokerConfig.model_validate(FREE | config), GRID), self.bars, t, lots)

    def without(self, *rows) -> "Past":
        """Return the past with these bars missing."""
        return self._with(np.nan, list(rows))

    def spoiled_from(self, t) -> "Past":
        """Return the past with absurd bars in row t and after it."""
        return self._with(12_345.0, slice(t, None))

    def _with(self, value, rows) -> "Past":
        bars = tuple(column.copy() for column in self.bars)
        for column in bars[:6]:
            column[rows] = value
        return Past(bars)

    def split_in(self, row, ratio) -> "Past":
        """Return the same past with the shares split in a row: prices over, and volumes times, the ratio from there."""
        ratios = np.where(np.arange(len(self.close)) == row, ratio, 1.0)[:, np.newaxis]
        factor = np.cumprod(ratios, axis=0)
        prices, volume = [column / factor for column in self.bars[:4]], self.bars[4] * factor
        return Past((*prices, volume, self.bars[5], ratios, np.zeros_like(factor), factor))

    def quoted(self, spread, row) -> "Past":
        """Return the past with a spread, a fraction of the price, that was quoted at the end of a row."""
        bars = tuple(column.copy() for column in self.bars)
        bars[5][row] = spread
        return Past(bars)


def build_past(n_frames: int = 120, volatility: float = 0.02, seed: int = 7) -> Past:
    """Return random bars whose volatility changes; no spread was quoted."""
    rng = np.random.default_rng(seed)
    scale = volatility * rng.uniform(0.3, 2.0, n_frames)
    close = 1000 * np.exp(np.cumsum(rng.normal(0, 1, n_frames) * scale))
    open_ = np.concatenate([[1000.0], close[:-1]]) * np.exp(rng.normal(0, 1, n_frames) * scale / 4)
    high, low = np.maximum(open_, close) * (1 + scale / 2), np.minimum(open_, close) * (1 - scale / 2)
    volume = np.round(rng.uniform(1e3, 1e5, n_frames))
    columns = (open_, high, low, close, volume, np.full(n_frames, np.nan))
    return Past((*(np.ascontiguousarray(column[:, np.newaxis]) for column in columns), *[np.empty((0, 1))] * 3))


@pytest.fixture(scope="session")
def past():
    """Return 120 bars of a symbol near 1000."""
    return build_past()


@pytest.fixture(scope="session")
def calm_past():
    """Return 120 bars of a symbol that never moves."""
    flat = build_past(volatility=0.0)
    for column in flat.bars[:4]:
        column[:] = 1000.0
    return flat


@pytest.fixture(scope="session")
def rounded():
    """Return `on_tick`."""
    return on_tick


@pytest.fixture(scope="session")
def reference():
    """Return the price, as a float, that `Past.price` starts from."""
    return float(REFERENCE)
