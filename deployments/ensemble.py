"""The ensemble as a Ray Serve deployment: members in one process, a bundle swapped without a restart.

**Owns** the model in service, and a shadow that is asked beside it and never trades. **Receives** rows from the desk
through a handle, with the columns that the model reads, and HTTP requests. **Sends** nothing; reads the floor's latest
features from Redis. **Ordering**: none needed, a prediction depends on its rows and on the model only. **On failure**:
Serve starts a new replica, which loads the bundles that `user_config` names; a bundle that cannot be loaded leaves the
old one in service, and a replica without its shadow serves all the same.
"""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr
from ray import serve
from ray.experimental.internal_kv import _internal_kv_del, _internal_kv_get, _internal_kv_put
from ray.serve import Application

from configs.serving import ServingConfig
from configs.uncertainty import UncertaintyConfig
from deployments.frame_answer import FrameAnswer
from deployments.http_app import build_http_app
from deployments.model_slot import ModelSlot, SlotStatus
from outcry.adapters.clock import SystemClock
from outcry.adapters.redis_cache import FloorCache
from outcry.config import FrozenConfig
from outcry.errors import BundleError
from outcry.market.frame import Float32Array, FloatArray, IntArray
from outcry.messages import WindowPart
from outcry.models.bundle import ModelBundle, load_bundle
from outcry.models.windows import join_windows

_REDIS_KEY = "outcry:redis_url"


class EnsembleArgs(FrozenConfig):
    """What the application is built from. Serve keeps it, and shows it to whoever asks: no secret goes here."""

    serving: ServingConfig = ServingConfig()
    feature_names: tuple[str, ...]
    features_hash: str
    window_bars: int = 1
    uncertainty: UncertaintyConfig = UncertaintyConfig()


def leave_redis_url(url: SecretStr | str | None) -> None:
    """Leave the URL of the floor's cache in the cluster's own store, where a replica that starts finds it."""
    if url is None:
        _internal_kv_del(_REDIS_KEY)
    else:
        _internal_kv_put(_REDIS_KEY, url.get_secret_value() if isinstance(url, SecretStr) else url)


def read_redis_url() -> str | None:
    """Return what `leave_redis_url` left; None where no floor leaves its features."""
    url = _internal_kv_get(_REDIS_KEY)
    return None if url is None else url.decode()


class ModelChoice(FrozenConfig):
    """The `user_config`.

    Attributes
    ----------
    bundle_path : Path
        The bundle to serve.
    fallback_path : Path, optional
        The one for a fresh replica to take where that is refused.
    shadow_path : Path, optional
        The bundle that is asked beside it; one that is refused changes nothing for the other.
    """

    bundle_path: Path
    fallback_path: Path | None = None
    shadow_path: Path | None = None


@dataclass(frozen=True, slots=True)
class EnsembleStatus:
    """What one replica serves."""

    champion: SlotStatus
    shadow: SlotStatus
    pid: int


class Ensemble:
    """See the module; Serve calls `reconfigure` with the `user_config`, and `__serve_build_asgi_app__` once."""

    def __init__(self, args: EnsembleArgs) -> None:
        self._args = args
        self._clock = SystemClock()
        self._slot = ModelSlot(self._load, self._clock.now_ns)
        self._shadow = ModelSlot(self._load_shadow, self._clock.now_ns)

    def __serve_build_asgi_app__(self) -> FastAPI:
        serving = self._args.serving
        redis_url = read_redis_url()
        features = None if redis_url is None else FloorCache(redis_url)
        return build_http_app(
            self._slot,
            features,
            self._clock,
            shadow=self._shadow,
            max_rows=serving.max_rows,
            max_body_bytes=serving.max_body_bytes,
            uncertainty=self._args.uncertainty,
        )

    async def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Put the bundles of `user_config` in service; requests are answered by the old ones until they are ready."""
        choice = ModelChoice.model_validate(user_config)
        await asyncio.to_thread(self._slot.replace, choice.bundle_path, choice.fallback_path)
        await asyncio.to_thread(self._replace_shadow, choice.shadow_path)

    async def predict_frame(
        self, model_version: str, rows: FloatArray, *, wants_members: bool = False, of_shadow: bool = False
    ) -> FrameAnswer:
        """Predict float64 (n_rows, n_features) with the columns of `model_version`; another model names its own."""
        bundle = self._bundle(of_shadow)
        if bundle.version != model_version:
            return _introduce(bundle)
        predict = bundle.predict_members if wants_members else bundle.predict_proba
        if of_shadow:  # the champion's next frame does not wait for it
            return FrameAnswer(bundle.version, (), await asyncio.to_thread(predict, rows))
        return FrameAnswer(bundle.version, (), predict(rows), shadow_version=self._shadow.version)

    async def predict_windows(
        self,
        model_version: str,
        rows: FloatArray,
        places: Sequence[tuple[IntArray, IntArray]],
        *values: Float32Array,
        wants_members: bool = False,
        of_shadow: bool = False,
    ) -> FrameAnswer:
        """As `predict_frame`, of a model that reads windows; `places` and `values` are those of `WindowPart`."""
        bundle = self._bundle(of_shadow)
        if bundle.version != model_version:
            return _introduce(bundle)
        predict = bundle.predict_members if wants_members else bundle.predict_proba
        parts = [WindowPart(*place, value) for place, value in zip(places, values, strict=True)]
        windows = join_windows(parts, *rows.shape)
        probability = await asyncio.to_thread(predict, rows, windows=windows)
        return FrameAnswer(bundle.version, (), probability, shadow_version="" if of_shadow else self._shadow.version)

    async def status(self) -> EnsembleStatus:
        return EnsembleStatus(self._slot.status, self._shadow.status, os.getpid())

    def _bundle(self, of_shadow: bool) -> ModelBundle:
        return (self._shadow if of_shadow else self._slot).loaded.bundle

    def _replace_shadow(self, path: Path | None) -> None:
        if path is None or (self._shadow.is_ready and not self._forecasts_alike(self._shadow.loaded.bundle)):
            self._shadow.clear()
        if path is not None:
            with suppress(BundleError):  # the slot tells why
                self._shadow.replace(path)

    def _load_shadow(self, path: Path) -> ModelBundle:
        bundle = self._load(path)
        if not self._forecasts_alike(bundle):
            raise BundleError(f"{path}: a shadow must forecast the target of the model in service, forecasts another")
        return bundle

    def _forecasts_alike(self, bundle: ModelBundle) -> bool:
        return bundle.manifest.label == self._slot.loaded.bundle.manifest.label

    def _load(self, path: Path) -> ModelBundle:
        bundle = load_bundle(path, self._args.feature_names, self._args.features_hash)
        if bundle.lookback_bars > self._args.window_bars:
            raise BundleError(
                f"{path}: lookback_bars must be at most {self._args.window_bars}, the rows that the floor keeps for "
                f"windows, was {bundle.lookback_bars}; floor.window_bars has it keep more"
            )
        return bundle

    def check_health(self) -> None:
        if not self._slot.is_ready:
            raise BundleError("no model is in service")


def _introduce(bundle: ModelBundle) -> FrameAnswer:
    return FrameAnswer(bundle.version, bundle.feature_names, None, bundle.lookback_bars, bundle.decision_spec)


def build_app(args: EnsembleArgs) -> Application:
    """Build the application; `user_config` comes with the deployment that `deployments.serving` declares."""
    serving = args.serving
    configured = serve.deployment(
        num_replicas=serving.num_replicas,
        max_ongoing_requests=serving.max_ongoing_requests,
        max_queued_requests=serving.max_queued_requests,
        health_check_period_s=serving.health_period_s,
        max_constructor_retry_count=1,
        graceful_shutdown_wait_loop_s=0.1,
        ray_actor_options={"num_cpus": serving.num_cpus},
    )
    app: Application = configured(serve.ingress()(Ensemble)).bind(args)
    return app
