"""What the desk holds of the served ensemble."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from grpc.aio import AioRpcError  # type: ignore[import-untyped]  # the package has no stubs
from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from deployments.frame_answer import FrameAnswer
from outcry.errors import OutcryError
from outcry.market.frame import FloatArray
from outcry.messages import FeatureFrame, Forecast
from outcry.models.decisions import BuildAbstention
from outcry.models.forecast import ForecastBuilder, ForecastState
from outcry.models.windows import read_windows

APP_NAME = "ensemble"
DEPLOYMENT_NAME = "Ensemble"
_RETRY_PAUSE_S = 0.05


def find_ensemble() -> DeploymentHandle[Any]:
    """Return a handle to the ensemble that is deployed on the cluster this process is connected to."""
    return serve.get_deployment_handle(DEPLOYMENT_NAME, APP_NAME)


class EnsembleClient:
    """`outcry.ports.Predictor` over a handle to the `Ensemble` deployment.

    The rows hold only the columns that the model reads: the client remembers them, and learns others from the first
    answer of another model. Of a model that reads windows it hands on where these are: they go from the shards to the
    replica through the object store.
    A replica that dies is replaced by Serve, and the frame is asked for again until the deadline: a prediction changes
    nothing, so it may be asked for twice. Past the deadline, or where the model refuses the rows, the forecast is the
    fallback, which asks for no new risk.
    Where forecasts of a model rest on what became of earlier ones, the replica answers with what the members say: it
    has no past, and the rest is done here, beside the frames.

    Parameters
    ----------
    find_handle : callable
        Returns the handle to the deployment, once it is needed: a client may be there before the ensemble is.
    feature_names : sequence of str
        Of the columns of the frames.
    deadline_s : float
        For one frame, retries included.
    model_version : str, optional
        The model of the frame before the first; see `ForecastBuilder`.
    build_abstention : callable, optional
        See `DecisionSpec.build`; absent, nothing is withheld.
    read_state : callable, optional
        Returns what to go on from at a frame, asked with its `seq` before the first one; None at the first of a run.
    """

    def __init__(
        self,
        find_handle: Callable[[], DeploymentHandle[Any]],
        feature_names: Sequence[str],
        *,
        deadline_s: float,
        model_version: str | None = None,
        build_abstention: BuildAbstention | None = None,
        read_state: Callable[[int], Awaitable[ForecastState | None]] | None = None,
    ) -> None:
        self._find_handle = find_handle
        self._deadline_s = deadline_s
        self._builder = ForecastBuilder(
            feature_names, model_version, keeps_state=read_state is not None, build_abstention=build_abstention
        )
        self._read_state = read_state
        self._place = {name: column for column, name in enumerate(feature_names)}
        self._model_version, self._columns, self._lookback_bars = "", np.empty(0, dtype=np.int64), 1
        self._wants_members = False

    async def predict(self, features: FeatureFrame) -> Forecast:
        if self._read_state is not None:
            state = await self._read_state(features.seq)
            if state is not None:
                self._builder.resume(state)
            self._read_state = None
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._deadline_s
        met = "no answer"
        while (left_s := deadline_s - loop.time()) > 0.0:
            try:
                model_version, said = await asyncio.wait_for(self._ask(features), left_s)
                return self._builder.build(features, model_version, said)
            except TimeoutError:
                break
            except (OutcryError, RayTaskError) as error:  # the model refused; it would again
                return self._builder.build_fallback(features, str(getattr(error, "cause", error)))
            except (AioRpcError, RayError, RayServeException) as error:  # no replica; one is on its way
                met = type(error).__name__
                await asyncio.sleep(_RETRY_PAUSE_S)
        return self._builder.build_fallback(features, f"deadline of {self._deadline_s} s passed: {met}")

    async def _ask(self, features: FeatureFrame) -> tuple[str, FloatArray]:
        while True:
            answer = await self._ask_once(features)
            if answer.probability is not None:
                return answer.model_version, answer.probability
            self._model_version = answer.model_version
            self._columns = np.array([self._place[name] for name in answer.feature_names], dtype=np.int64)
            self._lookback_bars = answer.lookback_bars
            self._wants_members = self._builder.meet(answer.decision_spec, len(features.values))

    async def _ask_once(self, features: FeatureFrame) -> FrameAnswer:
        answer: FrameAnswer
        rows = features.values[:, self._columns]
        if self._lookback_bars == 1:
            answer = await self._predict_frame.remote(self._model_version, rows, wants_members=self._wants_members)
            return answer
        parts = await read_windows(features, self._columns, self._lookback_bars)
        places = [(part.symbols, part.places) for part in parts]
        values = [part.values for part in parts]  # each an argument of its own: Ray replaces a reference by its array
        answer = await self._predict_windows.remote(
            self._model_version, rows, places, *values, wants_members=self._wants_members
        )
        return answer

    @cached_property
    def _predict_windows(self) -> DeploymentHandle[Any]:
        handle: DeploymentHandle[Any] = self._find_handle()  # through Ray, which knows references
        return handle.predict_windows

    @cached_property
    def _predict_frame(self) -> DeploymentHandle[Any]:
        handle: DeploymentHandle[Any] = self._find_handle().options(
            _by_reference=False,  # gRPC: no detour of large rows through shared memory
            request_serialization="pickle",
            response_serialization="pickle",
        )
        return handle.predict_frame
