"""A model in service, as its client asks it: with the columns that it reads, through handles to the replicas."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from ray.serve.handle import DeploymentHandle

from deployments.frame_answer import FrameAnswer
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import FeatureFrame, WindowPart
from outcry.models.forecast import ForecastBuilder
from outcry.models.windows import read_windows


class Replicas:
    """Handles to the replicas of the ensemble, looked for when they are first needed."""

    def __init__(self, find_handle: Callable[[], DeploymentHandle[Any]]) -> None:
        self._find_handle = find_handle

    @cached_property
    def predict_windows(self) -> DeploymentHandle[Any]:
        handle: DeploymentHandle[Any] = self._find_handle()  # through Ray, which knows references
        return handle.predict_windows

    @cached_property
    def predict_frame(self) -> DeploymentHandle[Any]:
        handle: DeploymentHandle[Any] = self._find_handle().options(
            _by_reference=False,  # gRPC: no detour of large rows through shared memory
            request_serialization="pickle",
            response_serialization="pickle",
        )
        return handle.predict_frame


class AskedModel:
    """The champion or the shadow of the replicas: what is remembered of it from one frame to the next.

    The rows hold only the columns that the model reads; others are learnt from the first answer of another model. Of a
    model that reads windows it is handed on where these are: they go from the shards to the replica through the object
    store.

    Parameters
    ----------
    replicas : Replicas
    feature_names : sequence of str
        Of the columns of the frames.
    builder : ForecastBuilder
        Of its forecasts; it is shown every model that is met.
    is_shadow : bool
    """

    def __init__(
        self, replicas: Replicas, feature_names: Sequence[str], builder: ForecastBuilder, *, is_shadow: bool = False
    ) -> None:
        self.builder = builder
        self._replicas = replicas
        self._place = {name: column for column, name in enumerate(feature_names)}
        self._whom = {"of_shadow": True} if is_shadow else {}
        self._model_version, self._columns, self._lookback_bars = "", np.empty(0, dtype=np.int64), 1
        self._wants_members = False

    async def ask(self, features: FeatureFrame) -> tuple[FrameAnswer, FloatArray]:
        """Return what the model says of a frame, with the probabilities in it."""
        while True:
            answer = await self._ask_once(features)
            if answer.probability is not None:
                return answer, answer.probability
            self._model_version = answer.model_version
            self._columns = np.array([self._place[name] for name in answer.feature_names], dtype=np.int64)
            self._lookback_bars = answer.lookback_bars
            self._wants_members = self.builder.meet(answer.decision_spec, len(features.values))

    def read_ahead(self, features: FeatureFrame) -> FeatureFrame:
        """Return a frame to ask about later: windows that the model reads are read now, while it is under way."""
        read = features.windows
        if self._lookback_bars == 1 or read is None:
            return features
        columns, n_bars = self._columns, self._lookback_bars
        reading = asyncio.ensure_future(read(columns, n_bars))
        reading.add_done_callback(_hear)

        async def windows(wanted: IntArray, wanted_bars: int) -> tuple[WindowPart, ...]:
            return await (reading if wanted is columns and wanted_bars == n_bars else read(wanted, wanted_bars))

        return replace(features, windows=windows)

    async def _ask_once(self, features: FeatureFrame) -> FrameAnswer:
        answer: FrameAnswer
        rows = features.values[:, self._columns]
        options = {"wants_members": self._wants_members, **self._whom}
        if self._lookback_bars == 1:
            answer = await self._replicas.predict_frame.remote(self._model_version, rows, **options)
            return answer
        parts = await read_windows(features, self._columns, self._lookback_bars)
        places = [(part.symbols, part.places) for part in parts]
        values = [part.values for part in parts]  # each an argument of its own: Ray replaces a reference by its array
        answer = await self._replicas.predict_windows.remote(self._model_version, rows, places, *values, **options)
        return answer


def _hear(reading: "asyncio.Future[tuple[WindowPart, ...]]") -> None:
    """Take the error of windows that nobody came to ask for."""
    if not reading.cancelled():
        reading.exception()
