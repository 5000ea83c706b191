from decimal import Decimal

import numba
import numpy as np
import pytest
from scipy import stats

from outcry.execution.config import BrokerConfig
from outcry.execution.costs.latency import latency_ns
from outcry.execution.kernels.model import assumed_market
from outcry.market.grid import Grid
from outcry.messages import ALL_WORKING, TimeInForce

SECOND_MS = 1_000.0
KNUTH = 6_364_136_223_846_793_005
LEAST_MS, MOST_MS = 70.0, 310.0


@numba.njit
def _latency_ns(market, seq, symbol, position):
    return latency_ns(market, seq, symbol, position)


def market_of(least_ms, most_ms):
    config = BrokerConfig(latency_ms=(least_ms, most_ms))
    return assumed_market(config, Grid(Decimal("0.01"), Decimal(1)))


def latencies_ms(orders):
    market = market_of(LEAST_MS, MOST_MS)
    return np.array([_latency_ns(market, *order) for order in orders]) / 1e6


def test_the_same_order_always_has_the_same_latency():
    """It is a function of frame, symbol and place alone, worked out again here: stored runs depend on it."""
    for order in np.random.default_rng(1).integers(0, [10**6, 3_000, 50], (200, 3)).tolist():
        mixed = 0
        for part in (order[0], order[1] + 1, order[2] + 1):
            mixed = (mixed + part) * KNUTH % 2**64
        share = (mixed >> 10) % 2**53 / 2**53
        expected_ns = 1e6 * (LEAST_MS + share * (MOST_MS - LEAST_MS))
        assert _latency_ns(market_of(LEAST_MS, MOST_MS), *order) == pytest.approx(expected_ns, abs=1)


ORDERS = {
    "random": np.random.default_rng(2).integers(0, [10**6, 3_000, 50], (3_000, 3)).tolist(),
    "of consecutive frames": [(seq, 0, 0) for seq in range(3_000)],
    "of one frame": [(7, symbol, place) for symbol in range(60) for place in range(50)],
}


@pytest.mark.parametrize("orders", ORDERS.values(), ids=ORDERS)
def test_latency_is_uniform_between_its_bounds(orders):
    found = latencies_ms(orders)
    assert LEAST_MS <= found.min() < LEAST_MS + 1
    assert MOST_MS - 1 < found.max() <= MOST_MS
    assert stats.kstest(found, stats.uniform(LEAST_MS, MOST_MS - LEAST_MS).cdf).pvalue > 0.01


def test_orders_of_one_frame_do_not_arrive_in_the_order_they_were_made():
    late_first = [np.diff(latencies_ms([(seq, 0, 0), (seq, 1, 1)]))[0] < 0 for seq in range(500)]
    assert 0.4 < np.mean(late_first) < 0.6


@pytest.fixture
def start(build_desk):
    """Return a function from a latency in seconds to a desk after its first bar; a bar is a minute."""

    async def start(seconds, **changes):
        desk = build_desk(latency_ms=(seconds * SECOND_MS, seconds * SECOND_MS), **changes)
        await desk.bar(10)
        return desk

    return start


@pytest.mark.parametrize(("seconds", "price"), [(0, "10.00"), (15, "10.25"), (30, "10.50"), (59.4, "10.99")])
async def test_an_order_that_arrives_within_a_bar_trades_on_the_line_from_open_to_close(start, seconds, price):
    desk = await start(seconds)
    await desk.submit(desk.order("a", 100))
    assert await desk.bar(10, 11, 10, 11) == [f"a +100 @ {price}"]


@pytest.mark.parametrize(("seconds", "price"), [(60, "20.00"), (60.6, "20.01"), (90, "20.50")])
async def test_an_order_that_takes_longer_than_a_bar_skips_it(start, seconds, price):
    desk = await start(seconds)
    await desk.submit(desk.order("a", 100))
    assert await desk.bar(10, 11, 10, 11) == []
    assert desk.statuses["a"] == "accepted"
    assert await desk.bar(20, 21, 20, 21) == [f"a +100 @ {price}"]


async def test_an_order_that_has_arrived_is_there_at_the_open_of_later_bars(start):
    desk = await start(30)
    await desk.submit(desk.order("a", 100))
    assert await desk.bar(10, volume=500) == ["a +50 @ 10.00"]
    assert await desk.bar(20, 30, 20, 30) == ["a +50 @ 20.00"]


async def test_an_order_waits_the_frames_it_is_told_to(build_desk):
    desk = build_desk(latency_frames=2)
    await desk.bar(10)
    await desk.submit(desk.order("a", 100), desk.order("b", 1, time_in_force=TimeInForce.IOC))
    assert await desk.bar(11) == []
    assert await desk.bar(12) == []
    assert desk.statuses == {"a": "accepted", "b": "accepted"}
    assert await desk.bar(13) == ["a +100 @ 13.00", "b +1 @ 13.00"]


async def test_an_order_for_the_day_that_arrives_after_it_expires(start):
    desk = await start(150)
    await desk.submit(desk.order("a", 100, time_in_force=TimeInForce.DAY))
    assert await desk.bar(10) == []
    assert await desk.bar(10) == []
    assert desk.statuses["a"] == "expired"


async def test_a_stop_does_not_see_the_bars_before_its_arrival(start):
    desk = await start(90)
    await desk.submit(desk.order("stop", 100, stop="10.50"), desk.order("trail", 100, trail="0.50"))
    assert await desk.bar(10, 10.6, 9, 10) == []
    assert await desk.bar(10, 10.49, 9.9, 10) == []
    assert await desk.bar(10, 10.50, 10) == ["stop +100 @ 10.50", "trail +100 @ 10.40"]


async def test_an_order_that_arrives_late_meets_its_limit_at_the_price_of_that_moment(start):
    desk = await start(30)
    await desk.submit(
        desk.order("a", 100, limit="10.50", time_in_force=TimeInForce.IOC),
        desk.order("b", 100, limit="10.49", time_in_force=TimeInForce.IOC),
    )
    assert await desk.bar(10, 11, 10, 11) == ["a +100 @ 10.50"]
    assert desk.statuses["b"] == "cancelled"


async def test_an_order_on_its_way_can_be_cancelled(start):
    desk = await start(90)
    await desk.submit(desk.order("a", 100))
    assert await desk.bar(10) == []
    assert desk.broker.working[0] == 100
    await desk.cancel(*ALL_WORKING)
    assert await desk.bar(10) == []
