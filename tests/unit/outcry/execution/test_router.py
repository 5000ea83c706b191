import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import RecoveryError
from outcry.execution.config import BrokerConfig
from outcry.execution.memory_ledger import MemoryLedger
from outcry.execution.router import OrderRouter
from outcry.execution.simulated_broker import SimulatedBroker
from outcry.market.frame import stack_frames
from outcry.messages import Side, Verdict

SEEDS = st.integers(0, 2**32 - 1)


class Killed(BaseException):
    """The process ended here."""


class Mortal:
    """Pass calls on to `target`, and end the process before or after one of them."""

    def __init__(self, target, fuse):
        self._target, self._fuse = target, fuse

    @property
    def working(self):
        return self._target.working

    def __getattr__(self, name):
        async def call(*args):
            self._fuse.burn()
            answer = await getattr(self._target, name)(*args)
            self._fuse.burn()
            return answer

        return call


class Fuse:
    def __init__(self, steps):
        self._left = steps

    def burn(self):
        self._left -= 1
        if self._left == 0:
            raise Killed


def build_router(market, config, ledger, fuse, complete):
    """Return a router resumed after the frame `complete` from what the ledger holds."""
    broker = SimulatedBroker(market.universe, config, market.sessions)
    last_close = np.full(3, np.nan)
    for frame in market.frames[: complete + 1]:
        last_close = np.where(frame.present, frame.close, last_close)
    if complete >= 0:
        past = stack_frames(list(market.frames[: complete + 1]))
        broker.restore(past, last_close, ledger.order_records(), ledger.fills, ledger.events)
    router = OrderRouter(Mortal(broker, fuse), Mortal(ledger, fuse))
    router.restore(complete, ledger.executions(complete + 1))
    return router


async def run(market, config, verdicts, deaths):
    """Trade all frames; each entry of `deaths` is the number of steps until the process ends."""
    ledger, complete, deaths = MemoryLedger(), -1, list(deaths)
    while True:
        router = build_router(market, config, ledger, Fuse(deaths.pop(0) if deaths else -1), complete)
        try:
            for frame, verdict in list(zip(market.frames, verdicts, strict=True))[complete + 1 :]:
                await router.advance(frame)
                ledger.record_answers(await router.submit(verdict))
                complete = frame.seq
        except Killed:
            continue
        return ledger


@given(seed=SEEDS, deaths=st.lists(st.integers(1, 40), min_size=1, max_size=6), allow_short=st.booleans())
async def test_a_router_killed_at_any_step_leaves_the_ledger_of_an_undisturbed_run(
    build_market, seed, deaths, allow_short
):
    market = build_market(seed)
    config, verdicts = BrokerConfig(initial_cash=20_000, allow_short=allow_short), market.verdicts(seed)
    disturbed = await run(market, config, verdicts, deaths)
    expected = await run(market, config, verdicts, [])
    assert disturbed.orders == expected.orders
    assert disturbed.fills == expected.fills
    assert disturbed.updates == expected.updates
    assert disturbed.order_records() == expected.order_records()


@pytest.fixture
def market(build_market):
    return build_market()


@pytest.fixture
def ledger():
    return MemoryLedger()


def build_simple_router(market, ledger, config=None):
    return OrderRouter(SimulatedBroker(market.universe, config or BrokerConfig(), market.sessions), ledger)


async def test_a_repeated_frame_gets_the_same_answers_and_sends_nothing_twice(market, ledger):
    router = build_simple_router(market, ledger)
    for frame, verdict in zip(market.frames, market.verdicts(1), strict=True):
        executions = await router.advance(frame)
        submission = await router.submit(verdict)
        assert await router.advance(frame) is executions
        assert await router.submit(verdict) is submission
    assert len({order.client_order_id for order in ledger.orders}) == len(ledger.orders) > 0


async def test_the_orders_committed_first_are_the_ones_sent(market, ledger):
    first = Verdict(0, (market.order(0, "AAA", Side.BUY, 5),), (), (), False, 0.0)
    await ledger.commit_orders(first)
    router = build_simple_router(market, ledger)
    await router.advance(market.frames[0])
    second = Verdict(0, (market.order(0, "BBB", Side.BUY, 7),), (), (), False, 0.0)
    assert (await router.submit(second)).orders == first.orders


async def test_nothing_is_written_where_nothing_happens(market, frame):
    router = OrderRouter(SimulatedBroker(market.universe, BrokerConfig(), market.sessions), None)
    for seq in range(3):
        await router.advance(frame(seq, 10))
        await router.submit(Verdict(seq, (), (), (), False, 0.0))


async def test_a_verdict_of_another_frame_is_refused(market, ledger):
    router = build_simple_router(market, ledger)
    await router.advance(market.frames[0])
    with pytest.raises(RecoveryError, match=r"seq must be 0.*was 1"):
        await router.submit(Verdict(1, (), (), (), False, 0.0))


async def test_a_resume_with_other_costs_is_told_from_the_same_run(market, ledger, frame):
    router = build_simple_router(market, ledger)
    await router.advance(frame(0, 10))
    await router.submit(Verdict(0, (market.order(0, "AAA", Side.BUY, 5),), (), (), False, 0.0))
    committed = await router.advance(frame(1, 10))
    broker = SimulatedBroker(market.universe, BrokerConfig(slippage_bps=90), market.sessions)
    broker.restore(stack_frames([frame(0, 10)]), np.full(3, 10.0), ledger.order_records(), ledger.fills, ledger.events)
    resumed = OrderRouter(broker, ledger)
    resumed.restore(0, committed)
    with pytest.raises(RecoveryError, match="another configuration"):
        await resumed.advance(frame(1, 10))
