"""What passes: against a model in fractions that sums everything anew, and the rules of legs and of reduce only."""

from dataclasses import replace
from fractions import Fraction
from math import floor, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.messages import ALL_WORKING, Input, InputKind
from outcry.risk.config import RiskConfig

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
SECTOR = (2, 2, 0, 1)  # of the names in order: Energy, Other, Tech
EQUITY = 100_000
LOTS = st.lists(st.integers(-150, 150), min_size=4, max_size=4)
PRICES = st.lists(st.sampled_from([100.0, 33.37, 250.125, 7.0001]), min_size=4, max_size=4)
WANTED = st.lists(st.tuples(st.integers(0, 3), st.integers(-200, 200).filter(bool), st.booleans()), max_size=8)
CONFIGS = st.sampled_from(
    [
        RiskConfig(),
        RiskConfig(max_gross_frac=0.3, max_net_frac=0.15),
        RiskConfig(max_positions=2, max_position_frac=0.4, max_sector_frac=0.12, sector_fracs={"Energy": 0.05}),
    ]
)
HALT = Input(0, InputKind.HALT, {})


def closable(held, working):
    """Return what is left of a position once what is on its way to close it has traded."""
    closes = min(abs(held), abs(working)) if held * working < 0 else 0
    return held - closes * (1 if held > 0 else -1)


def admitted(wanted, held, working, price, config):
    """Return the lots of each of `wanted` that pass: (symbol, signed lots, is reduce only)."""
    price = [Fraction(p) for p in price]
    lots = [h + w for h, w in zip(held, working, strict=True)]
    left = [closable(h, w) for h, w in zip(held, working, strict=True)]
    opens = [not only and abs(signed) > (abs(left[i]) if left[i] * signed < 0 else 0) for i, signed, only in wanted]
    passed = [0] * len(wanted)

    def room(i, sign):
        value = [n * p for n, p in zip(lots, price, strict=True)]
        sector = sum(abs(value[j]) for j in range(4) if SECTOR[j] == SECTOR[i])
        name = ("Energy", "Other", "Tech")[SECTOR[i]]
        freed = 2 * max(-sign * value[i], 0)
        is_free = lots[i] or sum(map(bool, lots)) < config.max_positions
        return min(
            Fraction(config.max_position_frac) * EQUITY - sign * value[i],
            Fraction(config.max_gross_frac) * EQUITY - sum(map(abs, value)) + freed,
            Fraction(config.max_net_frac) * EQUITY - sign * sum(value),
            Fraction(config.sector_fracs.get(name, config.max_sector_frac)) * EQUITY - sector + freed,
            inf if is_free else 0,
        )

    for k in sorted(range(len(wanted)), key=lambda k: opens[k]):
        i, signed, only = wanted[k]
        sign = 1 if signed > 0 else -1
        closing = min(abs(signed), abs(left[i])) if left[i] * signed < 0 else 0
        lots[i] += sign * closing
        left[i] += sign * closing
        opening = 0 if only else abs(signed) - closing
        fits = min(opening, floor(max(room(i, sign), 0) / price[i] + Fraction(1e-9))) if opening else 0
        lots[i] += sign * fits
        passed[k] = abs(signed) if only else closing + fits
    return passed


@given(wanted=WANTED, held=LOTS, working=LOTS, price=PRICES, config=CONFIGS)
def test_what_passes_is_what_the_limits_leave_in_exact_numbers(
    build_gate, build_book, build_proposal, wanted, held, working, price, config
):
    single = [build_proposal(shares={SYMBOLS[i]: signed}).orders[0] for i, signed, _ in wanted]
    orders = tuple(
        replace(order, client_order_id=str(k), is_reduce_only=wanted[k][2]) for k, order in enumerate(single)
    )
    verdict = build_gate(**config.model_dump()).review(
        replace(build_proposal(), orders=orders), build_book(0, held, working, EQUITY, price)
    )
    sent = {order.client_order_id: int(order.quantity) for order in verdict.orders}
    assert [sent.get(str(k), 0) for k in range(len(wanted))] == admitted(wanted, held, working, price, config)


@pytest.mark.parametrize(("lots", "passed"), [(150, 100), (40, 40)])
def test_a_leg_passes_as_far_as_its_parent(build_gate, build_book, build_proposal, build_leg, lots, passed):
    entry = build_proposal(shares={"AAA": 150}).orders[0]
    legs = (build_leg(entry, lots), build_leg(entry, 10, "target"))
    verdict = build_gate().review(replace(build_proposal(), orders=(*legs, entry)), build_book())  # in any order
    assert [int(order.quantity) for order in verdict.orders] == [100, passed, 10]
    assert all(order.is_reduce_only and order.parent_id for order in verdict.orders[1:])


def test_a_leg_is_dropped_with_its_parent_and_says_nothing(build_gate, build_book, build_proposal, build_leg):
    refused, passing = build_proposal(shares={"AAA": 10, "BBB": 10}).orders
    orders = (refused, build_leg(refused, 10), passing, build_leg(passing, 10))
    book = build_book(quantity=[0, 1, 0, 0])
    verdict = build_gate(max_positions=1).review(replace(build_proposal(), orders=orders), book)
    assert verdict.orders == orders[2:]
    assert [(event.limit, event.symbol) for event in verdict.events] == [("position_count", "AAA")]


def test_a_leg_adds_nothing_to_exposure(build_gate, build_book, build_proposal, build_leg, wishes):
    first, second = build_proposal(shares={"AAA": 100, "BBB": 100}).orders
    orders = (first, build_leg(first, 100), second)
    verdict = build_gate(max_gross_frac=0.15).review(replace(build_proposal(), orders=orders), build_book())
    assert wishes(verdict.orders) == [("AAA", 100), ("BBB", 50), ("AAA", -100)]


def test_a_leg_of_an_order_of_an_earlier_frame_passes_and_only_reduces(
    build_gate, build_book, build_proposal, build_leg
):
    entry = build_proposal(shares={"AAA": 100}).orders[0]
    leg = replace(build_leg(entry, 100), is_reduce_only=False)
    verdict = build_gate().review(replace(build_proposal(), orders=(leg,)), build_book(), (HALT,))
    assert verdict.orders == (replace(leg, is_reduce_only=True),)


def test_what_only_reduces_passes_whole_in_every_state_and_closes_once(build_gate, build_book, build_proposal, wishes):
    order = replace(build_proposal(shares={"AAA": -150}).orders[0], is_reduce_only=True)
    other = build_proposal(shares={"AAA": -50}).orders[0]
    verdict = build_gate().review(
        replace(build_proposal(), orders=(other, order)), build_book(quantity=[100, 0, 0, 0]), (HALT,)
    )
    assert wishes(verdict.orders) == [("AAA", -50), ("AAA", -150)]
    assert verdict.cancels == ALL_WORKING


def test_what_only_reduces_makes_room_for_as_much_as_it_closes(build_gate, build_book, build_proposal, wishes):
    order = replace(build_proposal(shares={"AAA": -150}).orders[0], is_reduce_only=True)
    entry = build_proposal(shares={"CCC": 100}).orders[0]
    book = build_book(quantity=[100, 0, 0, 0])
    verdict = build_gate(max_gross_frac=0.08).review(replace(build_proposal(), orders=(entry, order)), book)
    assert wishes(verdict.orders) == [("AAA", -150), ("CCC", 80)]


def test_lots_of_a_thousandth_are_counted_whole(build_book, build_proposal, build_gate, universe):
    gate = build_gate(replace(universe, lot=universe.lot / 1000))
    book = build_book(price=[33.3, 1, 1, 1], quantity=[0.25, 0, 0, 0])
    verdict = gate.review(build_proposal(shares={"AAA": 400}), book)
    assert str(verdict.orders[0].quantity) == "300.050"  # 10,000 / 33.3 - 0.25, rounded down
    assert verdict.events[0].action == "clipped to 300.050 of 400.000"
