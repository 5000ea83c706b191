"""What the desk holds of the served ensemble."""

import asyncio
from collections.abc import Callable, Sequence
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
from outcry.models.forecast import ForecastBuilder

APP_NAME = "ensemble"
DEPLOYMENT_NAME = "Ensemble"
_RETRY_PAUSE_S = 0.05


def find_ensemble() -> DeploymentHandle[Any]:
    """Return a handle to the ensemble that is deployed on the cluster this process is connected to."""
    return serve.get_deployment_handle(DEPLOYMENT_NAME, APP_NAME)


class EnsembleClient:
    """`outcry.ports.Predictor` over a handle to the `Ensemble` deployment.

    The rows hold only the columns that the model reads: the client remembers them, and learns others from the first
    answer of another model.
    A replica that dies is replaced by Serve, and the frame is asked for again until the deadline: a prediction changes
    nothing, so it may be asked for twice. Past the deadline, or where the model refuses the rows, the forecast is the
    fallback, which asks for no new risk.

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
    """

    def __init__(
        self,
        find_handle: Callable[[], DeploymentHandle[Any]],
        feature_names: Sequence[str],
        *,
        deadline_s: float,
        model_version: str | None = None,
    ) -> None:
        self._find_handle = find_handle
        self._deadline_s = deadline_s
        self._builder = ForecastBuilder(feature_names, model_version)
        self._place = {name: column for column, name in enumerate(feature_names)}
        self._model_version, self._columns = "", np.empty(0, dtype=np.int64)

    async def predict(self, features: FeatureFrame) -> Forecast:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._deadline_s
        met = "no answer"
        while (left_s := deadline_s - loop.time()) > 0.0:
            try:
                model_version, probability = await asyncio.wait_for(self._ask(features.values), left_s)
                return self._builder.build(features, model_version, probability)
            except TimeoutError:
                break
            except (OutcryError, RayTaskError) as error:  # the model refused; it would again
                return self._builder.build_fallback(features, str(getattr(error, "cause", error)))
            except (AioRpcError, RayError, RayServeException) as error:  # no replica; one is on its way
                met = type(error).__name__
                await asyncio.sleep(_RETRY_PAUSE_S)
        return self._builder.build_fallback(features, f"deadline of {self._deadline_s} s passed: {met}")

    async def _ask(self, values: FloatArray) -> tuple[str, FloatArray]:
        while True:
            answer: FrameAnswer = await self._predict_frame.remote(self._model_version, values[:, self._columns])
            if answer.probability is not None:
                return answer.model_version, answer.probability
            self._model_version = answer.model_version
            self._columns = np.array([self._place[name] for name in answer.feature_names], dtype=np.int64)

    @cached_property
    def _predict_frame(self) -> DeploymentHandle[Any]:
        handle: DeploymentHandle[Any] = self._find_handle().options(
            _by_reference=False,  # gRPC: no detour of large rows through shared memory
            request_serialization="pickle",
            response_serialization="pickle",
        )
        return handle.predict_frame
