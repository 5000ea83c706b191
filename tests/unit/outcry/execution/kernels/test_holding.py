"""What an account pays and gets for what it holds, bar after bar at the broker."""

from decimal import Decimal

import pytest

from outcry.messages import LedgerEventKind

SPLIT = LedgerEventKind.SPLIT


def booked(desk):
    """Return the last events as kind, symbol, shares and amount."""
    return [(e.kind.value, e.symbol, e.quantity, e.amount) for e in desk.all_events]


async def hold(desk, shares, price=10):
    """Hold shares of AAA from the second bar on; a session has three bars."""
    await desk.bar(price)
    await desk.submit(desk.order("held", shares))
    assert await desk.bar(price) == [f"held {Decimal(shares):+} @ {price:.2f}"]
    await desk.bar(price)
    assert not desk.all_events


async def test_a_short_position_pays_for_its_shares_by_the_night(build_desk):
    desk = build_desk(allow_short=True, borrow_bps_per_year=360.0)
    await hold(desk, -1_000)
    await desk.bar(12)
    assert booked(desk) == [("borrow_fee", "AAA", 0, Decimal("-1.00"))]  # 10,000 of the last close, a ten-thousandth
    await desk.bar(12)
    await desk.bar(12)
    assert len(desk.all_events) == 1
    await desk.bar(12)
    assert booked(desk)[1:] == [("borrow_fee", "AAA", 0, Decimal("-1.20"))]


async def test_borrowed_cash_pays_interest_and_idle_cash_earns_some(build_desk):
    desk = build_desk(initial_cash=Decimal(10_000), max_leverage=3.0, financing_bps_per_year=720.0)
    await hold(desk, 2_500)
    await desk.bar(10)
    assert booked(desk) == [("interest", "", 0, Decimal("-3.00"))]  # 15,000 · 0.072 / 360
    desk = build_desk(initial_cash=Decimal(10_000), cash_bps_per_year=360.0)
    await hold(desk, 400)
    await desk.bar(10)
    assert booked(desk) == [("interest", "", 0, Decimal("0.60"))]


async def test_the_proceeds_of_a_short_sale_finance_nothing(build_desk):
    rates = {"borrow_bps_per_year": 0.0, "financing_bps_per_year": 720.0, "cash_bps_per_year": 360.0}
    desk = build_desk(initial_cash=Decimal(10_000), max_leverage=3.0, allow_short=True, **rates)
    await desk.bar(10)
    await desk.submit(desk.order("long", 1_500), desk.order("short", -1_000, "BBB"))
    await desk.bar(10)
    await desk.bar(10)
    assert desk.cash == 5_000
    await desk.bar(10)
    assert booked(desk) == [("interest", "", 0, Decimal("-1.00"))]  # 5,000 are borrowed, not lent


@pytest.mark.parametrize(
    ("held", "ratio", "after", "in_lieu"),
    [(100, 7.0, 700, "0"), (101, 0.1, 10, "10"), (-101, 0.1, -10, "-10"), (3, 1.5, 4, "3.333333"), (5, 0.1, 0, "50")],
)
async def test_a_split_changes_the_shares_and_pays_for_what_is_left_of_one(build_desk, held, ratio, after, in_lieu):
    desk = build_desk(allow_short=True)
    await hold(desk, held)
    cash = desk.cash
    await desk.bar(10 / ratio, actions=(ratio, 0.0, ratio))
    assert booked(desk) == [("split", "AAA", after - held, Decimal(in_lieu))]
    assert desk.broker.holdings == ({"AAA": after} if after else {})
    assert desk.broker.cash == cash + Decimal(in_lieu)


@pytest.mark.parametrize(("held", "paid"), [(100, "52"), (-100, "-52")])
async def test_a_dividend_is_on_the_shares_after_the_split(build_desk, held, paid):
    desk = build_desk(allow_short=True)
    await hold(desk, held)
    await desk.bar(5, actions=(2.0, 0.26, 2.0))
    assert booked(desk)[1:] == [("dividend", "AAA", 0, Decimal(paid))]


async def test_who_buys_on_the_ex_date_gets_nothing(build_desk):
    desk = build_desk()
    await desk.bar(10)
    await desk.submit(desk.order("late", 100))
    assert await desk.bar(10, actions=(1.0, 0.5, 1.0)) == ["late +100 @ 10.00"]
    assert not desk.all_events


async def test_a_split_cancels_the_open_orders_of_its_symbol_alone(build_desk):
    desk = build_desk()
    await hold(desk, 100)
    await desk.submit(
        desk.order("stop", -100, stop="8"), desk.order("market", 10), desk.order("other", 10, "BBB", limit="2")
    )
    assert await desk.bar(5, actions=(2.0, 0.0, 2.0)) == []
    assert desk.statuses["stop"] == desk.statuses["market"] == "cancelled"
    assert desk.reasons["stop"] == "the shares were split"
    assert desk.statuses["other"] == "accepted"
