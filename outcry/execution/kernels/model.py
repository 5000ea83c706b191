"""What the simulated market assumes, as a table of numbers that kernels read.

`assumed_market` makes the table of a `BrokerConfig`; a slot is an index into it.
"""

import numpy as np

from outcry.execution.config import BrokerConfig
from outcry.market.frame import FloatArray
from outcry.market.grid import Grid

(
    PRICE_SCALE, MONEY_SCALE, LOT_SHARES, SUB_TICKS, COMMISSION_STEP, ALLOW_SHORT, MAX_LEVERAGE, VOLUME_FRAC,
    WINDOW_BARS, SLIPPAGE_KIND, SLIPPAGE_FRAC, SLIPPAGE_VOLUME_FRAC, MAX_SLIPPAGE_FRAC, SPREAD_FACTOR, IMPACT_KIND,
    IMPACT_FACTOR, PERMANENT_FACTOR, PER_SHARE, NOTIONAL_FRAC, MIN_COMMISSION, LATENCY_MIN_NS, LATENCY_MAX_NS,
    LATENCY_FRAMES, BORROW_FRAC, FINANCING_FRAC, CASH_FRAC,
) = range(26)  # fmt: skip

FIXED, VOLUME, VOLATILITY, SPREAD = range(4)
SLIPPAGE_MODELS = ("fixed", "volume", "volatility", "spread")
NONE, SQUARE_ROOT, ALMGREN_CHRISS = range(3)
IMPACT_MODELS = ("none", "square_root", "almgren_chriss")

BASIS_POINT = 1e-4
MILLISECOND_NS = 1e6
DAYS_PER_YEAR = 360.0
"""Of what is charged by the night: actual days over 360, as the money market counts."""


def assumed_market(config: BrokerConfig, grid: Grid) -> FloatArray:
    """Return the table, float64 (26,); `config` as it is assumed."""
    slots = {
        PRICE_SCALE: grid.price_scale,
        MONEY_SCALE: grid.money_scale,
        LOT_SHARES: grid.lot_shares,
        SUB_TICKS: grid.sub_ticks,
        COMMISSION_STEP: max(grid.money_units(config.commission_step), 1),
        ALLOW_SHORT: config.allow_short,
        MAX_LEVERAGE: config.max_leverage,
        VOLUME_FRAC: config.max_volume_frac,
        WINDOW_BARS: config.window_bars,
        SLIPPAGE_KIND: SLIPPAGE_MODELS.index(config.slippage),
        SLIPPAGE_FRAC: config.slippage_bps * BASIS_POINT,
        SLIPPAGE_VOLUME_FRAC: config.slippage_volume_bps * BASIS_POINT,
        MAX_SLIPPAGE_FRAC: config.max_slippage_bps * BASIS_POINT,
        SPREAD_FACTOR: config.spread_factor,
        IMPACT_KIND: IMPACT_MODELS.index(config.impact),
        IMPACT_FACTOR: config.impact_factor,
        PERMANENT_FACTOR: config.permanent_factor,
        PER_SHARE: config.commission_per_share,
        NOTIONAL_FRAC: config.commission_bps * BASIS_POINT,
        MIN_COMMISSION: config.min_commission,
        LATENCY_MIN_NS: config.latency_ms[0] * MILLISECOND_NS,
        LATENCY_MAX_NS: config.latency_ms[1] * MILLISECOND_NS,
        LATENCY_FRAMES: config.latency_frames,
        BORROW_FRAC: config.borrow_bps_per_year * BASIS_POINT / DAYS_PER_YEAR,
        FINANCING_FRAC: config.financing_bps_per_year * BASIS_POINT / DAYS_PER_YEAR,
        CASH_FRAC: config.cash_bps_per_year * BASIS_POINT / DAYS_PER_YEAR,
    }
    return np.array([float(slots[slot]) for slot in range(len(slots))])


def commission_tiers(config: BrokerConfig) -> FloatArray:
    """Return the tiers, float64 (n, 2): from how many shares a month on, and what a share then costs."""
    return np.array([(0.0, config.commission_per_share), *config.commission_tiers], dtype=np.float64)
