"""The rows of the orders that rebalancing wants, and of the legs that protect what they open.

The layout of a row is that of `outcry.order_rows`. What the settings say about orders is a pair of arrays, from
`order_rules`:

| slot of `how`, int64 | meaning |
|---|---|
| `OPEN_KIND`, `OPEN_FORCE` | of orders that open or enlarge |
| `CLOSE_FORCE` | of exits and reductions, which are market orders |
| `OPEN_TRAIL` | millionths; of a trailing stop that opens |
| `LOSS_KIND`, `LOSS_TRAIL` | of the loss leg: `STOP_ORDER`, `TRAILING_STOP` or `NO_LEG`; millionths |
| `PROFIT_KIND` | of the profit leg: `LIMIT_ORDER` or `NO_LEG` |

| slot of `fracs`, float64 | meaning |
|---|---|
| `RESIZE_FRAC` | smallest resize, of equity |
| `LIMIT_FRAC`, `STOP_FRAC` | from the close, or from the stop, to the price of an order that opens |
| `LOSS_FRAC`, `PROFIT_FRAC` | from the close to the price of a leg |
"""

import numpy as np

from outcry.compiled import inlined_kernel, kernel
from outcry.market.frame import FloatArray, IntArray
from outcry.market.grid_kernels import round_against, round_down, round_up
from outcry.order_rows import (
    CLS,
    DAY,
    FIRST_FILL_SEQ,
    FORCE,
    FORCES,
    GROUP,
    GTC,
    KIND,
    KINDS,
    LIMIT,
    LIMIT_ORDER,
    LOTS,
    MARKET,
    NUMBER,
    OPG,
    PARENT,
    POSITION,
    PURPOSE,
    REDUCE_ONLY,
    SEQ,
    SIDE,
    STOP,
    STOP_LIMIT,
    STOP_LOSS,
    STOP_ORDER,
    SYMBOL,
    TAKE_PROFIT,
    TRAIL_MICROS,
    TRAILING_STOP,
)
from outcry.portfolio.config import PortfolioConfig

OPEN_KIND, OPEN_FORCE, CLOSE_FORCE, OPEN_TRAIL, LOSS_KIND, LOSS_TRAIL, PROFIT_KIND = range(7)
RESIZE_FRAC, LIMIT_FRAC, STOP_FRAC, LOSS_FRAC, PROFIT_FRAC = range(5)
NO_LEG = -1
MOST_LEGS = 2
"""Rows that may follow the order of a symbol."""
BPS = 10_000
MILLION = 1_000_000

OrderRules = tuple[IntArray, FloatArray]
"""`how` and `fracs`."""


def order_rules(config: PortfolioConfig) -> OrderRules:
    """Return what rebalancing reads of the settings."""
    kind = KINDS.index(config.order_type)
    usual = GTC if kind == MARKET else DAY
    force = usual if config.time_in_force == "auto" else FORCES.index(config.time_in_force)
    close_force = force if force in (OPG, CLS) else GTC
    loss_kind, loss_frac, loss_trail = NO_LEG, 0.0, 0
    if config.stop_loss_frac is not None:
        loss_kind, loss_frac = STOP_ORDER, config.stop_loss_frac
    if config.trailing_stop_frac is not None:
        loss_kind, loss_trail = TRAILING_STOP, _micros(config.trailing_stop_frac)
    profit_frac = config.take_profit_frac
    profit_kind = NO_LEG if profit_frac is None else LIMIT_ORDER
    open_trail = _micros(config.entry_trail_frac)
    how = np.array([kind, force, close_force, open_trail, loss_kind, loss_trail, profit_kind], dtype=np.int64)
    limit, stop = config.limit_offset_bps / BPS, config.stop_offset_bps / BPS
    return how, np.array([config.rebalance_frac, limit, stop, loss_frac, profit_frac or 0.0])


def _micros(frac: float) -> int:
    """Return a fraction in whole millionths, above 0 and below 1."""
    return min(max(round(frac * MILLION), 1), MILLION - 1)


@inlined_kernel
def write_order(row: IntArray, symbol: int, change: int, seq: int, number: int, purpose: int, force: int) -> None:
    """Write a market order of signed lots; the `number`-th of the proposal, and alone.

    Parameters
    ----------
    row : int64 (N_COLUMNS,)
    """
    row[:] = 0
    row[SYMBOL], row[SIDE], row[LOTS] = symbol, (1 if change > 0 else -1), abs(change)
    row[KIND], row[FORCE], row[PURPOSE] = MARKET, force, purpose
    row[SEQ], row[POSITION], row[NUMBER] = seq, number, number
    row[PARENT] = row[FIRST_FILL_SEQ] = -1


@inlined_kernel
def write_opening(row: IntArray, rules: OrderRules, price: float, sub_ticks: int) -> None:
    """Make a market order one that opens, as the settings want it.

    Parameters
    ----------
    row : int64 (N_COLUMNS,)
        From `write_order`.
    rules : OrderRules
    price : float
        Close, price units.
    sub_ticks : int
        Price units in a tick.

    Notes
    -----
    With s the side, 1 or −1, all on the tick and at least one:

        limit            close · (1 − s · limit_frac), rounded in favour of the trader
        stop             close · (1 + s · stop_frac), rounded away from the close
        limit of a stop  stop · (1 + s · limit_frac), rounded in favour of the trader
    """
    how, fracs = rules
    kind, side = how[OPEN_KIND], row[SIDE]
    row[KIND], row[FORCE] = kind, how[OPEN_FORCE]
    if kind == LIMIT_ORDER:
        row[LIMIT] = round_against(price * (1.0 - side * fracs[LIMIT_FRAC]), sub_ticks, -side)
    elif kind in (STOP_ORDER, STOP_LIMIT):
        row[STOP] = round_against(price * (1.0 + side * fracs[STOP_FRAC]), sub_ticks, side)
        if kind == STOP_LIMIT:
            row[LIMIT] = round_against(row[STOP] * (1.0 + side * fracs[LIMIT_FRAC]), sub_ticks, -side)
    elif kind == TRAILING_STOP:
        row[TRAIL_MICROS] = how[OPEN_TRAIL]


@inlined_kernel
def write_legs(out: IntArray, parent: int, rules: OrderRules, price: float, sub_ticks: int) -> int:
    """Write the legs of the order in row `parent` behind it, first that of the loss; return the rows used.

    Parameters
    ----------
    out : int64 (n_rows, N_COLUMNS)
        The rows of the proposal; that of the parent is its `NUMBER`.
    parent : int
    rules : OrderRules
    price : float
        Close, price units.
    sub_ticks : int
        Price units in a tick.

    Notes
    -----
    With s the side of the parent:

        loss     stop at close · (1 − s · loss_frac), or a trailing stop
        profit   limit at close · (1 + s · profit_frac)

    Both are rounded away from the close and stand at least a tick from it, except where a price below the close would
    not be positive: then it is one tick.
    """
    how, fracs = rules
    n_rows, side = parent + 1, out[parent, SIDE]
    if how[LOSS_KIND] != NO_LEG:
        row = out[n_rows]
        _write_leg(row, out[parent], n_rows, how[LOSS_KIND], STOP_LOSS)
        if how[LOSS_KIND] == STOP_ORDER:
            row[STOP] = _away_from(price, fracs[LOSS_FRAC], -side, sub_ticks)
        else:
            row[TRAIL_MICROS] = how[LOSS_TRAIL]
        n_rows += 1
    if how[PROFIT_KIND] != NO_LEG:
        row = out[n_rows]
        _write_leg(row, out[parent], n_rows, LIMIT_ORDER, TAKE_PROFIT)
        row[LIMIT] = _away_from(price, fracs[PROFIT_FRAC], side, sub_ticks)
        n_rows += 1
    return n_rows - parent - 1


@kernel
def _write_leg(row: IntArray, parent: IntArray, number: int, kind: int, purpose: int) -> None:
    write_order(row, parent[SYMBOL], -parent[SIDE] * parent[LOTS], parent[SEQ], number, purpose, GTC)
    row[KIND], row[REDUCE_ONLY] = kind, 1
    row[PARENT], row[GROUP] = parent[NUMBER], parent[NUMBER] + 1


@kernel
def _away_from(price: float, frac: float, direction: int, sub_ticks: int) -> int:
    """Return the price a fraction above (1) or below (-1), on the tick, rounded away, at least a tick away."""
    if direction > 0:
        return round_up(max(price * (1.0 + frac), price + sub_ticks), sub_ticks)
    return max(round_down(min(price * (1.0 - frac), price - sub_ticks), sub_ticks), sub_ticks)
