"""An order as a row of whole numbers: what portfolio, risk gate, broker and the compiled backtest hand to one another.

Prices are in price units, quantities in lots (`outcry.market.grid.Grid`); 0 says that a price is absent. The columns up
to `REDUCE_ONLY` are what was asked for and never change; the others belong to whoever works the order.

| column | meaning |
|---|---|
| `SYMBOL` | place in the universe |
| `SIDE` | 1 buys, -1 sells |
| `KIND`, `FORCE`, `PURPOSE` | place in `KINDS`, `FORCES`, `PURPOSES` |
| `LOTS` | unsigned |
| `LIMIT`, `STOP` | price units |
| `TRAIL`, `TRAIL_MICROS` | how far a trailing stop stays behind: price units, or millionths of the best price |
| `SEQ`, `POSITION` | the frame that made it, and its place among the orders of that frame |
| `PARENT` | `NUMBER` of the order this is a leg of; -1 where it is none |
| `GROUP` | orders of one group cancel one another; 0 where it is alone |
| `REDUCE_ONLY` | 1 for an order that only closes what is held |
| `NUMBER` | counts the orders of a run |
| `FILLED`, `TAKEN` | lots traded by this order, and by the others of its group |
| `BEST` | best price since it was made, price units; of a trailing stop |
| `TRIGGERED` | 1 for a stop that has been reached |
| `FIRST_FILL_SEQ` | the frame of the first fill; -1 before |
"""

from decimal import Decimal

import numpy as np

from outcry.market.frame import IntArray
from outcry.market.grid import Grid
from outcry.messages import OrderIntent, OrderType, Purpose, Side, TimeInForce

(
    SYMBOL, SIDE, KIND, FORCE, PURPOSE, LOTS, LIMIT, STOP, TRAIL, TRAIL_MICROS, SEQ, POSITION, PARENT, GROUP,
    REDUCE_ONLY, NUMBER, FILLED, TAKEN, BEST, TRIGGERED, FIRST_FILL_SEQ,
) = range(21)  # fmt: skip
N_COLUMNS = 21

KINDS = tuple(OrderType)
FORCES = tuple(TimeInForce)
PURPOSES = tuple(Purpose)
MARKET, LIMIT_ORDER, STOP_ORDER, STOP_LIMIT, TRAILING_STOP = range(5)
DAY, GTC, IOC, FOK, OPG, CLS = range(6)
REBALANCE, ENTER, RESIZE, EXIT, STOP_LOSS, TAKE_PROFIT, DELEVERAGE, FLATTEN, KEEP_EXIT, MARGIN_CALL = range(10)

KEEP_OPEN, CANCEL_WORKING, CANCEL_ALL = range(3)
"""What happens to open orders: nothing; those cancelled that count as on their way; all cancelled."""

F_NUMBER, F_SYMBOL, F_SIDE, F_LOTS, F_PRICE, F_COMMISSION, F_SLIPPAGE, F_SEQ = range(8)
"""A fill as a row: `NUMBER` of its order, symbol, 1 or -1, lots, price units, twice money units, frame."""
N_FILL_COLUMNS = 8

MILLION = Decimal(1_000_000)


def to_row(order: OrderIntent, symbol: int, grid: Grid) -> IntArray:
    """Return an order as a row, int64 (N_COLUMNS,); who keeps several gives them `POSITION`, links and `NUMBER`.

    Parameters
    ----------
    order : OrderIntent
        Checked; what is off the grid goes to the nearest step.
    symbol : int
        Place in the universe.
    grid : Grid
    """
    row = np.zeros(N_COLUMNS, dtype=np.int64)
    row[SYMBOL], row[SIDE], row[LOTS] = symbol, order.side.sign, grid.lots(order.quantity)
    row[KIND], row[FORCE] = KINDS.index(order.order_type), FORCES.index(order.time_in_force)
    row[PURPOSE], row[SEQ] = PURPOSES.index(order.purpose), order.seq
    for column, price in ((LIMIT, order.limit_price), (STOP, order.stop_price), (TRAIL, order.trail_price)):
        row[column] = 0 if price is None else grid.price_units(price)
    row[TRAIL_MICROS] = 0 if order.trail_frac is None else int(order.trail_frac * MILLION)
    row[REDUCE_ONLY] = order.is_reduce_only
    row[PARENT] = row[FIRST_FILL_SEQ] = -1
    return row


def to_order(row: IntArray, client_order_id: str, symbol: str, grid: Grid, *, parent_id: str = "") -> OrderIntent:
    """Return the order of a row; `client_order_id` and `symbol` are its names, and `parent_id` that of its parent.

    The legs of one parent cancel one another: they are a group of its name.
    """

    def price(column: int) -> Decimal | None:
        return grid.price(int(row[column])) if row[column] else None

    return OrderIntent(
        client_order_id=client_order_id,
        seq=int(row[SEQ]),
        symbol=symbol,
        side=Side.BUY if row[SIDE] > 0 else Side.SELL,
        quantity=grid.quantity(int(row[LOTS])),
        order_type=KINDS[row[KIND]],
        time_in_force=FORCES[row[FORCE]],
        limit_price=price(LIMIT),
        stop_price=price(STOP),
        trail_price=price(TRAIL),
        trail_frac=int(row[TRAIL_MICROS]) / MILLION if row[TRAIL_MICROS] else None,
        parent_id=parent_id,
        oco_group=parent_id if row[GROUP] else "",
        is_reduce_only=bool(row[REDUCE_ONLY]),
        purpose=PURPOSES[row[PURPOSE]],
    )
