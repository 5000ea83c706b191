"""The cache against a real Redis: what it holds, for how long, and what happens without it."""

import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import orjson
import pytest
import redis.asyncio

from outcry.adapters.embedded.redis import EmbeddedRedis
from outcry.adapters.redis_cache import FEATURES_LIFE_S, PREDICTION_LIFE_S, PRICE_LIFE_S, FloorCache
from outcry.errors import ServiceError
from outcry.market.frame import BAR_FIELDS, Frame
from outcry.messages import (
    Book,
    Executions,
    FeatureFrame,
    Fill,
    Forecast,
    FrameOutcome,
    OrderIntent,
    RiskEvent,
    Side,
    Submission,
    Verdict,
)

NAMES = ("tech_rsi_14", "ret_log_1", "vol_ewm_20")
SEQ, TS_NS = 41, 1_700_000_000_123_456_789


@pytest.fixture
def symbols() -> tuple[str, ...]:
    """Names that no other test has used."""
    tag = uuid.uuid4().hex[:8]
    return (f"AAPL-{tag}", f"BRK.B-{tag}", f"BTC/USD-{tag}")


@pytest.fixture
async def cache(redis_url: str, symbols: tuple[str, ...]) -> AsyncIterator[FloorCache]:
    opened = FloorCache(redis_url, symbols, NAMES)
    yield opened
    await opened.close()


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    opened = redis.asyncio.Redis.from_url(redis_url, decode_responses=True)
    yield opened
    await opened.aclose()


def make_frame() -> Frame:
    columns = {name: np.array([0.1 + 0.2, 1e-300, np.nan]) for name in BAR_FIELDS}
    return Frame(SEQ, TS_NS, present=np.array([True, True, False]), **columns)


def make_outcome(symbol: str) -> FrameOutcome:
    zeros, nothing = np.zeros(3), np.zeros(3, dtype=np.bool_)
    money = Decimal("1000000.10")
    book = Book(SEQ, TS_NS, money, money, money, money, money, zeros, zeros, zeros, zeros, nothing)
    order = OrderIntent("order-1", SEQ, symbol, Side.BUY, Decimal("100"))
    fill = Fill("fill-1", "order-0", SEQ, TS_NS, symbol, Side.SELL, *(Decimal(5),) * 4)
    probability = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [np.nan] * 3])
    verdict = Verdict(SEQ, (order,), (), (RiskEvent(SEQ, "gross", symbol, 1.2, 1.0, "clipped"),), False, 0.01)
    return FrameOutcome(
        SEQ,
        TS_NS,
        Executions(SEQ, (fill,), (), zeros),
        book,
        Forecast(SEQ, probability, np.array([0.25, 0.55, 0.0]), zeros, "model-7", abstain=np.array([0, 1, 0])),
        verdict,
        Submission(SEQ, (order,), ()),
        FeatureFrame(SEQ, TS_NS, np.array([[0.0, 1 / 3, np.nan], [1.0, 2.0, 3.0], [np.nan] * 3]), nothing),
    )


async def test_features_come_back_exact_with_zero_and_none_kept_apart(
    cache: FloorCache, symbols: tuple[str, ...], redis_url: str
) -> None:
    await cache.publish(make_frame(), [make_outcome(symbols[0])])
    reader = FloorCache(redis_url)
    found = await reader.latest_features([*symbols, "NOBODY"])
    assert found[symbols[0]] == {"tech_rsi_14": 0.0, "ret_log_1": 1 / 3, "vol_ewm_20": None}
    assert found[symbols[2]] == dict.fromkeys(NAMES)
    assert "NOBODY" not in found
    assert await reader.latest_features([]) == {}
    await reader.close()


async def test_each_key_has_its_own_life(
    cache: FloorCache, symbols: tuple[str, ...], client: redis.asyncio.Redis
) -> None:
    await cache.publish(make_frame(), [make_outcome(symbols[0])])
    for key, life_s in (
        (f"market:price:{symbols[0]}", PRICE_LIFE_S),
        (f"features:{symbols[0]}:latest", FEATURES_LIFE_S),
        (f"prediction:{symbols[0]}:ensemble", PREDICTION_LIFE_S),
    ):
        assert life_s - 5 <= await client.ttl(key) <= life_s
    assert await client.ttl("model:active:ensemble") == -1  # has no end
    assert await client.get("model:active:ensemble") == "model-7"


async def test_price_is_exact_and_absent_without_a_bar(
    cache: FloorCache, symbols: tuple[str, ...], client: redis.asyncio.Redis
) -> None:
    await cache.publish(make_frame(), [make_outcome(symbols[0])])
    price = await client.hgetall(f"market:price:{symbols[0]}")
    assert {name: float(price[name]) for name in BAR_FIELDS} == dict.fromkeys(BAR_FIELDS, 0.1 + 0.2)
    assert int(price["timestamp"]) == TS_NS
    assert await client.exists(f"market:price:{symbols[2]}") == 0


async def test_prediction_names_its_class_or_none(
    cache: FloorCache, symbols: tuple[str, ...], client: redis.asyncio.Redis
) -> None:
    await cache.publish(make_frame(), [make_outcome(symbols[0])])
    bodies = [orjson.loads(await client.get(f"prediction:{symbol}:ensemble")) for symbol in symbols]
    assert [body["prediction"] for body in bodies] == ["up", "down", None]
    assert bodies[0]["probability"] == {"up": 0.5, "neutral": 0.3, "down": 0.2}
    assert [body["abstain"] for body in bodies] == [None, "prediction_set", None]


async def test_every_kind_of_event_goes_to_its_stream(
    cache: FloorCache, symbols: tuple[str, ...], client: redis.asyncio.Redis
) -> None:
    await cache.publish(make_frame(), [make_outcome(symbols[0])])
    last = {}
    for kind in ("frames", "orders", "fills", "risk"):
        ((_, entry),) = await client.xrevrange(f"stream:{kind}", count=1)
        last[kind] = orjson.loads(entry["event"])
    assert last["frames"]["equity"] == "1000000.10"
    assert last["orders"]["client_order_id"] == "order-1"
    assert last["fills"]["symbol"] == symbols[0]
    assert last["risk"]["limit"] == "gross"


async def test_cache_works_again_after_its_server_came_back(state_dir: Path) -> None:
    server = EmbeddedRedis(state_dir / "redis")
    cache = FloorCache(server.start(), ("A", "B", "C"), NAMES)
    try:
        await cache.publish(make_frame(), [make_outcome("A")])
        server.stop()
        assert not await cache.is_reachable()
        with pytest.raises(ServiceError, match=r"Redis at socket .* cannot be reached"):
            await cache.publish(make_frame(), [make_outcome("A")])
        with pytest.raises(ServiceError, match="cannot be reached"):
            await cache.latest_features(["A"])
        server.start()
        await cache.publish(make_frame(), [make_outcome("A")])
        assert len(await cache.latest_features(["A", "B", "C"])) == 3
    finally:
        await cache.close()
        server.stop()


async def test_error_names_the_server_and_not_the_password() -> None:
    cache = FloorCache("redis://trader:hunter2@127.0.0.1:1/3")
    with pytest.raises(ServiceError) as caught:
        await cache.latest_features(["AAPL"])
    await cache.close()
    assert "host 127.0.0.1 port 1 database 3" in str(caught.value)
    assert "hunter2" not in str(caught.value)
