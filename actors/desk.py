"""The desk actor: it runs the life of a frame, frame after frame."""

import asyncio
import os
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import structlog

from actors.calls import NamedActor, ask
from actors.feed import FeedClient
from actors.journal import JournalClient
from actors.stopwatch import Stopwatch
from configs.plan import RunPlan
from outcry.adapters.postgres.reader import JournalReader
from outcry.adapters.postgres.runs import RunStatus
from outcry.desk import Desk, trade_frame
from outcry.errors import DataValidationError, RecoveryError
from outcry.market.frame import FloatArray
from outcry.messages import CoverageReport, FrameOutcome

log = structlog.get_logger(__name__)

FRAME_TO_ORDER = "frame_to_order"  # until the broker has answered; every frame
FRAME_TO_ORDER_SENT = "frame_to_order.sent"  # the same, of frames that sent orders


@dataclass(frozen=True, slots=True)
class DeskStatus:
    """What a desk shows of itself. `state` is starting, running, completed, interrupted or failed; `coverage` is of the
    prediction sets of the last frames, None where there are none or too few outcomes."""

    state: str
    detail: str
    last_seq: int
    ts_close_ns: int
    equity: Decimal
    drawdown_frac: float
    n_positions: int
    n_orders: int
    is_halted: bool
    frames_per_s: float
    latency_p50_ms: float
    latency_p99_ms: float
    coverage: CoverageReport | None = None


class DeskActor:
    """Run `trade_frame` over every frame of the run.

    **Owns** the position in the run. **Receives** questions and the wish to stop. **Sends** every frame through the
    ports of the desk. **Ordering** one frame at a time; the next frame is fetched beside the present one. **On
    failure** it goes on after the last complete frame; a frame that was under way is traded again, and every port
    answers as it did the first time.
    """

    def __init__(self, plan: RunPlan, database_url: str, desk: Desk, feed: FeedClient, journal: JournalClient) -> None:
        self._plan = plan
        self._database_url = database_url
        self._stopwatch = Stopwatch()
        self._desk = Desk(
            journal=self._stopwatch.watch("journal", desk.journal),
            router=self._stopwatch.watch("router", desk.router),
            portfolio=self._stopwatch.watch("portfolio", desk.portfolio),
            features=self._stopwatch.watch("features", desk.features),
            predictor=self._stopwatch.watch("predictor", desk.predictor),
            risk=self._stopwatch.watch("risk", desk.risk),
        )
        self._feed = feed
        self._journal = journal
        self._state, self._detail = "starting", ""
        self._outcome: FrameOutcome | None = None
        self._n_frames, self._n_orders = 0, 0
        self._started_at = time.perf_counter()
        self._is_stopping, self._is_waiting = False, True
        self._seq = -1
        self._trading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, or go on, trading. Asking twice changes nothing."""
        if self._trading is None:
            self._trading = asyncio.create_task(self._trade())

    async def stop(self) -> None:
        """Complete the frame under way, then stop; do not wait for one that is not there yet."""
        self._is_stopping = True
        if self._trading is not None:
            if self._is_waiting:
                self._trading.cancel()
            await asyncio.wait([self._trading])

    async def status(self) -> DeskStatus:
        # Whoever asks also sets a desk going that was restarted in between.
        await self.start()
        outcome = self._outcome
        recent_ms = self._stopwatch.recent(FRAME_TO_ORDER)
        p50, p99 = np.percentile(recent_ms, [50, 99]) if recent_ms else (0.0, 0.0)
        return DeskStatus(
            state=self._state,
            detail=self._detail,
            last_seq=-1 if outcome is None else outcome.seq,
            ts_close_ns=0 if outcome is None else outcome.ts_close_ns,
            equity=self._plan.settings.broker.initial_cash if outcome is None else outcome.book.equity,
            drawdown_frac=0.0 if outcome is None else outcome.verdict.drawdown_frac,
            n_positions=0 if outcome is None else int(np.count_nonzero(outcome.book.quantity)),
            n_orders=self._n_orders,
            is_halted=False if outcome is None else outcome.verdict.is_halted,
            frames_per_s=self._n_frames / (time.perf_counter() - self._started_at),
            latency_p50_ms=float(p50),
            latency_p99_ms=float(p99),
            coverage=None if outcome is None else outcome.forecast.coverage,
        )

    async def latency_ms(self) -> Mapping[str, FloatArray]:
        """Return the samples of every step since this process started."""
        return self._stopwatch.samples

    async def health(self) -> int:
        await self.start()
        return os.getpid()

    async def _trade(self) -> None:
        try:
            await self._trade_to_the_end()
            state = RunStatus.INTERRUPTED if self._is_stopping else RunStatus.COMPLETED
        except asyncio.CancelledError:
            if not self._is_stopping:
                raise
            state = RunStatus.INTERRUPTED
        except Exception as error:
            log.error("desk_failed", error=str(error), trace=traceback.format_exc())
            state, self._detail = RunStatus.FAILED, str(error)
        try:
            await self._journal.set_status(state, self._detail)
        finally:  # whoever sees the state may end every actor
            self._state = state.value

    async def _trade_to_the_end(self) -> None:
        seq = await self._next_seq()
        self._state, self._started_at = "running", time.perf_counter()
        while True:
            try:
                return await self._trade_from(seq)
            except (RecoveryError, DataValidationError):
                # The last record of a desk that was killed may arrive after this one has looked for it; an actor that
                # restarts in between is then a frame ahead.
                seq = await self._next_seq()
                if seq <= self._seq:
                    raise

    async def _next_seq(self) -> int:
        async with JournalReader.connect(self._database_url, self._plan.run_id) as reader:
            return await reader.last_completed_seq() + 1

    async def _trade_from(self, seq: int) -> None:
        async for frame in self._feed.stream(seq, self._plan.last_seq):
            if self._is_stopping:
                return
            self._seq, self._is_waiting = frame.seq, False
            started = time.perf_counter()
            self._outcome = await trade_frame(frame, self._desk)
            spent_ms = (time.perf_counter() - started) * 1e3 - self._stopwatch.last("journal.record")
            self._is_waiting = True
            self._stopwatch.add(FRAME_TO_ORDER, spent_ms)
            if self._outcome.submission.orders:
                self._stopwatch.add(FRAME_TO_ORDER_SENT, spent_ms)
            self._n_frames += 1
            self._n_orders += len(self._outcome.submission.orders)


class DeskClient:
    """What a driver asks of a `DeskActor`."""

    def __init__(self, actor: NamedActor, deadline_s: float) -> None:
        self._actor = actor
        self._deadline_s = deadline_s

    async def start(self) -> None:
        await ask(self._actor.start, deadline_s=self._deadline_s)

    async def stop(self) -> None:
        await ask(self._actor.stop, deadline_s=self._deadline_s)

    async def status(self) -> DeskStatus:
        status: DeskStatus = await ask(self._actor.status, deadline_s=self._deadline_s)
        return status

    async def latency_ms(self) -> Mapping[str, FloatArray]:
        latency: Mapping[str, FloatArray] = await ask(self._actor.latency_ms, deadline_s=self._deadline_s)
        return latency
