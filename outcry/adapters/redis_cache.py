"""The floor's latest state in Redis: for whoever asks from outside, never for trading itself.

================================  ========  ==========================================================
key                               lives     holds
================================  ========  ==========================================================
``market:price:{symbol}``         300 s     hash: open, high, low, close, volume, vwap, timestamp
``features:{symbol}:latest``      30 s      JSON: seq, timestamp, values by name (null before warm-up)
``prediction:{symbol}:{model}``   30 s      JSON: seq, timestamp, prediction, probabilities, confidence
``model:active:ensemble``         for ever  version that forecast the latest frame
``model:active:{model}``          for ever  version of the bundle that is champion of a registered model
``stream:frames``, ``:orders``,   100,000   one entry a fact, field ``event`` holds JSON
``:fills``, ``:risk``             entries
================================  ========  ==========================================================

A timestamp is the close of the frame, nanoseconds UTC.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import orjson
import redis.asyncio
from pydantic import SecretStr
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from outcry.errors import ServiceError
from outcry.market.frame import BAR_FIELDS, Frame
from outcry.messages import AbstainReason, Direction, FeatureFrame, FrameOutcome

PRICE_LIFE_S = 300
FEATURES_LIFE_S = 30
PREDICTION_LIFE_S = 30
STREAM_ENTRIES = 100_000
MODEL_NAME = "ensemble"

_TIMEOUT_S = 2.0
_CLASSES = tuple(direction.name.lower() for direction in Direction)

# One command in place of four a symbol, whose packing alone took 10 ms for 100 symbols. KEYS are the symbols; ARGV
# holds, each in their order: the fields and values of the price (empty without a bar), the features, the prediction;
# then the model's version.
_PUT = f"""
for i, symbol in ipairs(KEYS) do
    local bar = {{}}
    for word in string.gmatch(ARGV[i], '%S+') do table.insert(bar, word) end
    if #bar > 0 then
        redis.call('HSET', 'market:price:' .. symbol, unpack(bar))
        redis.call('EXPIRE', 'market:price:' .. symbol, {PRICE_LIFE_S})
    end
    redis.call('SET', 'features:' .. symbol .. ':latest', ARGV[#KEYS + i], 'EX', {FEATURES_LIFE_S})
    redis.call('SET', 'prediction:' .. symbol .. ':{MODEL_NAME}', ARGV[2 * #KEYS + i], 'EX', {PREDICTION_LIFE_S})
end
redis.call('SET', 'model:active:{MODEL_NAME}', ARGV[3 * #KEYS + 1])
"""


class FloorCache:
    """Publish frames, and read the latest features of a symbol.

    Redis may be down at any time: every method then raises `ServiceError`, and a publisher logs it, counts it and goes
    on trading.

    Parameters
    ----------
    url : SecretStr or str
    symbols : sequence of str
        In the order of the universe; needed to publish only.
    feature_names : sequence of str
        In the order of the columns; needed to publish only.
    """

    def __init__(self, url: SecretStr | str, symbols: Sequence[str] = (), feature_names: Sequence[str] = ()) -> None:
        self._url = url.get_secret_value() if isinstance(url, SecretStr) else url
        self._symbols = tuple(symbols)
        self._feature_names = tuple(feature_names)
        try:
            self._redis: redis.asyncio.Redis = redis.asyncio.Redis.from_url(
                self._url,
                socket_timeout=_TIMEOUT_S,
                socket_connect_timeout=_TIMEOUT_S,
                retry=Retry(NoBackoff(), 1),  # a connection that a restarted server has forgotten
            )
        except ValueError as error:
            raise ServiceError(f"Redis at {describe_redis(self._url)} cannot be reached: {error}") from None

    async def close(self) -> None:
        await self._redis.aclose()

    async def is_reachable(self) -> bool:
        try:
            return bool(await self._redis.ping())
        except (RedisError, OSError):
            return False

    async def publish(self, frame: Frame, outcomes: Sequence[FrameOutcome]) -> None:
        """Write what happened since the last call in one round trip.

        Parameters
        ----------
        frame : Frame
            Of the last of `outcomes`: the latest prices.
        outcomes : sequence of FrameOutcome
            Consecutive frames. The events of all of them go to the streams; features and forecasts of the last one are
            the latest.

        Raises
        ------
        ServiceError
            Where Redis is not there.
        """
        latest = outcomes[-1]
        arguments: tuple[str | bytes, ...] = (
            *_prices(frame),
            *self._features(latest.features),
            *_predictions(latest),
        )
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.eval(_PUT, len(self._symbols), *self._symbols, *arguments, latest.forecast.model_version)
        for stream, event in (pair for outcome in outcomes for pair in _events(outcome)):
            entry: dict[Any, Any] = {"event": orjson.dumps(event, default=str)}
            pipeline.xadd(f"stream:{stream}", entry, maxlen=STREAM_ENTRIES, approximate=True)
        try:
            await pipeline.execute()
        except (RedisError, OSError) as error:
            raise self._unreachable(error) from None

    async def latest_features(self, symbols: Sequence[str]) -> Mapping[str, Mapping[str, float | None]]:
        """Return names and values for each of `symbols` that has them; a value is None before its warm-up."""
        if not symbols:
            return {}
        try:
            found = await self._redis.mget([f"features:{symbol}:latest" for symbol in symbols])
        except (RedisError, OSError) as error:
            raise self._unreachable(error) from None
        return {
            symbol: orjson.loads(text)["values"]
            for symbol, text in zip(symbols, found, strict=True)
            if text is not None
        }

    async def set_active_model(self, model_name: str, bundle_version: str) -> None:
        """Say which bundle is champion of a registered model; raise `ServiceError` where Redis is not there."""
        try:
            await self._redis.set(f"model:active:{model_name}", bundle_version)
        except (RedisError, OSError) as error:
            raise self._unreachable(error) from None

    def _features(self, features: FeatureFrame) -> Iterator[bytes]:
        for values in features.values.tolist():
            named = dict(zip(self._feature_names, values, strict=True))
            body = {"seq": features.seq, "timestamp": features.ts_close_ns, "values": named}
            yield orjson.dumps(body)  # NaN becomes null

    def _unreachable(self, error: Exception) -> ServiceError:
        return ServiceError(f"Redis at {describe_redis(self._url)} cannot be reached: {type(error).__name__}")


def describe_redis(url: SecretStr | str) -> str:
    """Return host, port and database of a URL, or its socket; user and password are left out."""
    try:
        parts = urlsplit(url.get_secret_value() if isinstance(url, SecretStr) else url)
        if parts.scheme == "unix":
            return f"socket {parts.path}"
        return f"host {parts.hostname} port {parts.port or 6379} database {parts.path.lstrip('/') or '0'}"
    except ValueError:
        return "a URL that is not one"


def _prices(frame: Frame) -> Iterator[str]:
    columns = [getattr(frame, name).tolist() for name in BAR_FIELDS]
    for is_present, *bar in zip(frame.present.tolist(), *columns, strict=True):
        words = [f"{name} {value!r}" for name, value in zip(BAR_FIELDS, bar, strict=True)]
        yield " ".join((*words, f"timestamp {frame.ts_close_ns}")) if is_present else ""


def _predictions(outcome: FrameOutcome) -> Iterator[bytes]:
    forecast = outcome.forecast
    reasons = [0] * len(forecast.confidence) if forecast.abstain is None else forecast.abstain.tolist()
    columns = forecast.probability.tolist(), forecast.confidence.tolist(), reasons
    for probability, confidence, reason in zip(*columns, strict=True):
        is_made = not any(map(math.isnan, probability))
        body = {
            "seq": outcome.seq,
            "timestamp": outcome.ts_close_ns,
            "prediction": _CLASSES[probability.index(max(probability))] if is_made else None,
            "probability": dict(zip(_CLASSES, probability, strict=True)),
            "confidence": confidence,
            "abstain": AbstainReason(reason).text or None,
            "model_version": forecast.model_version,
        }
        yield orjson.dumps(body)


def _events(outcome: FrameOutcome) -> Iterator[tuple[str, Any]]:
    """Yield stream and event; money is text."""
    book = outcome.book
    yield (
        "frames",
        {
            "seq": outcome.seq,
            "timestamp": outcome.ts_close_ns,
            "equity": book.equity,
            "cash": book.cash,
            "drawdown_frac": outcome.verdict.drawdown_frac,
            "is_halted": outcome.verdict.is_halted,
            "n_positions": int(np.count_nonzero(book.quantity)),
        },
    )
    yield from (("orders", order) for order in outcome.submission.orders)
    yield from (("fills", fill) for fill in outcome.executions.fills)
    yield from (("risk", event) for event in outcome.verdict.events)
