"""The feed: one source, decoded, checked, in frames."""

import os
from typing import Any

from actors.calls import ask
from configs.plan import RunPlan
from configs.sectors import load_sectors
from outcry.adapters.clock import SystemClock
from outcry.adapters.sources.load import load_market
from outcry.errors import RecoveryError
from outcry.market.frame import Frame
from outcry.ports import Clock


class FeedActor:
    """Own the market data of a run.

    **Owns** the source and the clock of the replay. **Receives** requests for a frame by `seq`. **Sends** nothing
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

    async def frame(self, seq: int) -> Frame:
        """Return frame `seq`, not earlier than the replay speed allows."""
        if self._pause_ns:
            self._release_ns = max(self._release_ns + self._pause_ns, self._clock.now_ns())
            await self._clock.sleep_until_ns(self._release_ns)
        return self._frames.frame(seq)

    async def health(self) -> int:
        return os.getpid()


class FeedClient:
    """Frames of a `FeedActor`, by `seq`."""

    def __init__(self, handle: Any, deadline_s: float) -> None:
        self._handle = handle
        self._deadline_s = deadline_s

    async def frame(self, seq: int) -> Frame:
        frame: Frame = await ask(self._handle.frame, seq, deadline_s=self._deadline_s)
        return frame
