from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import DataValidationError, RecoveryError
from outcry.messages import ALL_OPEN, ALL_WORKING, Input, InputKind, OrderType
from outcry.risk.state import RiskState

HALT = Input(0, InputKind.HALT, {"reason": "operator", "flatten": "false"})
FLATTEN = Input(0, InputKind.HALT, {"reason": "operator", "flatten": "true"})
RESUME = Input(0, InputKind.RESUME, {})
SHARES = st.lists(st.integers(-400, 400), min_size=4, max_size=4)
STATES = st.builds(
    RiskState,
    equity=st.just(Decimal(100_000)),
    peak_equity=st.sampled_from([Decimal(100_000), Decimal(108_000), Decimal(115_000), Decimal(200_000)]),
    session_start_equity=st.sampled_from([Decimal(100_000), Decimal(110_000)]),
    session=st.just(0),
    is_session_blocked=st.booleans(),
    rung=st.integers(0, 3),
    is_halted=st.booleans(),
    is_flattening=st.booleans(),
)


def test_orders_inside_the_limits_pass_unchanged(build_gate, build_book, build_proposal):
    wanted = build_proposal(shares={"AAA": 100, "CCC": -50}, inputs=(Input(0, InputKind.MODEL_SWAPPED),))
    verdict = build_gate().review(wanted, build_book())
    assert (verdict.orders, verdict.inputs, verdict.events) == (wanted.orders, wanted.inputs, ())


@pytest.mark.parametrize(
    ("config", "quantity", "wanted", "passed", "limit"),
    [
        ({}, 0, {"AAA": 150}, [("AAA", 100)], "position"),
        ({}, [60, 0, 0, 0], {"AAA": 150}, [("AAA", 40)], "position"),
        ({"max_gross_frac": 0.15}, 0, {"AAA": 100, "CCC": -100}, [("AAA", 100), ("CCC", -50)], "gross_exposure"),
        ({"max_net_frac": 0.15}, 0, {"AAA": 100, "CCC": 100}, [("AAA", 100), ("CCC", 50)], "net_exposure"),
        ({"max_positions": 1}, [0, 1, 0, 0], {"AAA": 100, "BBB": 9}, [("BBB", 9)], "position_count"),
        (
            {"max_sector_frac": 0.12},
            0,
            {"AAA": 100, "BBB": 100, "CCC": 9},
            [("AAA", 100), ("BBB", 20), ("CCC", 9)],
            "sector",
        ),
        ({"sector_fracs": {"Energy": 0.05}}, 0, {"CCC": 100}, [("CCC", 50)], "sector"),
        ({}, [100, 0, 0, 0], {"AAA": -300}, [("AAA", -200)], "position"),
    ],
)
def test_each_limit_clips_or_refuses_what_exceeds_it(
    build_gate, build_book, build_proposal, wishes, config, quantity, wanted, passed, limit
):
    verdict = build_gate(**config).review(build_proposal(shares=wanted), build_book(quantity=quantity))
    assert wishes(verdict.orders) == passed
    assert [event.limit for event in verdict.events] == [limit]
    assert verdict.events[0].value > verdict.events[0].threshold


def test_an_exit_makes_room_for_an_entry_wanted_before_it(build_gate, build_book, build_proposal, wishes):
    wanted = build_proposal(shares={"AAA": 100, "BBB": -100})
    verdict = build_gate(max_positions=1).review(wanted, build_book(quantity=[0, 100, 0, 0]))
    assert wishes(verdict.orders) == [("BBB", -100), ("AAA", 100)]


def test_what_is_on_its_way_uses_up_room(build_gate, build_book, build_proposal, wishes):
    verdict = build_gate().review(build_proposal(shares={"AAA": 50}), build_book(working=[80, 0, 0, 0]))
    assert wishes(verdict.orders) == [("AAA", 20)]


def test_a_symbol_never_priced_cannot_be_entered(build_gate, build_book, build_proposal):
    book = build_book(price=[np.nan, 100, 100, 100])
    verdict = build_gate().review(build_proposal(shares={"AAA": 5}), book)
    assert [event.limit for event in verdict.events] == ["unpriced"]
    assert verdict.orders == ()


@given(state=STATES, quantity=SHARES, closing=SHARES, wanted=SHARES)
def test_an_order_that_only_closes_passes_whole_in_every_state(
    build_gate, build_book, build_proposal, state, quantity, closing, wanted
):
    shares = {
        symbol: -int(np.sign(held)) * min(abs(part), abs(held)) if part else more
        for symbol, held, part, more in zip(("AAA", "BBB", "CCC", "DDD"), quantity, closing, wanted, strict=True)
    }
    shares = {symbol: signed for symbol, signed in shares.items() if signed}
    held = dict(zip(("AAA", "BBB", "CCC", "DDD"), quantity, strict=True))
    gate = build_gate()
    gate.restore(state)
    proposal = build_proposal(shares=shares)
    verdict = gate.review(proposal, build_book(quantity=quantity))
    passed = {order.client_order_id: order for order in verdict.orders}
    for order in proposal.orders:
        signed, position = order.side.sign * int(order.quantity), held[order.symbol]
        closes = min(abs(signed), abs(position)) if signed * position < 0 else 0
        sent = int(passed[order.client_order_id].quantity) if order.client_order_id in passed else 0
        assert closes <= sent <= abs(signed)
        if closes == abs(signed):
            assert passed[order.client_order_id] == order


@given(state=STATES, quantity=SHARES, working=SHARES, wanted=SHARES)
def test_no_verdict_takes_exposure_further_beyond_a_limit(
    build_gate, build_book, build_proposal, state, quantity, working, wanted
):
    gate = build_gate()
    gate.restore(state)
    shares = {s: q for s, q in zip(("AAA", "BBB", "CCC", "DDD"), wanted, strict=True) if q}
    verdict = gate.review(build_proposal(shares=shares), build_book(quantity=quantity, working=working))
    before = np.array(quantity) + (0 if verdict.cancels else np.array(working))
    after = before.copy()
    for order in verdict.orders:
        after["ABCD".index(order.symbol[0])] += order.side.sign * int(order.quantity)
    for measure, limit in [
        (lambda x: np.abs(x).max(), 100),
        (lambda x: np.abs(x).sum(), 1000),
        (lambda x: np.abs(x[:2]).sum(), 250),
    ]:
        closed_beyond = max(limit, measure(before), measure(np.array(quantity)))
        assert measure(after) <= closed_beyond
    if verdict.is_halted or state.is_session_blocked:
        assert np.all(np.abs(after) <= np.maximum(np.abs(before), np.abs(quantity)))


def test_a_daily_loss_blocks_new_risk_until_the_next_session(build_gate, build_book, build_proposal):
    gate = build_gate()
    sent = []
    for seq, equity in enumerate([100_000, 97_900, 99_500, 99_500]):
        verdict = gate.review(build_proposal(seq, {"AAA": 10}), build_book(seq, equity=equity))
        sent.append(len(verdict.orders))
    assert sent == [1, 0, 0, 1]  # still blocked after the loss was made good; the session has three frames


def test_the_gap_of_an_opening_counts_to_the_loss_of_its_session(build_gate, build_book, build_proposal):
    gate = build_gate()
    for seq in range(3):
        gate.review(build_proposal(seq), build_book(seq))
    verdict = gate.review(build_proposal(3), build_book(3, equity=97_000))
    assert [event.limit for event in verdict.events] == ["daily_loss"]


def test_the_ladder_reduces_once_then_halves_then_flattens_and_halts(build_gate, build_book, build_proposal, wishes):
    gate = build_gate(daily_loss_frac=0.9)

    def review(seq, quantity, equity):
        wanted = build_proposal(seq, target_weight=[0.1, np.nan, 0, 0])
        return gate.review(wanted, build_book(seq, quantity, equity=equity))

    assert review(0, [100, 80, 0, 0], 100_000).orders == ()
    assert wishes(review(1, [100, 80, 0, 0], 94_000).orders) == [("AAA", -29), ("BBB", -9)]
    assert review(2, [71, 71, 0, 0], 94_000).orders == ()
    assert wishes(review(3, [71, 71, 0, 0], 89_000).orders) == [("AAA", -26), ("BBB", -26)]
    last = review(4, [45, 45, 0, 0], 84_000)
    assert wishes(last.orders) == [("AAA", -45), ("BBB", -45)]
    assert last.cancels == ALL_OPEN
    assert last.is_halted
    assert last.drawdown_frac == 0.16
    assert "drawdown" in last.risk_state["halt_reason"]


def test_a_step_of_the_ladder_scales_new_positions_and_is_left_after_recovery(
    build_gate, build_book, build_proposal, wishes
):
    gate = build_gate(daily_loss_frac=0.9)
    passed = []
    for seq, equity in enumerate([100_000, 94_000, 95_500, 96_500]):
        wanted = build_proposal(seq, {"AAA": 90}, target_weight=0.1)
        passed.append(wishes(gate.review(wanted, build_book(seq, equity=equity)).orders)[0][1])
    assert passed == [90, 70, 71, 90]


def test_a_halt_refuses_new_risk_in_one_event_a_frame_and_resume_starts_from_here(
    build_gate, build_book, build_proposal
):
    gate = build_gate()
    entries = {"AAA": 10, "BBB": 10}
    halted = gate.review(build_proposal(0, entries), build_book(0), (HALT,))
    assert (halted.orders, halted.cancels, halted.is_halted) == ((), ALL_WORKING, True)
    assert [event.action for event in halted.events] == ["halted", "new risk refused in 2 orders"]
    assert not gate.review(build_proposal(1, entries), build_book(1, equity=99_000)).orders
    resumed = gate.review(build_proposal(2, entries), build_book(2, equity=99_000), (RESUME,))
    assert len(resumed.orders) == 2
    assert gate.snapshot().peak_equity == 99_000


def test_a_halt_cancels_what_is_on_its_way_and_sends_again_what_closes(build_gate, build_book, build_proposal, wishes):
    gate = build_gate()
    book = build_book(0, quantity=[100, -40, 50, 0], working=[-30, 60, 25, 10])
    verdict = gate.review(build_proposal(0, {"AAA": -20, "DDD": 5}), book, (HALT,))
    assert verdict.cancels == ALL_WORKING
    assert wishes(verdict.orders) == [("AAA", -20), ("AAA", -30), ("BBB", 40)]
    later = gate.review(build_proposal(1), build_book(1, [100, -40, 50, 0], [-50, 40, 0, 0]))
    assert (later.orders, later.cancels) == ((), ())


@pytest.mark.parametrize(
    ("wanted", "cancelled"),
    [((), ALL_WORKING), (ALL_WORKING, ALL_WORKING), (ALL_OPEN, ALL_OPEN), (("an id",), (*ALL_WORKING, "an id"))],
)
def test_a_halt_adds_what_is_on_its_way_to_the_cancels_that_were_wanted(
    build_gate, build_book, build_proposal, wanted, cancelled
):
    verdict = build_gate().review(build_proposal(cancels=wanted), build_book(), (HALT,))
    assert verdict.cancels == cancelled


@pytest.mark.parametrize("cancels", [(), ALL_WORKING, ALL_OPEN, ("an id", "another")])
def test_wanted_cancels_pass_and_those_of_all_make_room(build_gate, build_book, build_proposal, wishes, cancels):
    book = build_book(working=[80, 0, 0, 0])
    verdict = build_gate().review(build_proposal(shares={"AAA": 50}, cancels=cancels), book)
    assert verdict.cancels == cancels
    assert wishes(verdict.orders) == [("AAA", 50 if cancels in {ALL_WORKING, ALL_OPEN} else 20)]


def test_an_array_that_was_received_read_only_is_reviewed(build_gate, build_book, build_proposal):
    book, wanted = build_book(), build_proposal(shares={"AAA": 5})
    for array in (book.quantity, book.working, book.price, wanted.target_weight):
        array.setflags(write=False)
    assert build_gate().review(wanted, book).orders == wanted.orders


def test_there_is_room_for_more_orders_than_there_were(build_gate, build_book, build_proposal):
    many = build_proposal(shares={"AAA": 1}).orders * 100
    wanted = replace(build_proposal(), orders=many)
    assert build_gate().review(wanted, build_book()).orders == many


def test_an_order_in_an_unknown_symbol_leaves_the_gate_as_it_was(build_gate, build_book, build_proposal):
    gate = build_gate()
    with pytest.raises(KeyError, match="ZZZ"):
        gate.review(build_proposal(shares={"ZZZ": 1}), build_book(), (HALT,))
    assert gate.snapshot() == RiskState()


def test_a_daily_loss_cancels_entries_on_their_way(build_gate, build_book, build_proposal):
    gate = build_gate()
    gate.review(build_proposal(0), build_book(0))
    verdict = gate.review(build_proposal(1), build_book(1, working=[10, 0, 0, 0], equity=97_000))
    assert (verdict.orders, verdict.cancels) == ((), ALL_WORKING)


def test_flattening_goes_on_until_everything_is_closed_and_orders_nothing_twice(
    build_gate, build_book, build_proposal, wishes
):
    gate = build_gate()

    def review(seq, quantity, working, inputs=()):
        return gate.review(build_proposal(seq), build_book(seq, quantity, working), inputs)

    first = review(0, [100, -40, 0, 0], [50, 0, 10, 0], (FLATTEN,))
    assert first.cancels == ALL_OPEN
    assert wishes(first.orders) == [("AAA", -100), ("BBB", 40)]
    assert {(order.order_type, order.is_reduce_only) for order in first.orders} == {(OrderType.MARKET, True)}
    waiting = review(1, [100, -40, 0, 0], [-100, 40, 0, 0])  # no bar yet: the orders rest
    assert (waiting.orders, waiting.cancels) == ((), ())
    lost = review(2, [60, -40, 0, 0], [0, 40, 0, 0])  # the rest of one was refused: made anew
    assert lost.cancels == ALL_OPEN
    assert wishes(lost.orders) == [("AAA", -60), ("BBB", 40)]
    done = review(3, 0, 0)
    assert (done.orders, done.is_halted, gate.snapshot().is_flattening) == ((), True, False)


def test_while_flattening_the_exit_of_the_portfolio_and_that_of_the_gate_add_up_to_the_position(
    build_gate, build_book, build_proposal, wishes
):
    wanted = build_proposal(0, {"AAA": -30})
    verdict = build_gate().review(wanted, build_book(quantity=[100, 0, 0, 0]), (FLATTEN,))
    assert wishes(verdict.orders) == [("AAA", -30), ("AAA", -70)]
    assert len({order.client_order_id for order in verdict.orders}) == 2


@given(st.lists(st.tuples(st.integers(70_000, 110_000), SHARES), min_size=2, max_size=8), st.data())
def test_a_gate_restored_from_a_recorded_verdict_goes_on_as_if_nothing_had_happened(
    build_gate, build_book, build_proposal, frames, data
):
    at = data.draw(st.integers(0, len(frames) - 2))
    inputs = data.draw(st.lists(st.sampled_from([(), (), (HALT,), (FLATTEN,), (RESUME,)]), min_size=8, max_size=8))

    def review(gate, seq):
        equity, shares = frames[seq]
        wanted = build_proposal(seq, {"AAA": shares[0] or 1, "CCC": shares[1] or 1}, target_weight=0.05)
        return gate.review(wanted, build_book(seq, shares, equity=equity), inputs[seq])

    undisturbed = build_gate()
    verdicts = [review(undisturbed, seq) for seq in range(len(frames))]
    restored = build_gate()
    restored.restore(verdicts[at].risk_state)
    for seq in range(at + 1, len(frames)):
        assert review(restored, seq) == verdicts[seq]
    assert restored.snapshot() == undisturbed.snapshot()


def test_a_repeated_frame_returns_the_same_verdict_and_a_gap_is_refused(build_gate, build_book, build_proposal):
    gate = build_gate()
    first = gate.review(build_proposal(0), build_book(0), (HALT,))
    assert gate.review(build_proposal(0), build_book(0)) is first
    with pytest.raises(RecoveryError, match=r"seq must be 1.*was 3"):
        gate.review(build_proposal(3), build_book(3))
    with pytest.raises(DataValidationError, match=r"wanted\.seq must be 1"):
        gate.review(build_proposal(0), build_book(1))


@given(STATES)
def test_a_state_reads_back_from_its_text(state):
    state = replace(state, halt_reason="drawdown 0.15 reached; said 'x'")
    assert RiskState.from_text(state.as_text()) == state


def test_an_unreadable_state_is_refused():
    with pytest.raises(RecoveryError, match="peak_equity"):
        RiskState.from_text({"seq": "1", "equity": "1"})
