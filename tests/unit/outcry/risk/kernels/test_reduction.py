"""The orders of the gate itself, when positions outgrow their margin."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outcry.messages import ALL_OPEN, Input, InputKind, OrderType, Purpose

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
GENEROUS = {"max_position_frac": 99.0, "max_gross_frac": 99.0, "max_net_frac": 99.0, "max_sector_frac": 99.0}
FLATTEN = Input(0, InputKind.HALT, {"flatten": "true"})
HALT = Input(0, InputKind.HALT, {})
LOTS = st.lists(st.integers(-3000, 3000), min_size=4, max_size=4)
PRICES = st.lists(st.sampled_from([100.0, 33.37, 250.125, 7.0001]), min_size=4, max_size=4)


def after(orders, held):
    """Return what is held once the orders have traded."""
    lots = list(held)
    for order in orders:
        lots[SYMBOLS.index(order.symbol)] += order.side.sign * int(order.quantity)
    return lots


def test_a_margin_call_reduces_every_position_pro_rata_in_one_event(build_gate, build_book, build_proposal, wishes):
    gate = build_gate(**GENEROUS)
    book = build_book(quantity=[3001, -1001, 0, 10], working=[50, 0, 9, 0], equity=100_000)
    verdict = gate.review(build_proposal(), book)
    # 401,200 are held, 200,000 may be: 1,495 of 3,001, 499 of 1,001 and 4 of 10
    assert wishes(verdict.orders) == [("AAA", -1505), ("BBB", 502), ("DDD", -6)]
    assert {(o.order_type, o.is_reduce_only, o.purpose) for o in verdict.orders} == {
        (OrderType.MARKET, True, Purpose.MARGIN_CALL)
    }
    assert verdict.cancels == ALL_OPEN
    assert [(e.limit, e.symbol, e.threshold, e.action) for e in verdict.events] == [
        ("margin_call", "", 0.25, "positions reduced in 3 orders")
    ]
    assert verdict.events[0].value == pytest.approx(100_000 / 401_200)


def test_a_margin_call_does_not_repeat_while_its_orders_are_on_their_way_and_does_when_they_are_lost(
    build_gate, build_book, build_proposal
):
    gate = build_gate(**GENEROUS)
    assert gate.review(build_proposal(0), build_book(0, [5000, 0, 0, 0])).orders
    waiting = gate.review(build_proposal(1), build_book(1, [5000, 0, 0, 0], [-3000, 0, 0, 0]))
    assert (waiting.orders, waiting.cancels, waiting.events) == ((), (), ())
    lost = gate.review(build_proposal(2), build_book(2, [5000, 0, 0, 0]))
    assert len(lost.orders) == 1
    done = gate.review(build_proposal(3), build_book(3, [2000, 0, 0, 0]))
    assert (done.orders, done.events) == ((), ())


def test_a_margin_call_sends_again_what_it_cancels_of_exits(build_gate, build_book, build_proposal, wishes):
    book = build_book(quantity=[4000, 4000, 0, 0], working=[-1000, 0, 0, 0], equity=100_000)
    verdict = build_gate(**GENEROUS).review(build_proposal(), book, (HALT,))
    # 3,000 and 4,000 lots count as held, 2,000 may be
    assert wishes(verdict.orders) == [("AAA", -1000 - 2143), ("BBB", -2858)]
    assert verdict.cancels == ALL_OPEN


def test_during_a_margin_call_exits_count_and_new_risk_is_refused(build_gate, build_book, build_proposal, wishes):
    wanted = build_proposal(shares={"AAA": -2500, "CCC": 10})
    verdict = build_gate(**GENEROUS).review(wanted, build_book(quantity=[2500, 2000, 0, 0]))
    assert wishes(verdict.orders) == [("AAA", -2500)]  # that is enough
    assert [(event.limit, event.action) for event in verdict.events] == [
        ("margin_call", "positions reduced in 0 orders"),
        ("margin_call", "new risk refused in 1 orders"),
    ]


@pytest.mark.parametrize("equity", [0, -5000])
def test_without_equity_everything_is_closed(build_gate, build_book, build_proposal, equity):
    gate = build_gate(**GENEROUS, drawdown_ladder=())
    verdict = gate.review(build_proposal(), build_book(quantity=[10, -20, 0, 0], equity=equity))
    assert after(verdict.orders, [10, -20, 0, 0]) == [0, 0, 0, 0]


def test_flattening_needs_no_margin_call(build_gate, build_book, build_proposal):
    verdict = build_gate(**GENEROUS).review(build_proposal(), build_book(quantity=[5000, 0, 0, 0]), (FLATTEN,))
    assert [order.purpose for order in verdict.orders] == [Purpose.FLATTEN]


@given(held=LOTS, price=PRICES, initial=st.sampled_from([0.25, 0.3, 0.5, 1.0]))
def test_after_a_margin_call_positions_are_as_large_as_the_margin_allows_and_never_turn(
    build_gate, build_book, build_proposal, held, price, initial
):
    gross = sum(abs(n) * Fraction(p) for n, p in zip(held, price, strict=True))
    assume(gross > 400_001)
    gate = build_gate(**GENEROUS, initial_margin_frac=initial)
    verdict = gate.review(build_proposal(), build_book(quantity=held, price=price))
    left = after(verdict.orders, held)
    rest = float(sum(abs(n) * Fraction(p) for n, p in zip(left, price, strict=True)))
    assert rest <= 100_000 / initial * (1 + 1e-12)
    assert rest > 100_000 / initial - sum(price) - 1e-6  # less than a lot of each is lost to rounding
    assert all(n * m >= 0 and abs(m) <= abs(n) for n, m in zip(held, left, strict=True))
    shrunk = [m / n for n, m in zip(held, left, strict=True) if abs(n) > 1000]
    assert np.ptp(shrunk or [0]) < 0.0011


@given(held=LOTS, price=PRICES, working=st.lists(st.integers(-5, 5), min_size=4, max_size=4))
def test_what_is_held_within_the_limits_is_never_called(build_gate, build_book, build_proposal, held, price, working):
    gross = sum(abs(n) * p for n, p in zip(held, price, strict=True))
    scale = 100_000 / max(gross, 100_000)
    lots = [int(n * scale) for n in held]
    verdict = build_gate().review(build_proposal(), build_book(quantity=lots, working=working, price=price))
    assert (verdict.orders, verdict.events, verdict.cancels) == ((), (), ())
