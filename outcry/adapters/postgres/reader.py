"""What a run left behind, for actors that resume, for replays, reports and questions."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import numpy as np
import orjson
from pydantic import SecretStr

from outcry.adapters.postgres.bars import copy_out
from outcry.adapters.postgres.database import Database
from outcry.adapters.postgres.history import EquityCurve, PredictionHistory, ShadowHistory, Snapshot
from outcry.adapters.postgres.ledger import read_order
from outcry.adapters.postgres.runs import RunRecord, RunRegistry
from outcry.errors import RecoveryError
from outcry.execution.lifecycle import OPEN_STATUSES, OrderRecord
from outcry.market.frame import FloatArray, FrameTensor, IntArray
from outcry.messages import (
    Executions,
    Fill,
    Input,
    InputKind,
    LedgerEvent,
    LedgerEventKind,
    OrderStatus,
    OrderUpdated,
    RiskEvent,
    Side,
)

_ORDERS = """
SELECT intent.*, orders.status, orders.filled_quantity, orders.updated_seq, orders.reason
FROM order_intents intent JOIN orders USING (run_id, client_order_id)
WHERE intent.run_id = $1 ORDER BY intent.seq, intent.position
"""

# Shares still open after the market's part of a frame: of orders sent before it, by the last step up to then.
_WORKING = """
SELECT intent.symbol, sum(CASE intent.side WHEN 'buy' THEN 1 ELSE -1 END * (
    intent.quantity - coalesce(step.filled_quantity, 0))) AS quantity
FROM order_intents intent LEFT JOIN LATERAL (
    SELECT status, filled_quantity FROM order_updates step
    WHERE step.run_id = intent.run_id AND step.client_order_id = intent.client_order_id
        AND (step.seq < $2 OR step.seq = $2 AND step.phase = 'advance')
    ORDER BY step.seq DESC, step.phase DESC, step.position DESC LIMIT 1
) step ON true
WHERE intent.run_id = $1 AND intent.seq < $2 AND coalesce(step.status, 'created') = ANY($3)
GROUP BY intent.symbol
"""

_LAST_CLOSES = """
SELECT list.symbol_index, bar.close
FROM unnest($2::text[]) WITH ORDINALITY AS list (symbol, symbol_index), LATERAL (
    SELECT close FROM ohlcv_bars WHERE run_id = $1 AND symbol = list.symbol AND ts <= (
        SELECT to_timestamp(0) + ts_close_ns / 1000 * INTERVAL '1 microsecond' FROM frames
        WHERE run_id = $1 AND seq <= $3 ORDER BY seq DESC LIMIT 1
    ) ORDER BY ts DESC LIMIT 1
) bar
"""


class JournalReader:
    """Read one run. Needs no actor alive; every answer is of committed work only."""

    def __init__(self, database: Database, run_id: str) -> None:
        self._database = database
        self._run_id = run_id
        self._run: RunRecord | None = None

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: SecretStr | str, run_id: str) -> AsyncIterator["JournalReader"]:
        """Yield a reader on one connection; raise `ServiceError` where the server cannot be reached."""
        async with Database.connect(url) as database:
            yield cls(database, run_id)

    async def run(self) -> RunRecord:
        """Return what the run was started with; raise `RecoveryError` where it does not exist."""
        if self._run is None:
            self._run = await RunRegistry(self._database).get(self._run_id)
        return self._run

    async def first_seq(self) -> int | None:
        """Return the first frame in the journal, warm-up included; None before any."""
        row = await self._database.fetch_one("SELECT min(seq) AS seq FROM frames WHERE run_id = $1", self._run_id)
        return None if row is None else row["seq"]

    async def last_completed_seq(self) -> int:
        """Return the last complete frame; -1 before the first."""
        row = await self._database.fetch_one("SELECT max(seq) AS seq FROM equity WHERE run_id = $1", self._run_id)
        return -1 if row is None or row["seq"] is None else int(row["seq"])

    async def last_mark(self) -> EquityCurve | None:
        """Return the mark of the last complete frame as a curve of one row; None before the first."""
        rows = await self._database.fetch(
            "SELECT * FROM equity WHERE run_id = $1 ORDER BY seq DESC LIMIT 1", self._run_id
        )
        return EquityCurve.from_rows(rows) if rows else None

    async def frames(self, first_seq: int, last_seq: int) -> FrameTensor:
        """Return the frames from `first_seq` to `last_seq`, both included, bit for bit as they were appended.

        Raises
        ------
        RecoveryError
            Where one of them is not in the journal.
        """
        rows = await self._database.fetch(
            """
            SELECT seq, ts_close_ns, has_tape, has_actions FROM frames
            WHERE run_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq
            """,
            self._run_id,
            first_seq,
            last_seq,
        )
        if not rows or len(rows) != last_seq - first_seq + 1:
            raise RecoveryError(
                f"frames {first_seq} to {last_seq} of run {self._run_id} must be in the journal, found {len(rows)}"
            )
        ts_close_ns = np.array([row["ts_close_ns"] for row in rows], dtype=np.int64)
        has_tape, has_actions = (any(row[name] for row in rows) for name in ("has_tape", "has_actions"))
        universe = (await self.run()).universe
        return await self._database.run(
            lambda connection: copy_out(
                connection, self._run_id, universe, first_seq, ts_close_ns, has_tape=has_tape, has_actions=has_actions
            )
        )

    async def last_closes(self, seq: int) -> FloatArray:
        """Return the last close of each symbol up to frame `seq`, float64 (n_symbols,); NaN before its first bar."""
        universe = (await self.run()).universe
        closes = np.full(len(universe), np.nan)
        for row in await self._database.fetch(_LAST_CLOSES, self._run_id, list(universe.symbols), seq):
            closes[row["symbol_index"] - 1] = row["close"]
        return closes

    async def fills(self, up_to_seq: int | None = None) -> tuple[Fill, ...]:
        """Return the fills up to a frame, or all, in the order they were committed."""
        rows = await self._database.fetch(
            "SELECT * FROM fills WHERE run_id = $1 AND ($2::bigint IS NULL OR seq <= $2) ORDER BY seq, position",
            self._run_id,
            up_to_seq,
        )
        return tuple(
            Fill(
                fill_id=row["fill_id"],
                client_order_id=row["client_order_id"],
                seq=row["seq"],
                ts_ns=row["ts_ns"],
                symbol=row["symbol"],
                side=Side(row["side"]),
                quantity=row["quantity"],
                price=row["price"],
                commission=row["commission"],
                slippage=row["slippage"],
            )
            for row in rows
        )

    async def ledger_events(self, up_to_seq: int | None = None) -> tuple[LedgerEvent, ...]:
        """Return what was booked without a trade up to a frame, or all, in the order it was committed."""
        rows = await self._database.fetch(
            """
            SELECT * FROM ledger_events
            WHERE run_id = $1 AND ($2::bigint IS NULL OR seq <= $2) ORDER BY seq, position
            """,
            self._run_id,
            up_to_seq,
        )
        return tuple(
            LedgerEvent(
                row["seq"], row["ts_ns"], LedgerEventKind(row["kind"]), row["symbol"], row["quantity"], row["amount"]
            )
            for row in rows
        )

    async def orders(self) -> tuple[OrderRecord, ...]:
        """Return every order as it stands, in the order they were decided."""
        return tuple(
            OrderRecord(
                read_order(row), OrderStatus(row["status"]), row["filled_quantity"], row["updated_seq"], row["reason"]
            )
            for row in await self._database.fetch(_ORDERS, self._run_id)
        )

    async def executions(self, seq: int) -> Executions | None:
        """Return what the broker did up to frame `seq`; None where nothing of it was committed."""
        rows = await self._database.fetch(
            "SELECT * FROM order_updates WHERE run_id = $1 AND seq = $2 AND phase = 'advance' ORDER BY position",
            self._run_id,
            seq,
        )
        fills = tuple(fill for fill in await self.fills(seq) if fill.seq == seq)
        events = tuple(event for event in await self.ledger_events(seq) if event.seq == seq)
        if not rows and not fills and not events:
            return None
        updates = tuple(
            OrderUpdated(
                row["client_order_id"],
                row["updated_seq"],
                OrderStatus(row["status"]),
                row["filled_quantity"],
                row["reason"],
            )
            for row in rows
        )
        return Executions(seq, fills, updates, await self._working(seq), events)

    async def inputs(self, first_seq: int = 0, last_seq: int | None = None) -> Mapping[int, tuple[Input, ...]]:
        """Return, by frame, what reached the run from outside: boundary inputs first, then those of the desk."""
        rows = await self._database.fetch(
            """
            SELECT seq, kind, payload FROM inputs
            WHERE run_id = $1 AND seq >= $2 AND ($3::bigint IS NULL OR seq <= $3) ORDER BY seq, origin, position
            """,
            self._run_id,
            first_seq,
            last_seq,
        )
        found: dict[int, tuple[Input, ...]] = {}
        for row in rows:
            new = Input(row["seq"], InputKind(row["kind"]), orjson.loads(row["payload"]))
            found[row["seq"]] = (*found.get(row["seq"], ()), new)
        return found

    async def model_version(self, seq: int) -> str:
        """Return the model of frame `seq`; empty where it is not complete, or no model had answered yet."""
        statement = "SELECT model_version FROM equity WHERE run_id = $1 AND seq = $2"
        row = await self._database.fetch_one(statement, self._run_id, seq)
        return "" if row is None else str(row["model_version"])

    async def risk_state(self, seq: int) -> Mapping[str, str] | None:
        """Return the state of the risk gate after frame `seq`; None where it is not complete."""
        statement = "SELECT risk_state FROM equity WHERE run_id = $1 AND seq = $2"
        row = await self._database.fetch_one(statement, self._run_id, seq)
        return None if row is None else orjson.loads(row["risk_state"])

    async def risk_events(self) -> tuple[RiskEvent, ...]:
        """Return every action of a limit, in order."""
        rows = await self._database.fetch(
            "SELECT * FROM risk_events WHERE run_id = $1 ORDER BY seq, position", self._run_id
        )
        return tuple(
            RiskEvent(row["seq"], row["limit_name"], row["symbol"], row["value"], row["threshold"], row["action"])
            for row in rows
        )

    async def equity_curve(self, first_seq: int = 0) -> EquityCurve:
        """Return the marks of every complete frame, or of those from one on."""
        statement = "SELECT * FROM equity WHERE run_id = $1 AND seq >= $2 ORDER BY seq"
        return EquityCurve.from_rows(await self._database.fetch(statement, self._run_id, first_seq))

    async def closes_ns(self, last_seq: int) -> IntArray:
        """Return when each frame from 0 to `last_seq` closed, int64 (last_seq + 1,)."""
        statement = "SELECT ts_close_ns FROM frames WHERE run_id = $1 AND seq BETWEEN 0 AND $2 ORDER BY seq"
        rows = await self._database.fetch(statement, self._run_id, last_seq)
        return np.array([row["ts_close_ns"] for row in rows], dtype=np.int64)

    async def latency_ms(self, first_seq: int = 0) -> FloatArray:
        """Return how long each complete frame took, from its commit to that of what it led to, float64 (n_frames,).

        A frame that was traded again after a crash counts the crash.
        """
        rows = await self._database.fetch(
            """
            SELECT extract(epoch FROM equity.recorded_at - frames.appended_at)::float8 * 1000 AS ms
            FROM equity JOIN frames USING (run_id, seq) WHERE run_id = $1 AND seq >= $2 ORDER BY seq
            """,
            self._run_id,
            first_seq,
        )
        return np.array([row["ms"] for row in rows])

    async def predictions(self, first_seq: int = 0) -> PredictionHistory:
        """Return the forecasts of every complete frame from `first_seq` on."""
        rows = await self._database.fetch(
            "SELECT * FROM model_predictions WHERE run_id = $1 AND seq >= $2 ORDER BY seq, symbol",
            self._run_id,
            first_seq,
        )
        return PredictionHistory.from_rows(rows, (await self.run()).universe)

    async def shadow_predictions(self, first_seq: int = 0) -> tuple[ShadowHistory, ...]:
        """Return the forecasts of shadows from frame `first_seq` on, of each model on its own."""
        rows = await self._database.fetch(
            "SELECT * FROM shadow_predictions WHERE run_id = $1 AND seq >= $2 ORDER BY seq, symbol, model_version",
            self._run_id,
            first_seq,
        )
        return ShadowHistory.from_rows(rows, (await self.run()).universe)

    async def latest_snapshot(self, actor: str, *, max_seq: int) -> Snapshot | None:
        """Return the latest state an actor saved after a frame up to `max_seq`, or None."""
        row = await self._database.fetch_one(
            """
            SELECT seq, payload FROM snapshots WHERE run_id = $1 AND actor = $2 AND seq <= $3
            ORDER BY seq DESC LIMIT 1
            """,
            self._run_id,
            actor,
            max_seq,
        )
        return None if row is None else Snapshot(row["seq"], row["payload"])

    async def _working(self, seq: int) -> FloatArray:
        universe = (await self.run()).universe
        working = np.zeros(len(universe))
        for row in await self._database.fetch(_WORKING, self._run_id, seq, sorted(OPEN_STATUSES)):
            working[universe.index(row["symbol"])] = float(row["quantity"])
        return working
