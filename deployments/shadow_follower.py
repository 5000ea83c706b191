"""The shadow beside the desk: asked about the frames of the champion, recorded, and never waited for."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import structlog

from deployments.asked_model import AskedModel, Replicas
from outcry.messages import FeatureFrame, Forecast
from outcry.models.forecast import ForecastBuilder

log = structlog.get_logger(__name__)

_BACKLOG_FRAMES = 8
_DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class _WaitingFrame:
    """A frame the shadow is to answer; with a `reason` it is not asked about, and its values are NaN."""

    model: AskedModel
    features: FeatureFrame
    reason: str


class ShadowFollower:
    """Ask the shadow about frame after frame, beside everything else, and hand on what it forecasts.

    Nothing it does is awaited by who calls it, and no error leaves it: it is logged, and the frame is one that the
    shadow did not answer, as is one that finds `_BACKLOG_FRAMES` others waiting. Frames keep their order. A shadow
    begins anew with the first frame that it is met at, also after a restart of the desk.

    Parameters
    ----------
    replicas : Replicas
    feature_names : sequence of str
        Of the columns of the frames.
    record : callable
        Is given each forecast; no two at a time.
    """

    def __init__(
        self, replicas: Replicas, feature_names: Sequence[str], record: Callable[[Forecast], Awaitable[None]]
    ) -> None:
        self._replicas = replicas
        self._feature_names = tuple(feature_names)
        self._record = record
        self._model: AskedModel | None = None
        self._waiting: deque[_WaitingFrame] = deque()
        self._working: asyncio.Task[None] | None = None
        self._n_missed = 0

    def follow(self, features: FeatureFrame, shadow_version: str) -> None:
        """Take a frame that the champion has answered, naming the shadow in service beside it; empty is none."""
        if not shadow_version:
            self._model = None
            return
        if self._model is None:
            builder = ForecastBuilder(self._feature_names)
            self._model = AskedModel(self._replicas, self._feature_names, builder, is_shadow=True)
        if sum(not waiting.reason for waiting in self._waiting) >= _BACKLOG_FRAMES:
            self._add(self._model, _without_values(features), f"{_BACKLOG_FRAMES} frames were waiting")
        else:
            self._add(self._model, self._model.read_ahead(features), "")

    def skip(self, features: FeatureFrame) -> None:
        """Take a frame that the champion has not answered: neither does the shadow, where there is one."""
        if self._model is not None:
            self._add(self._model, _without_values(features), "the champion did not answer")

    def _add(self, model: AskedModel, features: FeatureFrame, reason: str) -> None:
        self._waiting.append(_WaitingFrame(model, features, reason))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            try:
                await self._forecast(waiting)
            except Exception as error:  # whatever it is, the desk must not meet it
                log.warning("shadow_failed", seq=waiting.features.seq, error=_told(error))

    async def _forecast(self, waiting: _WaitingFrame) -> None:
        model, features, reason = waiting.model, waiting.features, waiting.reason
        if not reason:
            try:
                answer, said = await asyncio.wait_for(model.ask(features), _DEADLINE_S)
                forecast = model.builder.build(features, answer.model_version, said)
            except Exception as error:
                reason = _told(error)
        if reason:
            model.builder.build_fallback(features, reason)
            self._n_missed += 1
            if self._n_missed == 1:
                log.warning("shadow_missed", seq=features.seq, reason=reason)
            return
        if self._n_missed:
            log.info("shadow_back", seq=features.seq, n_frames_missed=self._n_missed)
            self._n_missed = 0
        await self._record(forecast)


def _without_values(features: FeatureFrame) -> FeatureFrame:
    """Return what is kept of a frame that nobody is asked about: its close."""
    return replace(features, values=np.broadcast_to(np.nan, features.values.shape), windows=None)


def _told(error: Exception) -> str:
    return str(getattr(error, "cause", error)) or type(error).__name__
