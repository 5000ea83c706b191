from dataclasses import replace
from decimal import Decimal

import pytest

from outcry.backtest.replay import RunLedger, first_difference
from outcry.messages import Fill, OrderIntent, Purpose, Side

ORDERS = tuple(
    OrderIntent(f"id-{seq}-{symbol}", seq, symbol, Side.BUY, Decimal(10)) for seq in (1, 2) for symbol in ("A", "B")
)
FILLS = tuple(
    Fill(f"f-{o.client_order_id}", o.client_order_id, o.seq + 1, 5, o.symbol, o.side, o.quantity, *([Decimal(1)] * 3))
    for o in ORDERS
)
LEDGER = RunLedger(ORDERS, FILLS, {seq: Decimal(100 + seq) for seq in range(4)})


def test_a_ledger_equals_itself_in_any_order_of_commit() -> None:
    assert first_difference(LEDGER, replace(LEDGER, orders=ORDERS[::-1], fills=FILLS[::-1])) is None


@pytest.mark.parametrize("side", [0, 1])
def test_a_missing_order_is_found_on_either_side(side: int) -> None:
    ledgers = [LEDGER, LEDGER]
    ledgers[side] = replace(LEDGER, orders=ORDERS[:3])
    difference = first_difference(*ledgers)
    assert difference is not None
    assert (difference.seq, difference.what) == (2, "order")
    assert (difference.recorded, difference.replayed)[side] is None


@pytest.mark.parametrize(
    ("field", "value"), [("quantity", Decimal(11)), ("side", Side.SELL), ("purpose", Purpose.FLATTEN)]
)
def test_the_differing_field_is_named(field: str, value: object) -> None:
    orders = (ORDERS[0], replace(ORDERS[1], **{field: value}), *ORDERS[2:])
    difference = first_difference(LEDGER, replace(LEDGER, orders=orders))
    assert difference is not None
    assert difference.seq == 1
    assert f"{field} {value}" in str(difference.replayed)


def test_the_earliest_difference_is_reported_whatever_its_kind() -> None:
    equity = {**LEDGER.equity, 0: Decimal(1)}
    difference = first_difference(LEDGER, replace(LEDGER, orders=ORDERS[:3], equity=equity))
    assert difference is not None
    assert (difference.seq, difference.what, difference.recorded, difference.replayed) == (0, "equity", "100", "1")
