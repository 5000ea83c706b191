"""The HTTP app around a real bundle, called through ASGI without a server."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from bench.random_bundle import write_random_bundle
from configs.uncertainty import UncertaintyConfig
from deployments.http_app import LatestFeatures, build_http_app
from deployments.model_slot import ModelSlot
from outcry.errors import ServiceError
from outcry.models.bundle import ModelBundle, load_bundle

os.environ.setdefault("OMP_NUM_THREADS", "1")
UNCERTAINTY = UncertaintyConfig(single_direction=True, alpha=0.5)
FEATURES = tuple(f"tech_column_{i}" for i in range(12))


class FixedClock:
    """A clock that stands still."""

    def now_ns(self) -> int:
        return 1_700_000_000_000_000_000

    async def sleep_until_ns(self, ts_ns: int) -> None:
        raise AssertionError("nothing here waits")


@dataclass
class MemoryFeatures:
    """A feature cache in a dictionary; unreachable where told so."""

    values: dict[str, Mapping[str, float | None]] = field(default_factory=dict)
    reachable: bool = True

    async def latest_features(self, symbols: Sequence[str]) -> Mapping[str, Mapping[str, float | None]]:
        if not self.reachable:
            raise ServiceError("Redis at localhost is not reachable")
        return {symbol: self.values[symbol] for symbol in symbols if symbol in self.values}

    async def is_reachable(self) -> bool:
        return self.reachable


@dataclass(frozen=True)
class Answer:
    """What the app said."""

    status_code: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


Call = Callable[..., Awaitable[Answer]]


@pytest.fixture(scope="session")
def bundle_paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directory = tmp_path_factory.mktemp("bundles")
    return [write_random_bundle(directory, FEATURES, "catalogue", seed=seed, n_rounds=5) for seed in (0, 1)]


@pytest.fixture(scope="session")
def bundle(bundle_paths: list[Path]) -> ModelBundle:
    return load_bundle(bundle_paths[0])


@pytest.fixture
def slot(bundle_paths: list[Path]) -> ModelSlot:
    slot = ModelSlot(lambda path: load_bundle(path, FEATURES, "catalogue"), FixedClock().now_ns)
    slot.replace(bundle_paths[0])
    return slot


@pytest.fixture
def features() -> MemoryFeatures:
    return MemoryFeatures()


@pytest.fixture
def call(slot: ModelSlot, features: LatestFeatures) -> Call:
    app = build_http_app(slot, features, FixedClock(), max_rows=50, max_body_bytes=100_000, uncertainty=UNCERTAINTY)

    async def send_request(
        method: str, path: str, body: bytes | object = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        raw = body if isinstance(body, bytes) else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        given = {"content-type": "application/json", "content-length": str(len(raw)), **(headers or {})}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "server": ("test", 80),
            "client": ("test", 1),
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value],
        }
        messages = [{"type": "http.request", "body": raw, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await app(scope, receive, send)
        start = sent[0]
        return Answer(
            start["status"],
            {name.decode(): value.decode() for name, value in start["headers"]},
            b"".join(message.get("body", b"") for message in sent[1:]),
        )

    return send_request
