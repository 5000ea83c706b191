"""The execution actor: the orders and the session with the broker."""

import asyncio
import os

from actors.calls import NamedActor, ask
from configs.plan import RunPlan
from outcry.adapters.postgres.ledger import PostgresLedger
from outcry.adapters.postgres.reader import JournalReader
from outcry.execution.router import OrderRouter
from outcry.market.frame import Frame
from outcry.messages import Executions, Submission, Verdict


class ExecutionActor:
    """Own the orders of a desk and the session with its broker.

    **Owns** an `OrderRouter` over a broker, and the writing of orders and fills. **Receives** frames and verdicts.
    **Sends** orders to the broker, committed first; tells of no fill that is not committed. **Ordering** by `seq`; a
    repeat gets what was committed first. **On failure** it restores open orders, account and last executions from the
    ledger.
    """

    def __init__(self, plan: RunPlan, database_url: str) -> None:
        self._plan = plan
        self._database_url = database_url
        self._ledger: PostgresLedger | None = None
        self._router: OrderRouter | None = None
        self._turn = asyncio.Lock()  # a desk that was restarted may ask while the last call of the dead one still runs

    async def advance(self, frame: Frame) -> Executions:
        async with self._turn:
            return await (await self._router_at(frame.seq - 1)).advance(frame)

    async def submit(self, verdict: Verdict) -> Submission:
        async with self._turn:
            router = await self._router_at(verdict.seq - 1)
            if router.last_seq < verdict.seq:  # restarted between the two calls of a frame
                async with JournalReader.connect(self._database_url, self._plan.run_id) as reader:
                    frames = await reader.frames(verdict.seq, verdict.seq)
                await router.advance(frames.frame(verdict.seq))
            return await router.submit(verdict)

    async def health(self) -> int:
        return os.getpid()

    async def _router_at(self, seq: int) -> OrderRouter:
        """Return the router in its state after frame `seq` or later, restored from the ledger where it is behind."""
        if self._router is None or self._router.last_seq < seq:
            self._router = await self._restore()
        return self._router

    async def _restore(self) -> OrderRouter:
        if self._ledger is None:
            self._ledger = await PostgresLedger.open(self._database_url, self._plan.run_id)
        broker = self._plan.build_broker()
        router = OrderRouter(broker, self._ledger)
        async with JournalReader.connect(self._database_url, self._plan.run_id) as reader:
            seq = await reader.last_completed_seq()
            earliest = await reader.first_seq() or 0
            if seq >= 0:
                orders = await reader.orders()
                first = max(earliest, broker.first_frame_needed(seq, orders))
                frames = await reader.frames(first, seq)
                fills, events = await reader.fills(), await reader.ledger_events()
                broker.restore(frames, await reader.last_closes(seq), orders, fills, events)
            elif earliest < 0:
                first = max(earliest, broker.first_frame_needed(-1, ()))
                broker.warm_up(await reader.frames(first, -1))
            router.restore(seq, await reader.executions(seq + 1))
        return router


class ExecutionClient:
    """`outcry.ports.Router` over an `ExecutionActor`."""

    def __init__(self, actor: NamedActor, deadline_s: float) -> None:
        self._actor = actor
        self._deadline_s = deadline_s

    async def advance(self, frame: Frame) -> Executions:
        executions: Executions = await ask(self._actor.advance, frame, deadline_s=self._deadline_s)
        return executions

    async def submit(self, verdict: Verdict) -> Submission:
        submission: Submission = await ask(self._actor.submit, verdict, deadline_s=self._deadline_s)
        return submission
