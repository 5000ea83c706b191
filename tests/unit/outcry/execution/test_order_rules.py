import re
from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from outcry.execution.order_rules import check_order
from outcry.market.universe import Universe
from outcry.messages import OrderIntent, OrderType, Side, TimeInForce

UNIVERSE = Universe(("AAA", "BBB"), ("Tech", "Energy"), tick=Decimal("0.05"), lot=Decimal("0.1"))
PRICES = {
    "limit_price": Decimal("10.05"),
    "stop_price": Decimal("9.95"),
    "trail_price": Decimal("0.50"),
    "trail_frac": Decimal("0.02"),
}
TAKES = {
    OrderType.MARKET: [set()],
    OrderType.LIMIT: [{"limit_price"}],
    OrderType.STOP: [{"stop_price"}],
    OrderType.STOP_LIMIT: [{"limit_price", "stop_price"}],
    OrderType.TRAILING_STOP: [{"trail_price"}, {"trail_frac"}],
}
FORCES = {
    OrderType.MARKET: set(TimeInForce),
    OrderType.LIMIT: set(TimeInForce),
    OrderType.STOP: {TimeInForce.DAY, TimeInForce.GTC},
    OrderType.STOP_LIMIT: {TimeInForce.DAY, TimeInForce.GTC},
    OrderType.TRAILING_STOP: {TimeInForce.DAY, TimeInForce.GTC},
}
MESSAGE = re.compile(r"(\w+) must .+, was (\S+)")


def build_order(kind=OrderType.MARKET, names=(), **fields):
    prices = {name: PRICES[name] for name in names}
    return OrderIntent("a", 0, "AAA", Side.BUY, Decimal("1.5"), kind, **(prices | fields))


@pytest.mark.parametrize("kind", OrderType)
@pytest.mark.parametrize("force", TimeInForce)
def test_a_type_takes_its_prices_and_times_in_force_and_no_others(kind, force):
    for given in product([False, True], repeat=len(PRICES)):
        names = {name for name, is_given in zip(PRICES, given, strict=True) if is_given}
        order = build_order(kind, names, time_in_force=force)
        reason = check_order(order, UNIVERSE)
        assert (reason == "") == (names in TAKES[kind] and force in FORCES[kind]), (names, reason)
        if reason:
            name, value = MESSAGE.fullmatch(reason).groups()
            assert value == str(getattr(order, name))
            assert name == "time_in_force" or name in PRICES


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (replace(build_order(), symbol="ZZZ"), "symbol must be in the universe, was ZZZ"),
        (replace(build_order(), quantity=Decimal(0)), "quantity must be a positive multiple of 0.1, was 0"),
        (replace(build_order(), quantity=Decimal(-1)), "quantity must be a positive multiple of 0.1, was -1"),
        (replace(build_order(), quantity=Decimal("1.55")), "quantity must be a positive multiple of 0.1, was 1.55"),
        (
            build_order(OrderType.STOP, ["stop_price"], time_in_force=TimeInForce.OPG),
            "time_in_force must be day or gtc for a stop order, was opg",
        ),
        (build_order(OrderType.LIMIT), "limit_price must be given for a limit order, was None"),
        (build_order(names=["limit_price"]), "limit_price must be absent for a market order, was 10.05"),
        (
            build_order(OrderType.LIMIT, limit_price=Decimal("10.01")),
            "limit_price must be a positive multiple of 0.05, was 10.01",
        ),
        (
            build_order(OrderType.LIMIT, limit_price=Decimal(0)),
            "limit_price must be a positive multiple of 0.05, was 0",
        ),
        (
            build_order(OrderType.STOP, stop_price=Decimal("-9.95")),
            "stop_price must be a positive multiple of 0.05, was -9.95",
        ),
        (
            build_order(OrderType.TRAILING_STOP, trail_price=Decimal("0.01")),
            "trail_price must be a positive multiple of 0.05, was 0.01",
        ),
        (
            build_order(OrderType.TRAILING_STOP, ["trail_price", "trail_frac"]),
            "trail_price must be absent for a trailing_stop order, was 0.50",
        ),
        (build_order(OrderType.TRAILING_STOP), "trail_price must be given for a trailing_stop order, was None"),
        (
            build_order(OrderType.STOP, ["stop_price", "trail_frac"]),
            "trail_frac must be absent for a stop order, was 0.02",
        ),
        *(
            (
                build_order(OrderType.TRAILING_STOP, trail_frac=Decimal(frac)),
                f"trail_frac must be a positive multiple of 0.000001 below 1, was {Decimal(frac)}",
            )
            for frac in ("0", "-0.02", "1", "1.5", "0.0000001", "0.0200005")
        ),
        (build_order(parent_id="a"), "parent_id must name another order, was that of the order itself, a"),
        (
            build_order(parent_id="b", time_in_force=TimeInForce.DAY),
            "time_in_force must be gtc for a leg, which lives with its position, was day",
        ),
    ],
)
def test_what_is_wrong_is_told_by_name_value_and_rule(order, message):
    assert check_order(order, UNIVERSE) == message


def test_the_smallest_steps_are_accepted():
    smallest = build_order(OrderType.TRAILING_STOP, trail_frac=Decimal("0.000001"))
    assert check_order(replace(smallest, quantity=Decimal("0.1")), UNIVERSE) == ""
    assert check_order(build_order(OrderType.LIMIT, limit_price=Decimal("0.05")), UNIVERSE) == ""


# What an order must be beside the others


@pytest.fixture
async def desk(build_desk):
    """Return a desk with an open order to buy 100 AAA, made in this frame, that never trades."""
    desk = build_desk()
    await desk.bar(10)
    await desk.submit(desk.order("entry", 100, limit="1.00"))
    return desk


@pytest.mark.parametrize(
    ("leg", "message"),
    [
        ({"parent_id": "nobody"}, "parent_id must name an open order, was nobody"),
        ({"side": Side.BUY}, "side must be sell AAA for a leg, was buy AAA"),
        ({"symbol": "BBB"}, "side must be sell AAA for a leg, was sell BBB"),
        ({"seq": 1}, "seq must be 0, that of the parent, was 1"),
    ],
    ids=["parent", "side", "symbol", "frame"],
)
async def test_a_leg_that_does_not_fit_its_parent_is_rejected(desk, leg, message):
    order = replace(desk.order("leg", -100, stop="0.50", parent_id="entry"), **leg)
    await desk.submit(order)
    assert (desk.statuses["leg"], desk.reasons["leg"]) == ("rejected", message)
    assert desk.statuses["entry"] == "accepted"


async def test_a_leg_before_its_parent_and_one_of_a_parent_that_ended_are_rejected(desk):
    await desk.cancel("entry")
    await desk.submit(
        desk.order("late", -100, stop="0.50", parent_id="entry"),
        desk.order("early", -100, stop="0.50", parent_id="next"),
        desk.order("next", 100),
    )
    assert desk.reasons["late"] == "parent_id must name an open order, was entry"
    assert desk.reasons["early"] == "parent_id must name an open order, was next"
    assert desk.statuses["next"] == "accepted"


async def test_legs_of_a_rejected_parent_are_rejected(desk):
    await desk.submit(desk.order("bad", "0.5"), desk.order("leg", -100, stop="0.50", parent_id="bad"))
    assert [desk.statuses[name] for name in ("bad", "leg")] == ["rejected", "rejected"]


async def test_a_trailing_stop_needs_a_price_to_trail(build_desk):
    desk = build_desk()
    await desk.bar(10, present=[True, False, True])
    await desk.submit(desk.order("a", 1, trail="0.50"), desk.order("b", 1, "BBB", trail="0.50"))
    assert desk.statuses == {"a": "accepted", "b": "rejected"}
    assert desk.reasons["b"] == "order_type must be another while BBB has no price to trail, was trailing_stop"


async def test_a_rejected_order_leaves_no_trace_in_the_market(desk):
    await desk.submit(desk.order("bad", "0.5"), desk.order("good", 10))
    assert desk.broker.working.tolist() == [110, 0, 0]
    assert await desk.bar(10) == ["good +10 @ 10.00"]
    assert desk.filled["bad"] == 0
