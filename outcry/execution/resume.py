"""The open orders of a broker that was restarted: from the ledger, and from the bars that have passed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from outcry.errors import RecoveryError
from outcry.execution.kernels import entry
from outcry.execution.kernels.model import PRICE_SCALE
from outcry.execution.kernels.open_orders import (
    Broker,
)
from outcry.execution.lifecycle import OrderRecord
from outcry.execution.session_clock import read_clock
from outcry.execution.tape import bars_of
from outcry.market.frame import FloatArray, FrameTensor, IntArray
from outcry.market.grid import Grid
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import Fill, OrderStatus, TimeInForce
from outcry.order_rows import (
    ALLOWED,
    BEST,
    ENDED,
    FILLED,
    FIRST_FILL_SEQ,
    GROUP,
    N_COLUMNS,
    NUMBER,
    PARENT,
    POSITION,
    REDUCE_ONLY,
    SEQ,
    STATUS,
    STATUSES,
    SYMBOL,
    TAKEN,
    WATCH_SEQ,
    to_row,
)


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What has happened up to the frame `seq` at which a broker resumes, and the market it happened in.

    Attributes
    ----------
    universe : Universe
    market : float64
        Slots of `outcry.execution.kernels.model`.
    sessions : Sessions
    records : sequence of OrderRecord
        Of the orders made up to it, in the order in which they were made, as they stood then.
    fills : mapping of str to sequence of Fill
        Up to it, by order.
    frames : FrameTensor
        See `SimulatedBroker.restore`.
    """

    universe: Universe
    market: FloatArray
    sessions: Sessions
    records: Sequence[OrderRecord]
    fills: Mapping[str, Sequence[Fill]]
    frames: FrameTensor


def as_of(order: OrderRecord, seq: int, fills: Sequence[Fill]) -> OrderRecord:
    """Return `order` as it was after frame `seq`, when it had these fills: an end that came later is undone."""
    if order.updated_seq <= seq and not order.is_open:
        return order
    filled = sum((fill.quantity for fill in fills), start=order.filled_quantity * 0)
    status = OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.ACCEPTED
    return OrderRecord(order.intent, status, filled, min(order.updated_seq, seq))


def resume_orders(past: Past, groups: Mapping[str, int]) -> IntArray:
    """Return the rows of the open orders, int64 (n, N_COLUMNS), as they stand after the frame of `past`.

    Raises
    ------
    RecoveryError
        Where an open order needs bars that are not there.
    """
    universe = past.universe
    number = {record.intent.client_order_id: n for n, record in enumerate(past.records)}
    rows = []
    position, seq = -1, -1
    for n, record in enumerate(past.records):
        intent = record.intent
        position, seq = (position + 1 if intent.seq == seq else 0), intent.seq
        if record.is_open:
            row = to_row(intent, universe.index(intent.symbol), universe.grid)
            row[NUMBER], row[POSITION] = n, position
            row[GROUP] = groups.get(intent.oco_group, 0)
            row[PARENT] = number[intent.parent_id] if intent.parent_id else row[PARENT]
            row[REDUCE_ONLY] |= bool(intent.parent_id)
            rows.append(_resume(row, record, past))
    return np.array(rows, dtype=np.int64).reshape(-1, N_COLUMNS)


def _resume(row: IntArray, record: OrderRecord, past: Past) -> IntArray:
    intent, grid = record.intent, past.universe.grid
    row = _accepted(row, past)
    own = past.fills.get(intent.client_order_id, ())
    begins = own
    if intent.parent_id:
        begins = past.fills.get(intent.parent_id, ())
        row[ALLOWED] = min(grid.lots(intent.quantity), sum(grid.lots(fill.quantity) for fill in begins))
        if begins:
            parent = past.records[row[PARENT]].intent
            row[BEST] = _reference(begins[0], grid)
            row[WATCH_SEQ] = begins[0].seq + (parent.time_in_force is TimeInForce.CLS)
        row[PARENT] = row[PARENT] if past.records[row[PARENT]].is_open else ENDED
    row[STATUS] = STATUSES.index(record.status)
    row[FILLED] = grid.lots(record.filled_quantity)
    row[TAKEN] = sum(
        grid.lots(fill.quantity)
        for other in past.records
        if intent.oco_group and other.intent.oco_group == intent.oco_group and other.intent != intent
        for fill in past.fills.get(other.intent.client_order_id, ())
        if fill.seq > intent.seq
    )
    row[FIRST_FILL_SEQ] = begins[0].seq if begins else -1
    _watch(row, own, past)
    return row


def _reference(fill: Fill, grid: Grid) -> int:
    """Return where a fill was matched, before slippage, price units."""
    slipped = grid.money_units(fill.slippage) // grid.lots(fill.quantity)
    return grid.price_units(fill.price) - fill.side.sign * slipped


def _accepted(row: IntArray, past: Past) -> IntArray:
    """Return the row as the broker took it when the order was made."""
    frames, i = past.frames, int(row[SYMBOL])
    made = int(row[SEQ]) - frames.first_seq
    if made < 0:
        raise RecoveryError(f"frames must begin at {row[SEQ]}, where an order was made, began at {frames.first_seq}")
    last_units, nothing = np.zeros((2, i + 1), dtype=np.int64)
    closes = frames.close[: made + 1, i]
    seen = closes[~np.isnan(closes)]
    if len(seen):
        last_units[i] = round(float(seen[-1]) * past.market[PRICE_SCALE])
    table = np.zeros((1, N_COLUMNS), dtype=np.int64)
    broker: Broker = (nothing, nothing, table, np.zeros(2, dtype=np.int64), last_units, np.zeros(i + 1))
    entry.compile_accept()(broker, row[np.newaxis], past.market, int(frames.ts_close_ns[made]), nothing.copy())
    accepted: IntArray = table[0]
    return accepted


def _watch(row: IntArray, own: Sequence[Fill], past: Past) -> None:
    """Let a stop see the bars since it was made."""
    frames = past.frames
    clocks = read_clock(past.sessions, frames.first_seq, frames.ts_close_ns, 0)
    trades = [(fill.seq - frames.first_seq, past.universe.grid.lots(fill.quantity)) for fill in own]
    table = np.array(trades, dtype=np.int64).reshape(-1, 2)
    first = int(row[SEQ]) + 1 - frames.first_seq
    entry.compile_watch()(row, past.market, bars_of(frames), clocks, first, table)
