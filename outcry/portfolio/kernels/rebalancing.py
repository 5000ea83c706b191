"""From target weights to order rows; `outcry.portfolio.rebalance.Rebalancing` is the specification."""

import math
from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point, inlined_kernel
from outcry.market.frame import FloatArray, IntArray
from outcry.market.grid import Grid
from outcry.market.grid_kernels import to_currency
from outcry.order_rows import CANCEL_WORKING, ENTER, EXIT, KEEP_OPEN, REDUCE_ONLY, RESIZE
from outcry.portfolio.kernels.orders import (
    CLOSE_FORCE,
    RESIZE_FRAC,
    OrderRules,
    write_legs,
    write_opening,
    write_order,
)

LOT_TOLERANCE = 1e-9
"""A product that is a whole number of lots but for its rounding counts as whole."""
MOST_LOTS = 2.0**53
"""A target has no more lots than this: a float beyond what int64 holds is no number."""

Steps = tuple[float, float, float, int]
"""`price_scale`, `money_scale`, `lot_shares` and `sub_ticks` of a `Grid`."""
STEPS_TYPE = "Tuple((f8, f8, f8, i8))"
RULES_TYPE = "Tuple((i8[::1], f8[::1]))"

_SIGNATURE = (
    f"UniTuple(i8, 2)(i8, i8, i8[::1], i8[::1], f8[::1], f8[::1], {RULES_TYPE}, {STEPS_TYPE}, i8[::1], i8[:,::1])"
)


def steps_of(grid: Grid) -> Steps:
    """Return what the kernels read of a grid."""
    return grid.price_scale, grid.money_scale, grid.lot_shares, grid.sub_ticks


@inlined_kernel
def write_orders(
    seq: int,
    equity_units: int,
    held: IntArray,
    working: IntArray,
    close: FloatArray,
    target: FloatArray,
    rules: OrderRules,
    steps: Steps,
    change: IntArray,
    out: IntArray,
) -> tuple[int, int]:
    """Write the orders that lead to target weights, in the order of the universe, each before its legs.

    Parameters
    ----------
    seq : int
        Of the frame.
    equity_units : int
        Money units; where they are not positive, every target is flat.
    held, working : int64 (n_symbols,)
        Signed lots, held and on their way.
    close : float64 (n_symbols,)
        Last close seen, account currency; NaN before the first bar.
    target : float64 (n_symbols,)
        Signed fractions of equity; where they are NaN, or the close is, the symbol is left alone.
    rules : OrderRules
    steps : Steps
    change : int64 (n_symbols,)
        Scratch; holds the signed lots that were ordered, without legs.
    out : int64 (3 · n_symbols, N_COLUMNS)
        Receives the rows; `1 + MOST_LEGS` a symbol are enough.

    Returns
    -------
    n_rows : int
    cancel : int
        `KEEP_OPEN`, or `CANCEL_WORKING`: before the orders.
    """
    price_scale, _, _, sub_ticks = steps
    how, _ = rules
    cancel = _write_changes(equity_units, held, working, close, target, rules, steps, change)
    n_rows = 0
    for i in range(len(change)):
        if change[i] == 0:
            continue
        expected = held[i] if cancel == CANCEL_WORKING else held[i] + working[i]
        after = expected + change[i]
        is_same_side = (expected > 0 and after > 0) or (expected < 0 and after < 0)
        purpose = RESIZE if is_same_side else (ENTER if after != 0 else EXIT)
        is_opening = expected == 0 or (expected > 0) == (change[i] > 0)
        number, price = n_rows, close[i] * price_scale
        row = out[number]
        write_order(row, i, change[i], seq, number, purpose, how[CLOSE_FORCE])
        n_rows += 1
        if is_opening:
            write_opening(row, rules, price, sub_ticks)
        if purpose == EXIT:
            row[REDUCE_ONLY] = 1
        if is_opening or purpose == ENTER:
            n_rows += write_legs(out, number, rules, price, sub_ticks)
    return n_rows, cancel


@inlined_kernel
def _write_changes(
    equity_units: int,
    held: IntArray,
    working: IntArray,
    close: FloatArray,
    target: FloatArray,
    rules: OrderRules,
    steps: Steps,
    change: IntArray,
) -> int:
    """Write the lots to order, signed; return whether what is on its way is cancelled first."""
    _, money_scale, lot_shares, _ = steps
    equity = max(to_currency(equity_units, money_scale), 0.0)
    is_opposed = False
    least_value = rules[1][RESIZE_FRAC] * equity
    for i in range(len(change)):  # without branches, so that it is done for several symbols at once
        is_known = math.isfinite(target[i]) & math.isfinite(close[i])
        lots = abs(target[i]) * equity / (close[i] * lot_shares) + LOT_TOLERANCE
        lots = lots if is_known & (target[i] != 0.0) else 0.0
        wanted = int(math.copysign(math.floor(min(lots, MOST_LOTS)), target[i]))
        expected = held[i] + working[i]
        difference = wanted - expected
        is_same_side = ((wanted > 0) & (expected > 0)) | ((wanted < 0) & (expected < 0))
        is_small = is_same_side & (abs(difference) * lot_shares * close[i] < least_value)
        change[i] = difference if is_known & (not is_small) else 0
        is_opposed |= ((change[i] > 0) & (working[i] < 0)) | ((change[i] < 0) & (working[i] > 0))
    cancel = CANCEL_WORKING if is_opposed else KEEP_OPEN
    if cancel == CANCEL_WORKING:
        for i in range(len(change)):
            if math.isfinite(close[i]):
                change[i] += working[i]  # towards the same end, from what is held
    return cancel


@cache
def compile_rebalancing(version: str) -> Callable[..., tuple[int, int]]:
    """Compile `write_orders` for callers in Python; see `outcry.portfolio.kernels.positions.compile_settle`."""

    def rebalance(
        seq: int,
        equity_units: int,
        held: IntArray,
        working: IntArray,
        close: FloatArray,
        target: FloatArray,
        rules: OrderRules,
        steps: Steps,
        change: IntArray,
        out: IntArray,
    ) -> tuple[int, int]:
        len(version)
        return write_orders(seq, equity_units, held, working, close, target, rules, steps, change, out)

    return compile_entry_point(rebalance, _SIGNATURE)
