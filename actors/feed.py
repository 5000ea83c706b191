"""The feed: one source, decoded, checked, in frames."""

import asyncio
import os
from collections.abc import AsyncIterator

from actors.calls import NamedActor, ask
from configs.plan import RunPlan
from configs.sectors import load_sectors
from outcry.adapters.clock import SystemClock
from outcry.adapters.sources.load import load_market
from outcry.errors import RecoveryError
from outcry.market.frame import Frame
from outcry.ports import Clock

_BATCH = 16  # frames a call while replaying as fast as the floor goes


class FeedActor:
    """Own the market data of a run.

    **Owns** the source and the clock of the replay. **Receives** requests for frames by `seq`. **Sends** nothing
    unasked. **Ordering** any; a frame is a function of its `seq`. **On failure** it loads the source again and refuses
    one whose fingerprint differs from that of the run.
    """

    def __init__(self, plan: RunPlan, clock: Clock | None = None) -> None:
        market = load_market(plan.settings.market, load_sectors())
        if market.fingerprint != plan.fingerprint:
            raise RecoveryError(
                f"market data must be that of run {plan.run_id} (fingerprint {plan.fingerprint[:12]}), "
                f"was {market.fingerprint[:12]}"
            )
        self._frames = market.frames.rows(plan.first_row, len(market.frames), first_seq=0)
        self._clock = clock or SystemClock()
        speed = plan.settings.floor.speed
        self._pause_ns = 0 if speed is None else int(plan.bar_ns / speed)
        self._release_ns = 0

    async def frames(self, seq: int) -> list[Frame]:
        """Return the frames from `seq` on that are due: some at once, or the next one when the replay speed allows."""
        if not self._pause_ns:
            last_seq = min(seq + _BATCH - 1, self._frames.last_seq)
            return [self._frames.frame(due) for due in range(seq, last_seq + 1)]
        self._release_ns = max(self._release_ns + self._pause_ns, self._clock.now_ns())
        await self._clock.sleep_until_ns(self._release_ns)
        return [self._frames.frame(seq)]

    async def health(self) -> int:
        return os.getpid()


class FeedClient:
    """Frames of a `FeedActor`, in order."""

    def __init__(self, actor: NamedActor, deadline_s: float) -> None:
        self._actor = actor
        self._deadline_s = deadline_s

    async def stream(self, seq: int, last_seq: int) -> AsyncIterator[Frame]:
        """Yield the frames from `seq` to `last_seq`; the next ones are fetched while the last are traded."""
        fetching = asyncio.create_task(self._frames(seq)) if seq <= last_seq else None
        while fetching is not None:
            frames = await fetching
            seq = frames[-1].seq + 1
            fetching = asyncio.create_task(self._frames(seq)) if seq <= last_seq else None
            for frame in frames:
                yield frame

    async def _frames(self, seq: int) -> list[Frame]:
        frames: list[Frame] = await ask(self._actor.frames, seq, deadline_s=self._deadline_s)
        return frames
