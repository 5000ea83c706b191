from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ExecutionError, IllegalTransitionError
from outcry.execution.lifecycle import OPEN_STATUSES, TRANSITIONS, Step, created, next_status
from outcry.messages import OrderIntent, OrderStatus, Side

ORDER = OrderIntent("id", 4, "AAA", Side.BUY, Decimal(10))
ACCEPTED = created(ORDER).take(Step.SUBMIT, 4).take(Step.ACCEPT, 4)


@given(st.lists(st.sampled_from(Step), max_size=8))
def test_no_sequence_of_steps_leaves_a_final_state_or_fills_an_order_that_was_not_accepted(steps):
    status, seen = OrderStatus.CREATED, [OrderStatus.CREATED]
    for step in steps:
        if step in TRANSITIONS[status]:
            status = next_status(status, step)
            seen.append(status)
        else:
            with pytest.raises(IllegalTransitionError, match=step.value):
                next_status(status, step)
    assert all(before in OPEN_STATUSES for before in seen[:-1])
    if status in {OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED}:
        assert seen[:3] == [OrderStatus.CREATED, OrderStatus.SUBMITTED, OrderStatus.ACCEPTED]


def test_every_status_is_reachable_and_has_its_row():
    reached = {OrderStatus.CREATED}
    for _ in OrderStatus:
        reached |= {after for status in reached for after in TRANSITIONS[status].values()}
    assert reached == set(OrderStatus) == set(TRANSITIONS)


@given(st.lists(st.integers(1, 10), max_size=6))
def test_fills_add_up_and_the_last_one_ends_the_order(parts):
    record = ACCEPTED
    for part in parts:
        if not record.is_open or part > record.remaining:
            with pytest.raises((ExecutionError, IllegalTransitionError)):
                record.fill(Decimal(part), 5)
            return
        record = record.fill(Decimal(part), 5)
        assert record.is_open == (record.remaining > 0)
    assert record.filled_quantity == sum(parts)


def test_a_fill_needs_a_quantity():
    with pytest.raises(ExecutionError, match="quantity"):
        ACCEPTED.take(Step.FILL_REST, 5)


def test_the_update_tells_the_state_and_the_reason():
    update = ACCEPTED.fill(Decimal(4), 5).take(Step.CANCEL, 6, "requested").update()
    assert (update.seq, update.status, update.filled_quantity) == (6, OrderStatus.CANCELLED, 4)
    assert update.reason == "requested"
