"""What holds of every trade and every order, over random markets and random orders of all kinds."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from outcry.execution.config import BrokerConfig
from outcry.execution.lifecycle import OPEN_STATUSES, TRANSITIONS
from outcry.execution.simulated_broker import SimulatedBroker
from outcry.messages import OrderStatus

SEEDS = st.integers(0, 2**32 - 1)
CONFIGS = st.builds(
    BrokerConfig,
    initial_cash=st.sampled_from([Decimal(2_000), Decimal(200_000)]),
    allow_short=st.booleans(),
    slippage_bps=st.sampled_from([0.0, 50.0]),
    commission_bps=st.sampled_from([0.0, 3.0]),
    latency_ms=st.sampled_from([(0.0, 0.0), (100.0, 30_000.0), (50_000.0, 200_000.0)]),
    latency_frames=st.sampled_from([0, 0, 1]),
    max_volume_frac=st.sampled_from([0.05, 1.0]),
    borrow_bps_per_year=st.sampled_from([0.0, 9_000.0]),
    cash_bps_per_year=st.sampled_from([0.0, 4_000.0]),
)


def check_fill(fill, order, frame, universe):
    """Check a fill against its order and its bar alone."""
    i, sign = universe.index(fill.symbol), fill.side.sign
    assert (fill.symbol, fill.side, fill.seq) == (order.symbol, order.side, frame.seq)
    assert order.seq < frame.seq
    assert frame.volume[i] > 0
    matched = fill.price - sign * fill.slippage / fill.quantity
    tick = float(universe.tick)
    if not (order.parent_id or order.is_reduce_only):
        assert frame.low[i] - tick < float(matched) < frame.high[i] + tick
    if order.limit_price is not None:
        assert sign * fill.price <= sign * order.limit_price


@given(seed=SEEDS, config=CONFIGS)
async def test_every_trade_fits_its_order_its_bar_and_the_account(build_market, seed, config):
    market = build_market(seed)
    universe = market.universe
    broker = SimulatedBroker(universe, config, market.sessions)
    cash, held = config.initial_cash, dict.fromkeys(universe.symbols, Decimal(0))
    orders, status, filled = {}, {}, {}

    def note(updates):
        for update in updates:
            key = update.client_order_id
            now = status.get(key, OrderStatus.SUBMITTED)
            assert update.status is now or update.status in TRANSITIONS[now].values()
            assert update.filled_quantity == filled.get(key, 0) <= orders[key].quantity
            assert (update.filled_quantity == orders[key].quantity) == (update.status is OrderStatus.FILLED)
            status[key] = update.status

    for frame, verdict in zip(market.frames, market.verdicts(seed), strict=True):
        fills, updates, events = await broker.advance(frame)
        for event in events:
            cash += event.amount
            if event.symbol:
                held[event.symbol] += event.quantity
        assert len({fill.client_order_id for fill in fills}) == len(fills)
        for fill in fills:
            order, sign = orders[fill.client_order_id], fill.side.sign
            check_fill(fill, order, frame, universe)
            assert status[fill.client_order_id] in OPEN_STATUSES
            if order.is_reduce_only or order.parent_id:
                assert sign * held[fill.symbol] <= -fill.quantity
            cash -= sign * fill.quantity * fill.price + fill.commission
            held[fill.symbol] += sign * fill.quantity
            filled[order.client_order_id] = filled.get(order.client_order_id, 0) + fill.quantity
        for i, symbol in enumerate(universe.symbols):
            taken = float(sum(fill.quantity for fill in fills if fill.symbol == symbol))
            assert taken <= config.max_volume_frac * np.nan_to_num(frame.volume[i])
        note(updates)
        assert {fill.client_order_id for fill in fills} <= {update.client_order_id for update in updates}
        assert broker.cash == cash
        assert broker.holdings == {symbol: lots for symbol, lots in held.items() if lots}
        note(await broker.cancel(verdict.cancels, verdict.seq))
        orders |= {order.client_order_id: order for order in verdict.orders}
        note(await broker.submit(verdict.orders))
        by_group = {}
        for key, order in orders.items():
            if order.oco_group:
                by_group.setdefault(order.oco_group, []).append(filled.get(key, 0))
        assert all(sum(parts) <= filled.get(parent, 0) for parent, parts in by_group.items())
