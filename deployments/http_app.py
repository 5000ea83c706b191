"""The HTTP API of the ensemble: ``POST /v1/predict``, ``GET /v1/health``, ``GET /v1/models``, ``/docs``."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from configs.uncertainty import NOTHING_BINDS, UncertaintyConfig
from deployments.http_errors import error_response
from deployments.model_slot import LoadedModel, ModelSlot, RefusedBundle
from deployments.openapi import PREDICT_OPENAPI
from deployments.predict_request import PredictRequest, RequestError, parse_arrow, parse_json
from deployments.predict_response import Prediction, write_arrow, write_json
from outcry.errors import BundleError, ServiceError
from outcry.market.frame import Float32Array, FloatArray, IntArray
from outcry.models.uncertainty.abstain import abstain_reasons
from outcry.ports import Clock

ARROW = "application/vnd.apache.arrow.stream"
JSON = "application/json"
_INLINE_ROWS = 64  # up to so many, a prediction is shorter than two thread switches


class LatestFeatures(Protocol):
    """Where the floor leaves the last features of each symbol."""

    async def latest_features(self, symbols: Sequence[str]) -> Mapping[str, Mapping[str, float | None]]:
        """Return names and values for each of `symbols` that has them; raise `ServiceError` where it cannot look."""
        ...

    async def is_reachable(self) -> bool: ...


def build_http_app(
    slot: ModelSlot,
    features: LatestFeatures | None,
    clock: Clock,
    *,
    shadow: ModelSlot | None = None,
    max_rows: int,
    max_body_bytes: int,
    uncertainty: UncertaintyConfig = NOTHING_BINDS,
) -> FastAPI:
    """Build the app around the model in service.

    Parameters
    ----------
    slot : ModelSlot
    features : LatestFeatures, optional
        Absent where no cache was configured: requests by symbol are then answered 503.
    clock : Clock
    shadow : ModelSlot, optional
        Of the model that is asked beside it by the desk; it answers nobody here, and is told of.
    max_rows, max_body_bytes : int
        Of one request; more is answered 413.
    uncertainty : UncertaintyConfig
        Where the bundle in service has prediction sets: their level, which does not move here, and what they bind.
    """
    app = FastAPI(title="outcry ensemble", version="1", docs_url="/docs", redoc_url=None)

    @app.post("/v1/predict", openapi_extra=PREDICT_OPENAPI, response_class=Response)
    async def predict(request: Request) -> Response:
        """Predict rows of features, with windows where the model reads them, or the latest features of symbols."""
        is_arrow = _is_arrow(request)
        answer = _answer_type(request)
        body = await _read_body(request, max_body_bytes)
        started = perf_counter()
        model = slot.loaded  # one model answers the whole request, whatever is swapped meanwhile
        asked = parse_arrow(body, max_rows) if is_arrow else parse_json(body, model.bundle.feature_names, max_rows)
        columns, windows = (None, None) if asked.rows is None else _model_inputs(asked, model)
        rows = await _latest_rows(asked, features, model) if asked.rows is None else asked.rows
        probability = await predict_proba(model, rows, columns, windows)
        known_sets = model.bundle.prediction_sets
        sets = None if known_sets is None else known_sets.sets(probability, uncertainty.alpha)
        prediction = Prediction(
            model_version=model.bundle.version,
            horizon_bars=model.bundle.horizon_bars,
            probability=probability,
            symbols=asked.symbols,
            latency_ms=(perf_counter() - started) * 1e3,
            sets=sets,
            abstain=None if sets is None else abstain_reasons(probability, uncertainty.rule, sets),
        )
        write = write_arrow if answer == ARROW else write_json
        return Response(write(prediction), media_type=answer)

    @app.get("/v1/health")
    async def health() -> dict[str, Any]:
        """Say which model is in service, which was refused last, the same of its shadow, and how the cache is."""
        cache = "absent" if features is None else "reachable" if await features.is_reachable() else "unreachable"
        return {
            "status": "ok",
            "model_version": slot.loaded.bundle.version,
            "refused_bundle": _describe_refusal(slot.refused),
            "shadow_version": (shadow.version or None) if shadow is not None else None,
            "refused_shadow": None if shadow is None else _describe_refusal(shadow.refused),
            "redis": cache,
        }

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        """List the loaded bundles with what they are and what they were measured to do out of sample."""
        loaded = [("champion", slot.loaded)]
        if shadow is not None:
            with suppress(BundleError):  # none is in service
                loaded.append(("shadow", shadow.loaded))
        return {"models": [{"role": role, **_describe(model)} for role, model in loaded]}

    async def on_request_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestError)  # noqa: S101 - the handler is registered for this class
        return error_response(request, error.status_code, error.detail, clock.now_ns())

    async def on_http_exception(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - the handler is registered for this class
        return error_response(request, error.status_code, str(error.detail), clock.now_ns())

    async def on_failure(request: Request, error: Exception) -> Response:
        return error_response(request, 500, f"the prediction failed: {type(error).__name__}", clock.now_ns())

    app.add_exception_handler(RequestError, on_request_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(Exception, on_failure)
    return app


async def predict_proba(
    model: LoadedModel, rows: FloatArray, columns: IntArray | None, windows: Float32Array | None
) -> FloatArray:
    """Predict in this thread where that is short, else beside the event loop."""
    if len(rows) <= _INLINE_ROWS and windows is None:
        return model.bundle.predict_proba(rows, columns)
    return await asyncio.to_thread(model.bundle.predict_proba, rows, columns, windows)


def _is_arrow(request: Request) -> bool:
    given = request.headers.get("content-type", "")
    kind = given.partition(";")[0].strip().lower()
    if kind not in (JSON, ARROW):
        raise RequestError(415, f"content-type must be {JSON} or {ARROW}, was {given!r}")
    return kind == ARROW


def _answer_type(request: Request) -> str:
    return ARROW if ARROW in request.headers.get("accept", "") else JSON


async def _read_body(request: Request, max_body_bytes: int) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_body_bytes:
        raise RequestError(413, f"body must have at most {max_body_bytes} bytes, had {announced}")
    chunks = []
    size_bytes = 0
    async for chunk in request.stream():
        chunks.append(chunk)
        size_bytes += len(chunk)
        if size_bytes > max_body_bytes:
            raise RequestError(413, f"body must have at most {max_body_bytes} bytes, had more")
    return b"".join(chunks)


def _model_inputs(asked: PredictRequest, model: LoadedModel) -> tuple[IntArray | None, Float32Array | None]:
    """Return where each feature of the model stands in the rows asked for, and the windows with these alone.

    None where the rows have just the features of the model, and where it reads no windows.
    """
    windows, n_bars = asked.windows, model.bundle.lookback_bars
    if n_bars == 1:
        windows = None
    elif windows is None:
        raise RequestError(
            422, f"windows must hold the last {n_bars} bars of each row, which the model reads, had none"
        )
    elif windows.shape[1] < n_bars:
        raise RequestError(422, f"windows must hold the last {n_bars} bars of each row, held {windows.shape[1]}")
    if asked.columns == model.bundle.feature_names:
        return None, windows
    try:
        columns = model.bundle.columns_in(asked.columns)
    except BundleError:
        given = set(asked.columns)
        missing = [name for name in model.bundle.feature_names if name not in given]
        raise RequestError(
            422,
            f"features must include the {len(model.bundle.feature_names)} that the model reads, had no {missing[0]!r}",
        ) from None
    return columns, None if windows is None else windows[..., columns]


async def _latest_rows(asked: PredictRequest, features: LatestFeatures | None, model: LoadedModel) -> FloatArray:
    assert asked.symbols is not None  # noqa: S101 - a request has rows or symbols
    if model.bundle.lookback_bars > 1:
        raise RequestError(
            409,
            f"symbols need a model that reads one bar, the one in service reads {model.bundle.lookback_bars} and the "
            f"feature cache holds the last one of each symbol; send rows and windows",
        )
    if features is None:
        raise RequestError(503, "symbols need the feature cache of a floor, none is configured")
    try:
        latest = await features.latest_features(asked.symbols)
    except ServiceError as error:
        raise RequestError(503, f"symbols need the feature cache of a floor: {error}") from error
    for symbol in asked.symbols:
        if symbol not in latest:
            raise RequestError(404, f"symbol {symbol!r} has no features of the last 30 s")
    try:
        table = [[latest[symbol][name] for name in model.bundle.feature_names] for symbol in asked.symbols]
    except KeyError as error:
        raise RequestError(503, f"the floor must compute feature {error}, which the model reads") from None
    return np.array(table, dtype=np.float64)


def _describe_refusal(refused: RefusedBundle | None) -> dict[str, Any] | None:
    if refused is None:
        return None
    return {"path": str(refused.path), "reason": refused.reason, "ts_ns": refused.ts_ns}


def _describe(model: LoadedModel) -> dict[str, Any]:
    manifest = model.bundle.manifest
    kept = {"label", "bar_ns", "symbols", "first_ts_ns", "last_ts_ns", "libraries", "code_version", "seed", "members"}
    return {
        "version": manifest.version,
        "path": str(model.path),
        "feature_names": model.bundle.feature_names,
        "lookback_bars": model.bundle.lookback_bars,
        "features_hash": manifest.features_hash,
        **manifest.model_dump(mode="json", include=kept),
        "out_of_sample": manifest.test.model_dump(mode="json"),
        "coverage": [record.model_dump(mode="json") for record in manifest.coverage],
        "folds": [fold.model_dump(mode="json") for fold in manifest.folds],
    }
