"""What the desk holds of the served ensemble."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from grpc.aio import AioRpcError  # type: ignore[import-untyped]  # the package has no stubs
from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from deployments.asked_model import AskedModel, Replicas
from deployments.shadow_follower import ShadowFollower
from outcry.errors import OutcryError
from outcry.messages import FeatureFrame, Forecast
from outcry.models.decisions import BuildAbstention
from outcry.models.forecast import ForecastBuilder, ForecastState

APP_NAME = "ensemble"
DEPLOYMENT_NAME = "Ensemble"
_RETRY_PAUSE_S = 0.05


def find_ensemble() -> DeploymentHandle[Any]:
    """Return a handle to the ensemble that is deployed on the cluster this process is connected to."""
    return serve.get_deployment_handle(DEPLOYMENT_NAME, APP_NAME)


class EnsembleClient:
    """`outcry.ports.Predictor` over a handle to the `Ensemble` deployment.

    A replica that dies is replaced by Serve, and the frame is asked for again until the deadline: a prediction changes
    nothing, so it may be asked for twice. Past the deadline, or where the model refuses the rows, the forecast is the
    fallback, which asks for no new risk.
    Where forecasts of a model rest on what became of earlier ones, the replica answers with what the members say: it
    has no past, and the rest is done here, beside the frames.
    Where the replicas hold a shadow, it is asked once the forecast is made, and nobody waits for it.

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
    record_shadow : callable, optional
        Is given the forecasts of a shadow; absent, none is asked.
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
        record_shadow: Callable[[Forecast], Awaitable[None]] | None = None,
    ) -> None:
        self._deadline_s = deadline_s
        self._builder = ForecastBuilder(
            feature_names, model_version, keeps_state=read_state is not None, build_abstention=build_abstention
        )
        self._read_state = read_state
        replicas = Replicas(find_handle)
        self._champion = AskedModel(replicas, feature_names, self._builder)
        self._shadow = None if record_shadow is None else ShadowFollower(replicas, feature_names, record_shadow)

    async def predict(self, features: FeatureFrame) -> Forecast:
        forecast, shadow_version = await self._predict(features)
        if self._shadow is not None:
            if shadow_version is None:
                self._shadow.skip(features)
            else:
                self._shadow.follow(features, shadow_version)
        return forecast

    async def _predict(self, features: FeatureFrame) -> tuple[Forecast, str | None]:
        """Return the forecast, and the shadow that the replica holds; None where none answered."""
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
                answer, said = await asyncio.wait_for(self._champion.ask(features), left_s)
                return self._builder.build(features, answer.model_version, said), answer.shadow_version
            except TimeoutError:
                break
            except (OutcryError, RayTaskError) as error:  # the model refused; it would again
                return self._builder.build_fallback(features, str(getattr(error, "cause", error))), None
            except (AioRpcError, RayError, RayServeException) as error:  # no replica; one is on its way
                met = type(error).__name__
                await asyncio.sleep(_RETRY_PAUSE_S)
        return self._builder.build_fallback(features, f"deadline of {self._deadline_s} s passed: {met}"), None
