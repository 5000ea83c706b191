"""The open orders of a broker: taking them up, ending them, and what of them is on its way.

Open orders are the first rows of a table (`outcry.order_rows`), in the order in which they came.
"""

from outcry.compiled import inlined_kernel, kernel
from outcry.execution.costs.latency import latency_ns
from outcry.execution.kernels.matching import is_stop
from outcry.market.frame import FloatArray, IntArray
from outcry.order_rows import (
    ACCEPTED,
    ALLOWED,
    ARRIVAL_NS,
    BEST,
    CANCELLED,
    ENDED,
    ENTRY,
    ENTRY_SEQ,
    FILLED,
    FIRST_FILL_SEQ,
    LAST_FILL_SEQ,
    LOTS,
    MOVED,
    NO_REASON,
    NUMBER,
    PARENT,
    PARENT_ENDED,
    PARTIALLY_FILLED,
    POSITION,
    REASON,
    REDUCE_ONLY,
    REQUESTED,
    SEQ,
    SIDE,
    STATUS,
    SYMBOL,
    TAKEN,
    TOUCHED,
    TRIGGERED,
    WATCH_SEQ,
)

U_NUMBER, U_STATUS, U_FILLED, U_REASON = range(4)
"""What became of an order: `NUMBER`, places of status and reason, lots."""
N_UPDATE_COLUMNS = 4

Broker = tuple[IntArray, IntArray, IntArray, IntArray, IntArray, FloatArray]
"""What the broker keeps: account; lots (n_symbols,); orders (capacity, N_COLUMNS); counts (2,), see below; last closes
(n_symbols,) in price units, 0 before the first bar; last closes as they were."""

N_OPEN, N_BOOKED = range(2)
"""Counts: of open orders, and of the ledger events of the last bar."""


@inlined_kernel
def left_to_trade(order: IntArray, held: int) -> int:
    """Return the lots that an order may still trade where `held` lots of its symbol are held."""
    left = max(int(order[ALLOWED] - order[FILLED] - order[TAKEN]), 0)
    return min(left, max(-order[SIDE] * held, 0)) if order[REDUCE_ONLY] else left


@inlined_kernel
def accept(broker: Broker, order: IntArray, market: FloatArray, made_ts_ns: int) -> None:
    """Add an order to the open ones; its asked-for columns, `NUMBER` and links are filled in.

    Parameters
    ----------
    broker : Broker
    order : int64 (N_COLUMNS,)
    market : float64
    made_ts_ns : int
        Close of the frame that made it.
    """
    _, _, orders, counts, last_units, _ = broker
    row = orders[counts[N_OPEN]]
    counts[N_OPEN] += 1
    for column in range(len(order)):
        row[column] = order[column]
    row[STATUS], row[REASON] = ACCEPTED, NO_REASON
    row[ALLOWED] = 0 if order[PARENT] >= 0 else order[LOTS]
    row[FILLED] = row[TAKEN] = row[TRIGGERED] = row[MOVED] = row[TOUCHED] = 0
    row[FIRST_FILL_SEQ] = row[LAST_FILL_SEQ] = row[ENTRY] = row[ENTRY_SEQ] = -1
    row[WATCH_SEQ] = order[SEQ] + 1
    row[BEST] = last_units[order[SYMBOL]]
    row[ARRIVAL_NS] = made_ts_ns + latency_ns(market, order[SEQ], order[SYMBOL], order[POSITION])


@kernel
def end(orders: IntArray, n_open: int, order: IntArray, status: int, reason: int) -> None:
    """End an open order."""
    if order[STATUS] > PARTIALLY_FILLED:
        return
    order[STATUS], order[REASON], order[TOUCHED] = status, reason, 1
    release_legs(orders, n_open, order[NUMBER])


@inlined_kernel
def release_legs(orders: IntArray, n_open: int, number: int) -> None:
    """Tell the legs of an order that it has come to its end; those it leaves nothing to close end with it."""
    for k in range(n_open):
        leg = orders[k]
        if leg[PARENT] == number:
            leg[PARENT] = ENDED
            if leg[ALLOWED] == 0 and leg[STATUS] <= PARTIALLY_FILLED:
                leg[STATUS], leg[REASON], leg[TOUCHED] = CANCELLED, PARENT_ENDED, 1


@kernel
def write_updates(orders: IntArray, counts: IntArray, updates: IntArray) -> int:
    """Write the rows that were touched, (capacity, N_UPDATE_COLUMNS), and return how many there are."""
    n = 0
    for k in range(counts[N_OPEN]):
        order = orders[k]
        if order[TOUCHED]:
            update = updates[n]
            update[U_NUMBER], update[U_STATUS] = order[NUMBER], order[STATUS]
            update[U_FILLED], update[U_REASON] = order[FILLED], order[REASON]
            n += 1
    return n


@inlined_kernel
def drop_closed(orders: IntArray, counts: IntArray) -> None:
    """Take the orders that ended out of the table; the others keep their order."""
    n_kept = 0
    for k in range(counts[N_OPEN]):
        if orders[k, STATUS] <= PARTIALLY_FILLED:
            if n_kept != k:
                for column in range(orders.shape[1]):
                    orders[n_kept, column] = orders[k, column]
            n_kept += 1
    counts[N_OPEN] = n_kept


@inlined_kernel
def sum_working(broker: Broker, working: IntArray) -> None:
    """Write the signed lots on their way, int64 (n_symbols,): open orders, without what only protects a position.

    An order that has not triggered, and could only close what is held, protects; so does a leg.
    """
    _, lots, orders, counts, _, _ = broker
    for i in range(len(working)):
        working[i] = 0
    for k in range(counts[N_OPEN]):
        order = orders[k]
        if is_working(order, lots[order[SYMBOL]]):
            working[order[SYMBOL]] += order[SIDE] * left_to_trade(order, lots[order[SYMBOL]])


@inlined_kernel
def is_working(order: IntArray, held: int) -> bool:
    """Say whether an order counts as on its way."""
    is_leg = order[PARENT] != -1
    is_waiting = is_stop(order) and not order[TRIGGERED] and order[SIDE] * held < 0
    return not is_leg and not is_waiting


@kernel
def cancel_open(broker: Broker, is_all: bool) -> None:
    """Cancel every open order, or those that count as on their way; `TOUCHED` marks them."""
    _, lots, orders, counts, _, _ = broker
    for k in range(counts[N_OPEN]):
        orders[k, TOUCHED] = 0
    for k in range(counts[N_OPEN]):
        order = orders[k]
        if is_all or is_working(order, lots[order[SYMBOL]]):
            end(orders, counts[N_OPEN], order, CANCELLED, REQUESTED)
