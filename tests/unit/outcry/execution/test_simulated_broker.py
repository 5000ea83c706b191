from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from outcry.errors import RecoveryError
from outcry.execution.config import BrokerConfig
from outcry.execution.lifecycle import OPEN_STATUSES, created
from outcry.execution.memory_ledger import MemoryLedger
from outcry.execution.router import OrderRouter
from outcry.execution.simulated_broker import SimulatedBroker
from outcry.market.frame import stack_frames
from outcry.messages import OrderStatus, Side

FREE = BrokerConfig(
    slippage_bps=0, commission_per_share=0, min_commission=0, borrow_bps_per_year=0, financing_bps_per_year=0
)
SEEDS = st.integers(0, 2**32 - 1)
CONFIGS = st.builds(
    BrokerConfig,
    initial_cash=st.sampled_from([Decimal(2_000), Decimal(20_000)]),
    allow_short=st.booleans(),
    max_leverage=st.sampled_from([1.0, 2.0]),
    slippage_bps=st.sampled_from([0.0, 5.0, 50.0]),
    slippage=st.sampled_from(["fixed", "volume", "volatility", "spread"]),
    impact=st.sampled_from(["none", "square_root", "almgren_chriss"]),
    window_bars=st.sampled_from([2, 3]),
    commission_bps=st.sampled_from([0.0, 3.0]),
    commission_tiers=st.sampled_from([(), ((100.0, 0.002), (500.0, 0.001))]),
    latency_ms=st.sampled_from([(0.0, 0.0), (100.0, 30_000.0), (50_000.0, 200_000.0)]),
    latency_frames=st.sampled_from([0, 0, 1]),
    max_volume_frac=st.sampled_from([0.1, 1.0]),
    borrow_bps_per_year=st.sampled_from([0.0, 9_000.0]),
    financing_bps_per_year=st.sampled_from([0.0, 7_000.0]),
    cash_bps_per_year=st.sampled_from([0.0, 4_000.0]),
)


@pytest.fixture
def market(build_market):
    return build_market()


def build_broker(market, **changes):
    return SimulatedBroker(market.universe, FREE.model_copy(update=changes), market.sessions)


async def trade(broker, market, orders, *frames):
    """Submit `orders` at frame 0 and advance through `frames`; return fills and updates of each."""
    await broker.advance(market.frames[0] if not frames or frames[0].seq else frames[0])
    await broker.submit(orders)
    return [(await broker.advance(frame))[:2] for frame in frames]


async def test_a_market_order_fills_at_the_next_open_moved_against_the_trader(market, frame):
    broker = build_broker(market, slippage_bps=10.0, commission_per_share=0.01)
    orders = [market.order(0, "AAA", Side.BUY, 100)]
    [(fills, updates)] = await trade(broker, market, orders, frame(1, 10.003, close=11))
    [fill] = fills
    assert fill.price == Decimal("10.02")  # 10.003 · 1.001 = 10.013003, up to the tick
    assert fill.slippage == Decimal("100") * (Decimal("10.02") - Decimal("10.003"))
    assert fill.commission == 1
    assert broker.cash == 100_000 - 1002 - 1
    assert [update.status for update in updates] == [OrderStatus.FILLED]


@pytest.mark.parametrize(
    ("assumptions", "price", "commission", "quantity"),
    [("optimistic", "10", "0", 100), ("realistic", "10.01", "1", 100), ("pessimistic", "10.03", "2", 25)],
)
async def test_assumptions_bend_costs_and_volume(market, frame, assumptions, price, commission, quantity):
    costs = {"slippage_bps": 10.0, "min_commission": 1.0, "max_volume_frac": 0.1}
    broker = build_broker(market, assumptions=assumptions, **costs)
    [(fills, _)] = await trade(broker, market, [market.order(0, "AAA", Side.BUY, 100)], frame(1, 10.0, volume=1_000))
    [fill] = fills
    assert (fill.price, fill.commission, fill.quantity) == (Decimal(price), Decimal(commission), quantity)


def test_assumptions_that_bend_a_cost_out_of_its_range_are_refused():
    with pytest.raises(ValidationError, match=r"(?s)slippage_bps.*less than 10000"):
        BrokerConfig(assumptions="pessimistic", slippage_bps=4_000.0)


async def test_an_order_never_trades_in_the_frame_it_was_made_in(market, frame):
    broker = build_broker(market)
    late = market.order(1, "AAA", Side.BUY, 5)
    [(fills, _), (later, _)] = await trade(broker, market, [late], frame(1, 10), frame(2, 11))
    assert not fills  # though the broker knew the order before the bar
    assert [fill.price for fill in later] == [11]


async def test_an_order_waits_for_a_bar_with_volume(market, frame):
    absent = frame(1, 10, present=[False, True, True])
    [first, second, third] = await trade(
        build_broker(market),
        market,
        [market.order(0, "AAA", Side.BUY, 5)],
        absent,
        frame(2, 11, volume=0),
        frame(3, 12),
    )
    assert first == second == ((), ())
    assert third[0][0].price == 12


async def test_orders_of_a_symbol_share_the_volume_of_its_bar(market, frame):
    orders = [market.order(0, "AAA", Side.BUY, 70, purpose=p) for p in "ab"]
    broker = build_broker(market)
    [(fills, updates), (rest, _)] = await trade(broker, market, orders, frame(1, 10, volume=999), frame(2, 10))
    assert [fill.quantity for fill in fills] == [70, 29]  # a tenth of the volume, in whole lots
    assert [update.status for update in updates] == [OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED]
    assert [fill.quantity for fill in rest] == [41]
    assert not broker.working.any()


async def test_what_cash_does_not_cover_is_refused(market, frame):
    broker = build_broker(market, initial_cash=Decimal(995), min_commission=1.0)
    [(fills, updates)] = await trade(broker, market, [market.order(0, "AAA", Side.BUY, 100)], frame(1, 10))
    assert [fill.quantity for fill in fills] == [99]
    assert broker.cash == 4
    assert [(u.status, u.filled_quantity) for u in updates] == [(OrderStatus.CANCELLED, 99)]
    assert "buying power" in updates[0].reason


async def test_a_sale_pays_for_a_purchase_of_the_same_bar(market, frame):
    broker = build_broker(market, initial_cash=Decimal(1000))
    await trade(broker, market, [market.order(0, "AAA", Side.BUY, 100)], frame(1, 10))
    await broker.submit([market.order(1, "BBB", Side.BUY, 50), market.order(1, "AAA", Side.SELL, 50)])
    fills, _, _ = await broker.advance(frame(2, 10))
    assert [(fill.symbol, fill.quantity) for fill in fills] == [("AAA", 50), ("BBB", 50)]


async def test_a_sale_beyond_the_holding_ends_there_unless_short_selling_is_allowed(market, frame):
    broker = build_broker(market)
    await trade(broker, market, [market.order(0, "AAA", Side.BUY, 10)], frame(1, 10))
    await broker.submit([market.order(1, "AAA", Side.SELL, 30), market.order(1, "BBB", Side.SELL, 30)])
    fills, updates, _ = await broker.advance(frame(2, 10))
    assert [fill.quantity for fill in fills] == [10]
    assert {u.status for u in updates} == {OrderStatus.CANCELLED, OrderStatus.REJECTED}
    assert all("allow_short" in u.reason for u in updates)


async def test_a_short_is_collateralised_in_full(market, frame):
    broker = build_broker(market, initial_cash=Decimal(1000), allow_short=True)
    [(fills, _)] = await trade(broker, market, [market.order(0, "AAA", Side.SELL, 300)], frame(1, 10))
    assert [fill.quantity for fill in fills] == [100]
    await broker.submit([market.order(1, "BBB", Side.BUY, 1)])
    fills, updates, _ = await broker.advance(frame(2, 10))
    assert not fills
    assert updates[0].status is OrderStatus.REJECTED


async def test_a_day_order_expires_with_the_session_that_follows_it(market, frame):
    orders = [market.order(0, "AAA", Side.BUY, 1, limit="5.00", day=True)]
    answers = await trade(build_broker(market), market, orders, frame(1, 10), frame(2, 10))
    assert answers[0] == ((), ())
    assert [u.status for u in answers[1][1]] == [OrderStatus.EXPIRED]


async def test_a_day_order_of_the_last_bar_works_through_the_next_session(market, frame):
    broker = build_broker(market)
    for seq in range(3):
        await broker.advance(frame(seq, 10))
    await broker.submit([market.order(2, "AAA", Side.BUY, 1, limit="5.00", day=True)])
    answers = [await broker.advance(frame(seq, 10)) for seq in range(3, 6)]
    assert [len(answer.updates) for answer in answers] == [0, 0, 1]


async def test_a_day_order_does_not_reach_the_next_session_where_the_last_bars_are_missing(market, frame):
    next_session = replace(frame(1, 10), ts_close_ns=frame(3, 10).ts_close_ns)
    [(fills, updates)] = await trade(
        build_broker(market), market, [market.order(0, "AAA", Side.BUY, 1, day=True)], next_session
    )
    assert not fills
    assert [u.status for u in updates] == [OrderStatus.EXPIRED]


async def test_a_stop_that_traded_in_part_goes_on_as_a_market_order(market, frame):
    broker = build_broker(market)
    stop = market.order(0, "AAA", Side.BUY, 150, stop="10.50")
    [(first, _), (second, _)] = await trade(
        broker, market, [stop], frame(1, 10, high=11, volume=1000), frame(2, 9, volume=1000)
    )
    assert [(f.quantity, f.price) for f in (*first, *second)] == [(100, Decimal("10.50")), (50, 9)]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"symbol": "ZZZ"}, "symbol"),
        ({"quantity": "1.5"}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"limit": "10.005"}, "limit_price"),
    ],
)
async def test_an_order_against_the_rules_is_rejected_with_name_and_value(market, change, name):
    fields = {"symbol": "AAA", "quantity": "1"} | change
    order = market.order(0, fields["symbol"], Side.BUY, fields["quantity"], limit=fields.get("limit"))
    [update] = await build_broker(market).submit([order])
    assert update.status is OrderStatus.REJECTED
    assert name in update.reason


async def test_a_known_order_is_answered_and_not_sent_again(market, frame):
    broker = build_broker(market)
    order = market.order(0, "AAA", Side.BUY, 5)
    await trade(broker, market, [order, order], frame(1, 10))
    [update] = await broker.submit([order])
    assert (update.status, update.filled_quantity, update.seq) == (OrderStatus.FILLED, 5, 1)
    assert broker.holdings == {"AAA": 5}


async def test_a_frame_out_of_turn_is_refused(market, frame):
    with pytest.raises(RecoveryError, match=r"seq must be 0.*was 3"):
        await build_broker(market).advance(frame(3, 10))


@given(seed=SEEDS, config=CONFIGS)
async def test_the_account_always_covers_what_it_opens(build_market, seed, config):
    market = build_market(seed, 8)
    broker = SimulatedBroker(market.universe, config, market.sessions)
    last_close = np.full(3, np.nan)
    for frame, verdict in zip(market.frames, market.verdicts(seed), strict=True):
        before = broker.holdings
        fills, updates, events = await broker.advance(frame)
        for event in events:
            if event.quantity:
                before[event.symbol] += event.quantity
        marks = np.where(frame.present, frame.open, last_close)
        last_close = np.where(frame.present, frame.close, last_close)
        value = {s: Decimal(repr(float(marks[market.universe.index(s)]))) * q for s, q in broker.holdings.items()}
        grown = any(abs(broker.holdings.get(f.symbol, 0)) > abs(before.get(f.symbol, 0)) for f in fills)
        gross, equity = sum(map(abs, value.values())), broker.cash + sum(value.values())
        assert not grown or gross <= Decimal(repr(config.max_leverage)) * equity
        assert config.allow_short or all(shares > 0 for shares in broker.holdings.values())
        assert len({update.client_order_id for update in updates}) == len(updates)
        for fill in fills:
            assert fill.price % market.universe.tick == 0 == fill.quantity % market.universe.lot
            assert min(fill.slippage, fill.commission) >= 0
        await broker.cancel(verdict.cancels, verdict.seq)
        await broker.submit(verdict.orders)


@given(seed=SEEDS, config=CONFIGS, at=st.integers(-1, 8))
async def test_a_broker_restored_after_any_frame_goes_on_as_if_nothing_had_happened(build_market, seed, config, at):
    market = build_market(seed)
    ledger = MemoryLedger()
    verdicts = market.verdicts(seed)
    router = OrderRouter(SimulatedBroker(market.universe, config, market.sessions), ledger)
    undisturbed = []
    for frame, verdict in zip(market.frames, verdicts, strict=True):
        undisturbed.append(await router.advance(frame))
        ledger.record_answers(await router.submit(verdict))

    last_close = np.full(3, np.nan)
    for frame in market.frames[: at + 1]:
        last_close = np.where(frame.present, frame.close, last_close)
    broker = SimulatedBroker(market.universe, config, market.sessions)
    if at >= 0:
        past = stack_frames(list(market.frames[: at + 1]))
        broker.restore(past, last_close, ledger.order_records(), ledger.fills, ledger.events)  # it holds the whole run
    for frame, verdict, expected in list(zip(market.frames, verdicts, undisturbed, strict=True))[at + 1 :]:
        assert await broker.advance(frame) == (expected.fills, expected.updates, expected.events)
        np.testing.assert_array_equal(broker.working, expected.working)
        await broker.cancel(verdict.cancels, verdict.seq)
        await broker.submit(verdict.orders)


def test_an_order_nobody_sent_yet_is_open(market):
    assert created(market.order(0, "AAA", Side.BUY, 1)).status in OPEN_STATUSES
