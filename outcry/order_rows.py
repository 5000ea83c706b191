"""An order as a row of whole numbers: what portfolio, risk gate, broker and the compiled backtest hand to one another.

Fills and ledger events are rows too, with columns of their own.

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
| `PARENT` | `NUMBER` of the order this is a leg of; -1 where it is none, `ENDED` where that one has come to its end |
| `GROUP` | orders of one group cancel one another; 0 where it is alone |
| `REDUCE_ONLY` | 1 for an order that only closes what is held |
| `NUMBER` | counts the orders of a run |
| `STATUS`, `REASON` | places in `STATUSES` and `REASONS` |
| `ALLOWED` | lots it may trade: all, or for a leg what its parent has traded |
| `FILLED`, `TAKEN` | lots traded by this order, and by the others of its group |
| `BEST` | of a trailing stop, the best price it has seen, price units |
| `TRIGGERED` | 1 for a stop that was reached in an earlier bar |
| `FIRST_FILL_SEQ`, `LAST_FILL_SEQ` | frames of its fills; of a leg, the first is that of its parent; -1 before |
| `ENTRY`, `ENTRY_SEQ` | of a leg, where its parent was matched last, price units, and in which frame; -1 before |
| `WATCH_SEQ` | a stop sees the bars from this frame on |
| `ARRIVAL_NS` | when the market has it |
| `MOVED` | what its own trades have moved the price by, billionths of it |
| `TOUCHED` | 1 where this bar changed it |
"""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from outcry.market.frame import IntArray
from outcry.market.grid import Grid
from outcry.market.universe import Universe
from outcry.messages import (
    LedgerEvent,
    LedgerEventKind,
    OrderIntent,
    OrderStatus,
    OrderType,
    Purpose,
    Side,
    TimeInForce,
)

(
    SYMBOL, SIDE, KIND, FORCE, PURPOSE, LOTS, LIMIT, STOP, TRAIL, TRAIL_MICROS, SEQ, POSITION, PARENT, GROUP,
    REDUCE_ONLY, NUMBER, STATUS, REASON, ALLOWED, FILLED, TAKEN, BEST, TRIGGERED, FIRST_FILL_SEQ, LAST_FILL_SEQ,
    ENTRY, ENTRY_SEQ, WATCH_SEQ, ARRIVAL_NS, MOVED, TOUCHED,
) = range(31)  # fmt: skip
N_COLUMNS = 31

KINDS = tuple(OrderType)
FORCES = tuple(TimeInForce)
PURPOSES = tuple(Purpose)
MARKET, LIMIT_ORDER, STOP_ORDER, STOP_LIMIT, TRAILING_STOP = range(5)
ENDED = -2

STATUSES = tuple(OrderStatus)
CREATED, SUBMITTED, ACCEPTED, PARTIALLY_FILLED, FILLED_UP, REJECTED, CANCELLED, EXPIRED = range(8)

REASONS = (
    "",
    "requested",
    "session ended",
    "sell exceeds the holding, and broker.allow_short is false",
    "buying power is used up",
    "one cancels the other",
    "the order it is a leg of ended",
    "nothing is left to close",
    "not filled at once",
    "the opening is over",
    "a leg of it has traded",
    "the shares were split",
)
(
    NO_REASON, REQUESTED, SESSION_ENDED, SHORT_REFUSED, CASH_REFUSED, OTHER_TRADED, PARENT_ENDED, NOTHING_TO_CLOSE,
    NOT_AT_ONCE, OPENING_OVER, LEG_TRADED, SHARES_SPLIT,
) = range(12)  # fmt: skip
"""Why an order ended."""

DAY, GTC, IOC, FOK, OPG, CLS = range(6)
REBALANCE, ENTER, RESIZE, EXIT, STOP_LOSS, TAKE_PROFIT, DELEVERAGE, FLATTEN, KEEP_EXIT, MARGIN_CALL = range(10)

KEEP_OPEN, CANCEL_WORKING, CANCEL_ALL = range(3)
"""What happens to open orders: nothing; those cancelled that count as on their way; all cancelled."""

F_NUMBER, F_SYMBOL, F_SIDE, F_LOTS, F_PRICE, F_COMMISSION, F_SLIPPAGE, F_SEQ = range(8)
"""A fill as a row: `NUMBER` of its order, symbol, 1 or -1, lots, price units, twice money units, frame."""
N_FILL_COLUMNS = 8

E_SEQ, E_KIND, E_SYMBOL, E_LOTS, E_CASH = range(5)
"""A ledger event as a row: frame, place in `EVENT_KINDS`, symbol (-1 for the account), changes of the lots held and of
the cash, money units."""
N_EVENT_COLUMNS = 5

EVENT_KINDS = tuple(LedgerEventKind)
SPLIT, DIVIDEND, BORROW_FEE, INTEREST = range(4)

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
    row[PARENT] = row[FIRST_FILL_SEQ] = row[LAST_FILL_SEQ] = -1
    return row


def to_ledger_event(row: Sequence[int], ts_ns: int, universe: Universe) -> LedgerEvent:
    """Return the ledger event of a row; `ts_ns` is the close of its frame."""
    seq, kind, symbol, lots, cash = row
    name = universe.symbols[symbol] if symbol >= 0 else ""
    return LedgerEvent(seq, ts_ns, EVENT_KINDS[kind], name, universe.grid.quantity(lots), universe.grid.money(cash))


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
