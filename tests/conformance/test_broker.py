"""Every broker, held to the checks a router relies on."""

import importlib
import inspect
import pkgutil
from decimal import Decimal

import numpy as np
import pytest

import outcry.execution
from outcry.execution.config import BrokerConfig
from outcry.execution.dry_broker import DryBroker
from outcry.execution.lifecycle import OPEN_STATUSES
from outcry.execution.simulated_broker import SimulatedBroker
from outcry.market.frame import Frame
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import MarketAnswer, OrderIntent, Side
from outcry.ports import Broker

UNIVERSE = Universe(("AAA", "BBB"), ("Tech", "Energy"))
N_FRAMES = 5
DAY = Sessions(*(np.array([value], dtype=np.int64) for value in (0, N_FRAMES, 0, 0)))
EXAMPLES = {
    SimulatedBroker: lambda: SimulatedBroker(UNIVERSE, BrokerConfig(), DAY),
    DryBroker: lambda: DryBroker(len(UNIVERSE)),
}


def find_brokers():
    """Return every class of the package that answers what a broker answers."""
    found = set()
    for module in pkgutil.iter_modules(outcry.execution.__path__, "outcry.execution."):
        for _, member in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if {"submit", "cancel", "advance", "working"} <= set(vars(member)) and member is not Broker:
                found.add(member)
    return sorted(found, key=lambda cls: cls.__name__)


BROKERS = find_brokers()


@pytest.fixture(params=BROKERS, ids=lambda cls: cls.__name__)
def broker(request):
    return EXAMPLES[request.param]()


def build_frame(seq):
    price = np.array([100.0 + seq, 50.0 - seq])
    return Frame(seq, seq + 1, price, price, price, price, np.full(2, 1e6), price, np.ones(2, dtype=bool))


def build_order(seq, symbol="AAA"):
    return OrderIntent(f"{symbol}-{seq}", seq, symbol, Side.BUY, Decimal(10))


def test_every_broker_has_an_example_here():
    assert set(BROKERS) == set(EXAMPLES)


async def test_every_order_is_answered_once_in_the_order_sent(broker):
    await broker.advance(build_frame(0))
    orders = [build_order(0, "BBB"), build_order(0, "AAA")]
    updates = await broker.submit(orders)
    assert [update.client_order_id for update in updates] == [order.client_order_id for order in orders]


async def test_an_order_sent_again_is_answered_the_same_and_works_once(broker):
    await broker.advance(build_frame(0))
    first = await broker.submit([build_order(0)])
    working = broker.working
    assert await broker.submit([build_order(0)]) == first
    np.testing.assert_array_equal(broker.working, working)


async def test_what_is_working_is_what_was_accepted_and_did_not_end(broker):
    await broker.advance(build_frame(0))
    updates = await broker.submit([build_order(0)])
    expected = 10 if updates[0].status in OPEN_STATUSES else 0
    np.testing.assert_array_equal(broker.working, [expected, 0])


async def test_no_order_trades_in_the_frame_it_was_made_in(broker):
    for seq in range(N_FRAMES):
        fills, updates, _ = await broker.advance(build_frame(seq))
        assert all(fill.client_order_id == f"AAA-{seq - 1}" for fill in fills)
        assert all(update.seq == seq for update in updates)
        await broker.submit([build_order(seq)])


async def test_cancelling_everything_leaves_nothing_working_and_a_second_time_nothing_to_say(broker):
    await broker.advance(build_frame(0))
    await broker.submit([build_order(0), build_order(0, "BBB")])
    await broker.cancel(("*",), 0)
    assert not broker.working.any()
    assert await broker.cancel(("*", "AAA-0", "unknown"), 0) == ()
    assert await broker.advance(build_frame(1)) == MarketAnswer()
