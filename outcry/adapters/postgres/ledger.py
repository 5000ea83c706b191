"""Orders and fills in PostgreSQL: committed before anybody relies on them."""

from collections.abc import Sequence

import asyncpg
from pydantic import SecretStr

from outcry.adapters.postgres.bars import to_timestamp
from outcry.adapters.postgres.database import Database
from outcry.adapters.postgres.runs import to_json
from outcry.errors import ExecutionError
from outcry.messages import (
    Executions,
    Fill,
    Input,
    InputKind,
    OrderIntent,
    OrderType,
    OrderUpdated,
    Purpose,
    Side,
    TimeInForce,
    Verdict,
)

# Each commit is one statement: one round trip, one transaction. A part that must not act on a repeat reads from the
# common table expression of the row that is new.
_COMMIT_ORDERS = """
WITH decision AS (
    INSERT INTO decisions (run_id, seq, cancels) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING seq
), intent AS (
    INSERT INTO order_intents (run_id, seq, client_order_id, symbol, side, quantity, order_type, time_in_force,
                               limit_price, stop_price, trail_price, trail_frac, parent_id, oco_group,
                               is_reduce_only, purpose, position)
    SELECT $1, $2, list.* FROM decision, unnest(
        $4::text[], $5::text[], $6::text[], $7::numeric[], $8::text[], $9::text[], $10::numeric[], $11::numeric[],
        $12::numeric[], $13::numeric[], $14::text[], $15::text[], $16::boolean[], $17::text[]
    ) WITH ORDINALITY AS list
    RETURNING client_order_id
), opened AS (
    INSERT INTO orders (run_id, client_order_id, status, filled_quantity, reason, updated_seq)
    SELECT $1, client_order_id, 'created', 0, '', $2 FROM intent
), input AS (
    INSERT INTO inputs (run_id, seq, origin, kind, payload, position)
    SELECT $1, $2, 'desk', list.* FROM decision, unnest($18::text[], $19::jsonb[]) WITH ORDINALITY AS list
)
SELECT seq FROM decision
"""

_SELECT_ORDERS = "SELECT * FROM order_intents WHERE run_id = $1 AND seq = $2 ORDER BY position"

# An order that came to its end stays there; of several steps in one commit the last one stands. Every order has its
# row already; ON CONFLICT finds it by key whatever the planner believes of the table.
APPLY_STEPS = """
latest AS (
    SELECT DISTINCT ON (client_order_id) * FROM step ORDER BY client_order_id, position DESC
)
INSERT INTO orders (run_id, client_order_id, status, filled_quantity, reason, updated_seq)
SELECT $1, client_order_id, status, filled_quantity, reason, updated_seq FROM latest
ON CONFLICT (run_id, client_order_id) DO UPDATE SET status = excluded.status,
    filled_quantity = excluded.filled_quantity, reason = excluded.reason, updated_seq = excluded.updated_seq
WHERE orders.status IN ('created', 'submitted', 'accepted', 'partially_filled')
"""

_COMMIT_EXECUTIONS = f"""
WITH unseen AS (
    SELECT 1 WHERE NOT EXISTS (SELECT FROM fills WHERE run_id = $1 AND seq = $2)
        AND NOT EXISTS (SELECT FROM order_updates WHERE run_id = $1 AND seq = $2 AND phase = 'advance')
        AND NOT EXISTS (SELECT FROM ledger_events WHERE run_id = $1 AND seq = $2)
), event AS (
    INSERT INTO ledger_events (run_id, seq, ts_ns, kind, symbol, quantity, amount, position)
    SELECT $1, $2, list.* FROM unseen, unnest($18::bigint[], $19::text[], $20::text[], $21::numeric[], $22::numeric[])
    WITH ORDINALITY AS list
    ON CONFLICT DO NOTHING
), fill AS (
    INSERT INTO fills (run_id, seq, fill_id, client_order_id, ts_ns, executed_at, symbol, side, quantity, price,
                       commission, slippage, position)
    SELECT $1, $2, list.* FROM unseen, unnest(
        $8::text[], $9::text[], $10::bigint[], $11::timestamptz[], $12::text[], $13::text[], $14::numeric[],
        $15::numeric[], $16::numeric[], $17::numeric[]
    ) WITH ORDINALITY AS list
    ON CONFLICT DO NOTHING
), step AS (
    INSERT INTO order_updates (run_id, seq, phase, client_order_id, status, filled_quantity, reason, updated_seq,
                               position)
    SELECT $1, $2, 'advance', list.*
    FROM unseen, unnest($3::text[], $4::text[], $5::numeric[], $6::text[], $7::bigint[]) WITH ORDINALITY AS list
    ON CONFLICT DO NOTHING
    RETURNING client_order_id, status, filled_quantity, reason, updated_seq, position
), {APPLY_STEPS}
"""  # noqa: S608 - put together from constants; values are parameters


class PostgresLedger:
    """`outcry.ports.OrderLedger` of one run: the first commit of a frame stands, a repeat changes nothing.

    **Owns** one connection, on which every commit waits for the disk.
    """

    def __init__(self, database: Database, run_id: str) -> None:
        self._database = database
        self._run_id = run_id

    @classmethod
    async def open(cls, url: SecretStr | str, run_id: str) -> "PostgresLedger":
        """Connect; raise `ServiceError` where the server cannot be reached."""
        database = Database(url, is_writer=True)
        await database.open()
        return cls(database, run_id)

    async def close(self) -> None:
        await self._database.close()

    async def commit_orders(self, verdict: Verdict) -> tuple[OrderIntent, ...]:
        """Commit orders, cancels and inputs of a frame; return the orders that stand for it.

        A verdict without any of them writes nothing and returns what an earlier commit of the frame left.
        """
        for order in verdict.orders:
            _check_frame(f"order {order.client_order_id}", order.seq, verdict.seq)
        if verdict.orders or verdict.cancels or verdict.inputs:
            columns = _transpose([_order_row(order) for order in verdict.orders], width=14)
            new = await self._database.fetch(
                _COMMIT_ORDERS, self._run_id, verdict.seq, list(verdict.cancels), *columns, *_inputs(verdict.inputs)
            )
            if new:
                return verdict.orders
        return tuple(map(read_order, await self._database.fetch(_SELECT_ORDERS, self._run_id, verdict.seq)))

    async def commit_executions(self, executions: Executions) -> None:
        """Commit fills, updates and ledger events of one frame, all or none; nothing where it has some already."""
        if not (executions.fills or executions.updates or executions.events):
            return
        for event in executions.events:
            _check_frame(f"{event.kind} {event.symbol}", event.seq, executions.seq)
        for fill in executions.fills:
            _check_frame(f"fill {fill.fill_id}", fill.seq, executions.seq)
        fills = _transpose([_fill_row(fill) for fill in executions.fills], width=10)
        updates = update_columns(executions.updates)
        booked = [(e.ts_ns, e.kind.value, e.symbol, e.quantity, e.amount) for e in executions.events]
        events = _transpose(booked, width=5)
        await self._database.execute(_COMMIT_EXECUTIONS, self._run_id, executions.seq, *updates, *fills, *events)


def read_order(row: asyncpg.Record) -> OrderIntent:
    """Return the order of a row of order_intents."""
    return OrderIntent(
        client_order_id=row["client_order_id"],
        seq=row["seq"],
        symbol=row["symbol"],
        side=Side(row["side"]),
        quantity=row["quantity"],
        order_type=OrderType(row["order_type"]),
        time_in_force=TimeInForce(row["time_in_force"]),
        limit_price=row["limit_price"],
        stop_price=row["stop_price"],
        trail_price=row["trail_price"],
        trail_frac=row["trail_frac"],
        parent_id=row["parent_id"],
        oco_group=row["oco_group"],
        is_reduce_only=row["is_reduce_only"],
        purpose=Purpose(row["purpose"]),
    )


def _order_row(order: OrderIntent) -> tuple[object, ...]:
    return (
        order.client_order_id,
        order.symbol,
        order.side.value,
        order.quantity,
        order.order_type.value,
        order.time_in_force.value,
        order.limit_price,
        order.stop_price,
        order.trail_price,
        order.trail_frac,
        order.parent_id,
        order.oco_group,
        order.is_reduce_only,
        order.purpose.value,
    )


def _fill_row(fill: Fill) -> tuple[object, ...]:
    return (
        fill.fill_id,
        fill.client_order_id,
        fill.ts_ns,
        to_timestamp(fill.ts_ns),
        fill.symbol,
        fill.side.value,
        fill.quantity,
        fill.price,
        fill.commission,
        fill.slippage,
    )


def update_columns(updates: Sequence[OrderUpdated]) -> list[list[object]]:
    """Return the parameters of a statement that writes steps."""
    rows = [(u.client_order_id, u.status.value, u.filled_quantity, u.reason, u.seq) for u in updates]
    return _transpose(rows, width=5)


def _inputs(inputs: Sequence[Input]) -> list[list[object]]:
    return _transpose([(InputKind(i.kind).value, to_json(dict(i.payload))) for i in inputs], width=2)


def _transpose(rows: Sequence[tuple[object, ...]], *, width: int) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _check_frame(what: str, seq: int, frame_seq: int) -> None:
    if seq != frame_seq:
        raise ExecutionError(f"seq of {what} must be that of its frame, {frame_seq}, was {seq}")
