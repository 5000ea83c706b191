"""The journal actor: the one writer of the ledger."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import structlog

from actors.calls import ask
from configs.plan import RunPlan
from outcry.adapters.postgres.journal import PostgresJournal
from outcry.adapters.redis_cache import FloorCache
from outcry.errors import ServiceError
from outcry.market.frame import Frame
from outcry.messages import Executions, FrameOutcome, Input, OrderIntent, OrderUpdated, Verdict

log = structlog.get_logger(__name__)


class JournalActor:
    """Own every write to PostgreSQL and Redis of a run.

    **Owns** the writer's connections. **Receives** frames, executions, orders, outcomes and snapshots. **Sends** the
    operator inputs that take effect at a frame. **Ordering** each call is one transaction; a repeat changes nothing.
    **On failure** it reconnects; what was not answered is sent again by the caller. Redis is a convenience: where it
    is down, trading goes on and the losses are counted.
    """

    def __init__(self, plan: RunPlan, database_url: str, redis_url: str) -> None:
        self._plan = plan
        self._database_url = database_url
        self._cache = FloorCache(redis_url, plan.universe.symbols)
        self._opened: asyncio.Future[PostgresJournal] | None = None
        self._frame: Frame | None = None
        self._publishing: asyncio.Task[None] | None = None
        self._n_unpublished = 0

    async def append(self, frame: Frame) -> tuple[Input, ...]:
        self._frame = frame
        return await (await self._journal()).append(frame)

    async def record(self, outcome: FrameOutcome) -> None:
        await (await self._journal()).record(outcome)
        if self._publishing is not None:
            await self._publishing  # one frame behind at most, so every event reaches its stream, in order
        self._publishing = asyncio.create_task(self._publish(self._frame, outcome))

    async def commit_executions(self, executions: Executions) -> None:
        await (await self._journal()).commit_executions(executions)

    async def commit_orders(self, verdict: Verdict) -> tuple[OrderIntent, ...]:
        return await (await self._journal()).commit_orders(verdict)

    async def commit_updates(self, seq: int, updates: Sequence[OrderUpdated]) -> None:
        await (await self._journal()).commit_updates(seq, updates)

    async def save_snapshot(self, name: str, seq: int, payload: bytes) -> None:
        await (await self._journal()).save_snapshot(name, seq, payload)

    async def add_command(self, kind: str, payload: dict[str, str]) -> None:
        """Queue an operator command; it takes effect at the next frame."""
        await (await self._journal()).add_command(kind, payload)

    async def set_status(self, status: str, detail: str) -> None:
        await (await self._journal()).set_status(status, detail)

    async def health(self) -> int:
        return os.getpid()

    async def _journal(self) -> PostgresJournal:
        if self._opened is None:
            self._opened = asyncio.ensure_future(
                PostgresJournal.open(self._database_url, self._plan.run_id, self._plan.universe)
            )
        return await asyncio.shield(self._opened)

    async def _publish(self, frame: Frame | None, outcome: FrameOutcome) -> None:
        try:
            if frame is not None and frame.seq == outcome.seq:
                await self._cache.publish(frame, outcome)
        except ServiceError as error:
            self._n_unpublished += 1
            log.warning("cache_unreachable", error=str(error), unpublished=self._n_unpublished)


class JournalClient:
    """`outcry.ports.FrameJournal` and `outcry.ports.OrderLedger` over a `JournalActor`."""

    def __init__(self, handle: Any, deadline_s: float) -> None:
        self._handle = handle
        self._deadline_s = deadline_s

    async def append(self, frame: Frame) -> tuple[Input, ...]:
        inputs: tuple[Input, ...] = await ask(self._handle.append, frame, deadline_s=self._deadline_s)
        return inputs

    async def record(self, outcome: FrameOutcome) -> None:
        await ask(self._handle.record, outcome, deadline_s=self._deadline_s)

    async def commit_executions(self, executions: Executions) -> None:
        await ask(self._handle.commit_executions, executions, deadline_s=self._deadline_s)

    async def commit_orders(self, verdict: Verdict) -> tuple[OrderIntent, ...]:
        orders: tuple[OrderIntent, ...] = await ask(self._handle.commit_orders, verdict, deadline_s=self._deadline_s)
        return orders

    async def commit_updates(self, seq: int, updates: Sequence[OrderUpdated]) -> None:
        await ask(self._handle.commit_updates, seq, updates, deadline_s=self._deadline_s)

    async def add_command(self, kind: str, payload: dict[str, str]) -> None:
        await ask(self._handle.add_command, kind, payload, deadline_s=self._deadline_s)

    async def set_status(self, status: str, detail: str = "") -> None:
        await ask(self._handle.set_status, status, detail, deadline_s=self._deadline_s)

    def post_snapshot(self, name: str, seq: int, payload: bytes) -> None:
        """Send a snapshot without waiting: one that is lost costs a longer replay, nothing else."""
        self._handle.save_snapshot.remote(name, seq, payload)
