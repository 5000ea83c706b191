"""From a forecast and a book to order rows: sizing, then rebalancing, without a look at what lies between."""

import math
from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point, kernel
from outcry.market.frame import BoolArray, FloatArray, IntArray
from outcry.market.grid_kernels import to_currency
from outcry.order_rows import KEEP_OPEN
from outcry.portfolio.kernels.orders import OrderRules
from outcry.portfolio.kernels.rebalancing import RULES_TYPE, STEPS_TYPE, Steps, write_orders
from outcry.portfolio.kernels.sizing import write_weights

CURRENT, EDGE = range(2)
"""Rows of the first array of `Scratch`."""
ROLE, CHANGE = range(2)
"""Rows of the second."""

Scratch = tuple[FloatArray, IntArray]
"""What one frame needs and the next does not, each (2, n_symbols)."""

_SIGNATURE = (
    "UniTuple(i8, 2)(i8, i8, i8[::1], i8[::1], f8[::1], b1[::1], f8[:,::1], f8[::1], b1[::1], f8[::1],"
    f" {RULES_TYPE}, {STEPS_TYPE}, Tuple((f8[:,::1], i8[:,::1])), f8[::1], i8[:,::1])"
)


@kernel
def propose(
    seq: int,
    equity_units: int,
    held: IntArray,
    working: IntArray,
    close: FloatArray,
    is_tradable: BoolArray,
    probability: FloatArray,
    volatility: FloatArray,
    is_abstained: BoolArray,
    sizing: FloatArray,
    rules: OrderRules,
    steps: Steps,
    scratch: Scratch,
    target: FloatArray,
    out: IntArray,
) -> tuple[int, int]:
    """Write the wanted weights and the orders that lead there.

    Parameters
    ----------
    seq : int
        Of the frame.
    equity_units : int
        Money units; where they are not positive, nothing is wanted.
    held, working : int64 (n_symbols,)
        Signed lots, held and on their way.
    close : float64 (n_symbols,)
        Last close seen, account currency; NaN before the first bar.
    is_tradable : bool (n_symbols,)
        The symbol has a bar in this frame.
    probability : float64 (n_symbols, 3)
        Of the forecast; NaN rows where there is none.
    volatility : float64 (n_symbols,)
        Of the forecast, a year.
    is_abstained : bool (n_symbols,)
        Where the forecast asks for no new risk.
    sizing : float64 (N_RULES,)
        From `outcry.portfolio.kernels.sizing.sizing_rules`.
    rules : OrderRules
        From `outcry.portfolio.kernels.orders.order_rules`.
    steps : Steps
    scratch : Scratch
    target : float64 (n_symbols,)
        Receives the weights.
    out : int64 (3 · n_symbols, N_COLUMNS)
        Receives the rows.

    Returns
    -------
    n_rows, cancel : int
        As `outcry.portfolio.kernels.rebalancing.write_orders`.
    """
    _, money_scale, lot_shares, _ = steps
    current = scratch[0][CURRENT]
    if equity_units <= 0:
        target[:] = math.nan
        return 0, KEEP_OPEN
    equity = to_currency(equity_units, money_scale)
    for i in range(len(current)):
        price = close[i] if math.isfinite(close[i]) else 0.0
        current[i] = (held[i] + working[i]) * lot_shares * price / equity
    write_weights(
        probability, volatility, is_abstained, current, is_tradable, sizing, scratch[0][EDGE], scratch[1][ROLE], target
    )
    return write_orders(seq, equity_units, held, working, close, target, rules, steps, scratch[1][CHANGE], out)


@cache
def compile_propose(version: str) -> Callable[..., tuple[int, int]]:
    """Compile `propose` for callers in Python; see `outcry.portfolio.kernels.positions.compile_settle`."""

    def make_proposal(
        seq: int,
        equity_units: int,
        held: IntArray,
        working: IntArray,
        close: FloatArray,
        is_tradable: BoolArray,
        probability: FloatArray,
        volatility: FloatArray,
        is_abstained: BoolArray,
        sizing: FloatArray,
        rules: OrderRules,
        steps: Steps,
        scratch: Scratch,
        target: FloatArray,
        out: IntArray,
    ) -> tuple[int, int]:
        len(version)
        return propose(
            seq, equity_units, held, working, close, is_tradable, probability, volatility, is_abstained, sizing, rules,
            steps, scratch, target, out,
        )  # fmt: skip

    return compile_entry_point(make_proposal, _SIGNATURE)
