from decimal import Decimal

import numpy as np
import pytest

from outcry.execution.memory_ledger import MemoryLedger
from outcry.messages import Executions, Fill, Input, InputKind, OrderStatus, OrderUpdated, Side, Submission, Verdict


@pytest.fixture
def market(build_market):
    return build_market()


async def test_every_commit_counts_once_and_the_first_one_stands(market):
    ledger = MemoryLedger()
    order, other = market.order(0, "AAA", Side.BUY, 5), market.order(0, "BBB", Side.BUY, 5)
    key = order.client_order_id
    fill = Fill("fill", key, 1, 1, "AAA", Side.BUY, Decimal(5), Decimal(10), Decimal(0), Decimal(0))
    accepted = OrderUpdated(key, 0, OrderStatus.ACCEPTED, Decimal(0))
    filled = OrderUpdated(key, 1, OrderStatus.FILLED, Decimal(5))
    inputs = (Input(0, InputKind.MODEL_SWAPPED),)
    ledger.record_answers(Submission(0, (order,), (accepted,)))
    for orders in ((order,), (other,)):
        verdict = Verdict(0, orders, (), (), False, 0.0, inputs=inputs)
        assert await ledger.commit_orders(verdict) == (order,)
        await ledger.commit_executions(Executions(1, (fill,), (filled,), np.zeros(3)))
    assert (ledger.orders, ledger.fills, ledger.updates) == ([order], [fill], [accepted, filled])
    assert ledger.inputs == list(inputs)
    [record] = ledger.order_records()
    assert (record.status, record.filled_quantity, record.updated_seq) == (OrderStatus.FILLED, 5, 1)
    assert ledger.executions(2) is None
