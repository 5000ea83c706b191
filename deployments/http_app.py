"""The HTTP API of the ensemble: ``POST /v1/predict``, ``GET /v1/health``, ``GET /v1/models``, ``/docs``."""

import asyncio
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from deployments.http_errors import error_response
from deployments.model_slot import LoadedModel, ModelSlot
from deployments.openapi import PREDICT_OPENAPI
from deployments.predict_request import PredictRequest, RequestError, parse_arrow, parse_json
from deployments.predict_response import Prediction, write_arrow, write_json
from outcry.errors import BundleError, ServiceError
from outcry.market.frame import FloatArray
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
    slot: ModelSlot, features: LatestFeatures | None, clock: Clock, *, max_rows: int, max_body_bytes: int
) -> FastAPI:
    """Build the app around the model in service.

    Parameters
    ----------
    slot : ModelSlot
    features : LatestFeatures, optional
        Absent where no cache was configured: requests by symbol are then answered 503.
    clock : Clock
    max_rows, max_body_bytes : int
        Of one request; more is answered 413.
    """
    app = FastAPI(title="outcry ensemble", version="1", docs_url="/docs", redoc_url=None)

    @app.post("/v1/predict", openapi_extra=PREDICT_OPENAPI, response_class=Response)
    async def predict(request: Request) -> Response:
        """Predict rows of features, or the latest features of symbols."""
        is_arrow = _is_arrow(request)
        answer = _answer_type(request)
        body = await _read_body(request, max_body_bytes)
        started = perf_counter()
        model = slot.loaded  # one model answers the whole request, whatever is swapped meanwhile
        names = model.bundle.feature_names
        asked = parse_arrow(body, max_rows) if is_arrow else parse_json(body, names, max_rows)
        rows = await _latest_rows(asked, features, names) if asked.rows is None else _model_rows(asked, model)
        prediction = Prediction(
            model_version=model.bundle.version,
            horizon_bars=model.bundle.horizon_bars,
            probability=await predict_proba(model, rows),
            symbols=asked.symbols,
            latency_ms=(perf_counter() - started) * 1e3,
        )
        write = write_arrow if answer == ARROW else write_json
        return Response(write(prediction), media_type=answer)

    @app.get("/v1/health")
    async def health() -> dict[str, Any]:
        """Say which model is in service, which was refused last, and whether the feature cache answers."""
        refused = slot.refused
        cache = "absent" if features is None else "reachable" if await features.is_reachable() else "unreachable"
        return {
            "status": "ok",
            "model_version": slot.loaded.bundle.version,
            "refused_bundle": None
            if refused is None
            else {"path": str(refused.path), "reason": refused.reason, "ts_ns": refused.ts_ns},
            "redis": cache,
        }

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        """List the loaded bundles with what they are and what they were measured to do out of sample."""
        return {"models": [_describe(slot.loaded)]}

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


async def predict_proba(model: LoadedModel, rows: FloatArray) -> FloatArray:
    """Predict in this thread where that is short, else beside the event loop."""
    if len(rows) <= _INLINE_ROWS:
        return model.bundle.predict_proba(rows)
    return await asyncio.to_thread(model.bundle.predict_proba, rows)


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


def _model_rows(asked: PredictRequest, model: LoadedModel) -> FloatArray:
    assert asked.rows is not None  # noqa: S101 - the caller has looked
    if asked.columns == model.bundle.feature_names:
        return asked.rows
    try:
        columns = model.bundle.columns_in(asked.columns)
    except BundleError:
        given = set(asked.columns)
        missing = [name for name in model.bundle.feature_names if name not in given]
        raise RequestError(
            422,
            f"features must include the {len(model.bundle.feature_names)} that the model reads, had no {missing[0]!r}",
        ) from None
    return asked.rows[:, columns]


async def _latest_rows(asked: PredictRequest, features: LatestFeatures | None, names: tuple[str, ...]) -> FloatArray:
    assert asked.symbols is not None  # noqa: S101 - a request has rows or symbols
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
        table = [[latest[symbol][name] for name in names] for symbol in asked.symbols]
    except KeyError as error:
        raise RequestError(503, f"the floor must compute feature {error}, which the model reads") from None
    return np.array(table, dtype=np.float64)


def _describe(model: LoadedModel) -> dict[str, Any]:
    manifest = model.bundle.manifest
    kept = {"label", "bar_ns", "symbols", "first_ts_ns", "last_ts_ns", "libraries", "code_version", "seed", "members"}
    return {
        "version": manifest.version,
        "path": str(model.path),
        "feature_names": manifest.feature_names,
        "features_hash": manifest.features_hash,
        **manifest.model_dump(mode="json", include=kept),
        "out_of_sample": manifest.test.model_dump(mode="json"),
        "folds": [fold.model_dump(mode="json") for fold in manifest.folds],
    }
