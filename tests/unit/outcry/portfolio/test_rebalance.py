from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.identity import client_order_id
from outcry.market.universe import Universe
from outcry.messages import ALL_WORKING, OrderIntent, OrderType, Purpose, Side, TimeInForce
from outcry.portfolio.config import PortfolioConfig
from outcry.portfolio.rebalance import Rebalancing


def exact(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def round_price(price: Decimal, tick: Decimal, side: Side) -> Decimal:
    """Round to the tick in decimals, against the trader, to one tick at least."""
    ticks, rest = divmod(price, tick)
    return max(ticks + (1 if side is Side.BUY and rest else 0), Decimal(1)) * tick


UNIVERSE = Universe(("AAA", "BBB", "CCC"), ("Tech", "Tech", "Energy"))
NOTHING = np.nan


def orders_of(book, target_weight, **config):
    return Rebalancing("run", UNIVERSE, PortfolioConfig(**config)).orders(book, np.array(target_weight, float))


def wishes(orders):
    return [(order.symbol, order.side.sign * int(order.quantity), order.purpose) for order in orders]


def test_targets_become_whole_lots_rounded_down(build_book):
    orders, cancels = orders_of(build_book(price=[3000.0, 70.0, 100.0]), [0.1, 0.1, -0.1])
    assert wishes(orders) == [("AAA", 3, "enter"), ("BBB", 142, "enter"), ("CCC", -100, "enter")]
    assert cancels == ()


def test_what_is_on_its_way_is_not_ordered_again(build_book):
    book = build_book(quantity=[0, 40, 100], working=[100, 60, -100])
    assert orders_of(book, [0.1, 0.1, 0.0]) == ((), ())


def test_a_small_resize_waits_but_an_exit_and_a_change_of_side_do_not(build_book):
    book = build_book(quantity=[100, 10, 10])
    orders, _ = orders_of(book, [0.06, 0.0, -0.01])
    assert wishes(orders) == [("BBB", -10, "exit"), ("CCC", -20, "enter")]
    assert wishes(orders_of(book, [0.05, NOTHING, NOTHING])[0]) == [("AAA", -50, "resize")]


def test_an_order_on_its_way_that_is_no_longer_wanted_is_cancelled_and_the_others_are_made_anew(build_book):
    book = build_book(quantity=[0, 0, 50], working=[100, 100, -50])
    orders, cancels = orders_of(book, [0.0, 0.1, NOTHING])
    assert cancels == ALL_WORKING
    assert wishes(orders) == [("BBB", 100, "enter"), ("CCC", -50, "exit")]


def test_limit_orders_open_positions_and_market_orders_close_them(build_book):
    book = build_book(quantity=[100, 0, 0], price=99.99)
    orders, _ = orders_of(book, [0.0, 0.1, -0.1], order_type="limit", limit_offset_bps=10.0)
    exit_, buy, sell = orders
    assert exit_.order_type is OrderType.MARKET
    assert (buy.limit_price, sell.limit_price) == (Decimal("99.89"), Decimal("100.09"))
    assert {buy.time_in_force, sell.time_in_force} == {TimeInForce.DAY}


LOTS = st.lists(st.integers(-300, 300), min_size=3, max_size=3)
WEIGHTS = st.lists(st.floats(-0.2, 0.2) | st.just(np.nan), min_size=3, max_size=3)


@given(quantity=LOTS, working=LOTS, weight=WEIGHTS)
def test_once_everything_on_its_way_has_filled_the_target_is_reached_to_the_lot(build_book, quantity, working, weight):
    book = build_book(quantity=quantity, working=working)
    orders, cancels = orders_of(book, weight, rebalance_frac=0.0)
    end = np.array(quantity) + (0 if cancels else np.array(working))
    for order in orders:
        end[UNIVERSE.index(order.symbol)] += order.side.sign * int(order.quantity)
        assert order.side in Side
    for i in range(3):
        wanted = (
            quantity[i] + working[i] if np.isnan(weight[i]) else np.trunc(weight[i] * 1000 + np.sign(weight[i]) * 1e-9)
        )
        assert end[i] == wanted
    assert (orders, cancels) == orders_of(book, weight, rebalance_frac=0.0)


def reference(book, target_weight, config):
    """Return orders without legs and cancels: whole columns, prices in decimals."""
    lot = float(UNIVERSE.lot)
    held, working = (np.rint(shares / lot).astype(np.int64) for shares in (book.quantity, book.working))
    expected = held + working
    has_target = np.isfinite(target_weight) & np.isfinite(book.price)
    equity = float(book.equity)
    price, weight = np.where(has_target, book.price, 1.0), np.where(has_target, target_weight, 0.0)
    target = (np.sign(weight) * np.floor(np.abs(weight) * equity / (price * lot) + 1e-9)).astype(np.int64)
    change = np.where(has_target, target - expected, 0)
    change[(target * expected > 0) & (np.abs(change) * lot * price < config.rebalance_frac * equity)] = 0
    cancels = ()
    if np.any(change * working < 0):
        cancels, expected, change = ALL_WORKING, held, change + working
    touched = np.flatnonzero(change).tolist()
    return tuple(reference_order(book, i, int(expected[i]), int(change[i]), config) for i in touched), cancels


def reference_order(book, index, expected, change, config):
    side, away = (Side.BUY, Side.SELL) if change > 0 else (Side.SELL, Side.BUY)
    after = expected + change
    purpose = Purpose.RESIZE if expected * after > 0 else Purpose.ENTER if after else Purpose.EXIT
    symbol, quantity = UNIVERSE.symbols[index], abs(change) * UNIVERSE.lot
    order_id = client_order_id("run", book.seq, symbol, purpose)
    kind, force, limit, stop = OrderType.MARKET, TimeInForce.GTC, None, None
    if expected * change >= 0 and config.order_type != "market":
        kind, force, close = OrderType(config.order_type), TimeInForce.DAY, exact(book.price[index])
        near, far = (side.sign * exact(bps) / 10_000 for bps in (config.limit_offset_bps, config.stop_offset_bps))
        if kind is OrderType.LIMIT:
            limit = round_price(close * (1 - near), UNIVERSE.tick, away)
        else:
            stop = round_price(close * (1 + far), UNIVERSE.tick, side)
        if kind is OrderType.STOP_LIMIT:
            limit = round_price(stop * (1 + near), UNIVERSE.tick, away)
    return OrderIntent(
        order_id, book.seq, symbol, side, quantity, kind, force, limit, stop,
        is_reduce_only=purpose is Purpose.EXIT, purpose=purpose,
    )  # fmt: skip


@given(
    quantity=LOTS,
    working=LOTS,
    weight=WEIGHTS,
    price=st.lists(st.integers(1, 10**6).map(lambda ticks: ticks / 100) | st.just(np.nan), min_size=3, max_size=3),
    order_type=st.sampled_from(["market", "limit", "stop", "stop_limit"]),
    limit_tenths=st.integers(0, 500),
    rebalance_frac=st.sampled_from([0.0, 0.02]),
)
def test_orders_are_those_of_the_rules_in_decimals(
    build_book, quantity, working, weight, price, order_type, limit_tenths, rebalance_frac
):
    quantity, working = (np.where(np.isnan(price), 0, lots) for lots in (quantity, working))
    config = PortfolioConfig(
        order_type=order_type, limit_offset_bps=limit_tenths / 10, stop_offset_bps=12.5, rebalance_frac=rebalance_frac
    )
    book = build_book(quantity=quantity, working=working, price=price, seq=5)
    found = Rebalancing("run", UNIVERSE, config).orders(book, np.array(weight))
    assert found == reference(book, np.array(weight), config)


def test_a_trailing_stop_follows_at_a_fraction_of_the_price(build_book):
    (order,), _ = orders_of(build_book(), [0.1, 0.0, 0.0], order_type="trailing_stop", entry_trail_frac=0.025)
    assert (order.order_type, order.trail_frac) == (OrderType.TRAILING_STOP, Decimal("0.025"))
    assert (order.limit_price, order.stop_price, order.time_in_force) == (None, None, TimeInForce.DAY)


@pytest.mark.parametrize(
    ("force", "of_entry", "of_exit"), [("auto", "gtc", "gtc"), ("ioc", "ioc", "gtc"), ("cls", "cls", "cls")]
)
def test_time_in_force_is_of_entries_and_only_an_auction_also_of_exits(build_book, force, of_entry, of_exit):
    orders, _ = orders_of(build_book(quantity=[100, 100, 0]), [0.0, 0.05, 0.1], time_in_force=force)
    assert [order.time_in_force for order in orders] == [of_exit, of_exit, of_entry]


def test_only_an_exit_to_flat_is_reduce_only(build_book):
    orders, _ = orders_of(build_book(quantity=[100, 100, 100]), [0.0, 0.05, -0.05])
    assert [order.is_reduce_only for order in orders] == [True, False, False]


def legs_of(book, target_weight, **config):
    orders, _ = orders_of(book, target_weight, **config)
    return [(o.symbol, o.side, o.order_type, o.stop_price or o.trail_frac or o.limit_price) for o in orders]


def test_an_order_that_opens_is_followed_by_its_loss_and_profit_legs(build_book):
    book = build_book(quantity=[0, 30, 0], price=[10.01, 10.01, 10.01])
    config = {"stop_loss_frac": 0.05, "take_profit_frac": 0.1, "rebalance_frac": 0.0}
    orders, _ = orders_of(book, [0.01, 0.02, -0.01], **config)
    assert [order.purpose for order in orders] == [
        "enter", "stop_loss", "take_profit", "resize", "stop_loss", "take_profit", "enter", "stop_loss", "take_profit",
    ]  # fmt: skip
    for parent, loss, profit in zip(orders[::3], orders[1::3], orders[2::3], strict=True):
        assert (parent.parent_id, parent.oco_group, parent.is_reduce_only) == ("", "", False)
        for leg in (loss, profit):
            assert leg.parent_id == leg.oco_group == parent.client_order_id
            assert leg.is_reduce_only
            assert leg.time_in_force is TimeInForce.GTC
            assert (leg.symbol, leg.quantity, leg.side.sign) == (parent.symbol, parent.quantity, -parent.side.sign)
            assert leg.client_order_id == client_order_id("run", 0, leg.symbol, leg.purpose)
    # 10.01 · 0.95 = 9.5095 and 10.01 · 1.1 = 11.011: neither leg is nearer than asked
    assert (orders[1].stop_price, orders[2].limit_price) == (Decimal("9.50"), Decimal("11.02"))
    assert (orders[7].stop_price, orders[8].limit_price) == (Decimal("10.52"), Decimal("9.00"))


def test_what_reduces_brings_no_legs_and_a_change_of_side_does(build_book):
    book = build_book(quantity=[100, 100, 100])
    assert [order.purpose for order in orders_of(book, [0.0, 0.05, -0.05], take_profit_frac=0.1)[0]] == [
        "exit", "resize", "enter", "take_profit",
    ]  # fmt: skip


def test_a_trailing_leg_stands_in_for_the_stop(build_book):
    found = legs_of(build_book(), [0.1, 0.0, 0.0], trailing_stop_frac=0.07)
    assert found[1:] == [("AAA", Side.SELL, OrderType.TRAILING_STOP, Decimal("0.07"))]


def test_a_leg_stands_at_least_a_tick_from_the_close_and_never_at_nothing(build_book):
    config = {"stop_loss_frac": 1e-6, "take_profit_frac": 1e-6}
    found = legs_of(build_book(price=[10.0, 10.005, 10.0]), [0.1, 0.1, -0.1], **config)
    assert [price for *_, price in found[1:3]] == [Decimal("9.99"), Decimal("10.01")]
    assert [price for *_, price in found[4:6]] == [Decimal("9.99"), Decimal("10.02")]
    assert [price for *_, price in found[7:9]] == [Decimal("10.01"), Decimal("9.99")]
    short = legs_of(build_book(), [-0.1, 0.0, 0.0], take_profit_frac=1.5)
    assert short[1] == ("AAA", Side.BUY, OrderType.LIMIT, Decimal("0.01"))


@given(
    ticks=st.integers(3, 10**6),
    weight=st.sampled_from([0.09, -0.09]),
    loss=st.integers(1, 999).map(lambda n: n / 1000),
    profit=st.integers(1, 999).map(lambda n: n / 1000),
)
def test_no_leg_is_nearer_than_asked_nor_a_tick_further(build_book, ticks, weight, loss, profit):
    book = build_book(price=ticks / 100, equity=10**7)
    orders, _ = orders_of(book, [weight, np.nan, np.nan], stop_loss_frac=loss, take_profit_frac=profit)
    parent, stop, limit = orders
    close, sign, tick = Decimal(ticks) / 100, parent.side.sign, UNIVERSE.tick
    for distance, frac in ((sign * (close - stop.stop_price), loss), (sign * (limit.limit_price - close), profit)):
        asked = max(close * exact(frac), tick)
        is_lowest = distance == close - tick  # a price of one tick
        assert is_lowest or asked <= distance < asked + tick


def test_without_equity_every_target_is_flat(build_book):
    book = build_book(quantity=[50, -50, 0], equity=-10)
    assert wishes(orders_of(book, [0.1, 0.1, 0.1])[0]) == [("AAA", -50, "exit"), ("BBB", 50, "exit")]


def test_lots_may_be_parts_of_a_share(build_book):
    universe = replace(UNIVERSE, lot=Decimal("0.001"))
    book = build_book(quantity=[0.003, 0, 0], price=300.0)
    orders, _ = Rebalancing("run", universe, PortfolioConfig()).orders(book, np.array([0.0, 0.01, NOTHING]))
    assert [order.quantity for order in orders] == [Decimal("0.003"), Decimal("3.333")]
