"""The journal actor: it writes every frame, and what became of it."""

import asyncio
import os
from dataclasses import replace

import structlog

from actors.calls import NamedActor, ask, post
from configs.plan import RunPlan
from outcry.adapters.postgres.journal import PostgresJournal
from outcry.adapters.redis_cache import FloorCache
from outcry.errors import ServiceError
from outcry.features.guard import ColumnQuality, QualityGuard
from outcry.market.frame import Frame
from outcry.messages import FeatureFrame, Forecast, FrameOutcome, Input

log = structlog.get_logger(__name__)

_PUBLISH_PERIOD_S = 1.0


class JournalActor:
    """Own what is written of every frame to PostgreSQL and Redis.

    **Owns** its connections to both. **Receives** frames, outcomes, forecasts of a shadow, snapshots and commands.
    **Sends** the operator inputs that take effect at a frame, and what went wrong with the features. **Ordering** each
    call is one transaction; a repeat changes nothing. **On failure** it reconnects; what was not answered is sent again
    by the caller. Redis is a convenience: where it is down, trading goes on and the losses are counted.
    """

    def __init__(self, plan: RunPlan, database_url: str, redis_url: str) -> None:
        self._plan = plan
        self._database_url = database_url
        self._cache = FloorCache(redis_url, plan.universe.symbols, plan.feature_set.names)
        self._opened: asyncio.Future[PostgresJournal] | None = None
        self._frame: Frame | None = None
        self._recorded_frame: Frame | None = None
        self._publishing: asyncio.Task[None] | None = None
        self._unpublished: list[FrameOutcome] = []
        self._guard = QualityGuard(plan.feature_set.columns, len(plan.universe))
        self._unchecked: list[FeatureFrame] = []
        self._checking = asyncio.Lock()

    async def append(self, frame: Frame) -> tuple[Input, ...]:
        self._frame = frame
        return await (await self._journal()).append(frame)

    async def record(self, outcome: FrameOutcome) -> None:
        await (await self._journal()).record(outcome)
        if self._frame is not None and self._frame.seq == outcome.seq:
            self._recorded_frame = self._frame
        self._unpublished.append(outcome)
        self._unchecked.append(outcome.features)
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.create_task(self._publish())

    async def record_shadow(self, forecast: Forecast) -> None:
        await (await self._journal()).record_shadow(forecast)

    async def save_snapshot(self, name: str, seq: int, payload: bytes) -> None:
        await (await self._journal()).save_snapshot(name, seq, payload)

    async def add_command(self, kind: str, payload: dict[str, str]) -> None:
        """Queue an operator command; it takes effect at the next frame."""
        await (await self._journal()).add_command(kind, payload)

    async def set_status(self, status: str, detail: str) -> None:
        await (await self._journal()).set_status(status, detail)

    async def feature_quality(self) -> tuple[ColumnQuality, ...]:
        """Return the columns that went wrong since this process started."""
        await self._check_features()
        return self._guard.findings

    async def health(self) -> int:
        return os.getpid()

    async def _journal(self) -> PostgresJournal:
        if self._opened is None or (self._opened.done() and self._opened.exception() is not None):
            self._opened = asyncio.ensure_future(
                PostgresJournal.open(self._database_url, self._plan.run_id, self._plan.universe)
            )
        return await asyncio.shield(self._opened)

    async def _publish(self) -> None:
        """Publish until nothing is left, a burst of frames at once: every event, and the values of the last frame."""
        while self._unpublished and self._recorded_frame is not None:
            outcomes, self._unpublished = self._unpublished, []
            try:
                await self._cache.publish(self._recorded_frame, outcomes)
            except ServiceError as error:
                log.warning("cache_unreachable", error=str(error), n_frames_lost=len(outcomes))
            await self._check_features()
            await asyncio.sleep(_PUBLISH_PERIOD_S)

    async def _check_features(self) -> None:
        async with self._checking:
            while self._unchecked:
                await asyncio.to_thread(self._guard.update, self._unchecked.pop(0))


class JournalClient:
    """`outcry.ports.FrameJournal` over a `JournalActor`."""

    def __init__(self, actor: NamedActor, deadline_s: float) -> None:
        self._actor = actor
        self._deadline_s = deadline_s

    async def append(self, frame: Frame) -> tuple[Input, ...]:
        inputs: tuple[Input, ...] = await ask(self._actor.append, frame, deadline_s=self._deadline_s)
        return inputs

    async def record(self, outcome: FrameOutcome) -> None:
        outcome = replace(outcome, features=replace(outcome.features, windows=None))  # read while it was under way
        await ask(self._actor.record, outcome, deadline_s=self._deadline_s)

    async def record_shadow(self, forecast: Forecast) -> None:
        await ask(self._actor.record_shadow, forecast, deadline_s=self._deadline_s)

    async def add_command(self, kind: str, payload: dict[str, str]) -> None:
        await ask(self._actor.add_command, kind, payload, deadline_s=self._deadline_s)

    async def feature_quality(self) -> tuple[ColumnQuality, ...]:
        found: tuple[ColumnQuality, ...] = await ask(self._actor.feature_quality, deadline_s=self._deadline_s)
        return found

    async def set_status(self, status: str, detail: str = "") -> None:
        await ask(self._actor.set_status, status, detail, deadline_s=self._deadline_s)

    def post_snapshot(self, name: str, seq: int, payload: bytes) -> None:
        """Send a snapshot without waiting: one that is lost costs a longer replay, nothing else."""
        post(self._actor.save_snapshot, name, seq, payload)
