import pytest

from bench.peers.agreement import find_difference
from bench.peers.protocol import Trade

TRADES = [
    Trade("AAPL", 100, 200, 210.17, 212.61, 100, 42.278),
    Trade("AAPL", 300, 400, 212.81, 210.48, 100, 42.329),
    Trade("AMD", 100, 300, 101.5, 99.25, 100, 20.075),
]


def test_same_trades_in_another_order_agree():
    assert find_difference(TRADES, TRADES[::-1]) is None


def test_last_digit_of_a_price_is_no_difference():
    close = [TRADES[0]._replace(entry_price=TRADES[0].entry_price * (1 + 1e-12), shares=100.0), *TRADES[1:]]
    assert find_difference(TRADES, close) is None


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"ts_entry_ns": 301}, "trade 1 of AAPL: ts_entry_ns must be 300, was 301"),
        ({"ts_exit_ns": 399}, "trade 1 of AAPL: ts_exit_ns must be 400, was 399"),
        ({"entry_price": 212.82}, "trade 1 of AAPL: entry_price must be 212.81, was 212.82"),
        ({"exit_price": 210.480001}, "trade 1 of AAPL: exit_price must be 210.48, was 210.480001"),
        ({"shares": 99.0}, "trade 1 of AAPL: shares must be 100, was 99.0"),
        ({"fees": 42.33}, "fees must be 104.682000 in all, were 104.683000"),
    ],
)
def test_first_difference_is_named(change: dict[str, float], text: str):
    changed = [TRADES[0], TRADES[1]._replace(**change), TRADES[2]]
    assert find_difference(TRADES, changed) == text


def test_missing_and_added_trades_are_counted():
    assert find_difference(TRADES, TRADES[:2]) == "there must be 3 trades, were 2"
    assert find_difference(TRADES[:2], TRADES) == "there must be 2 trades, were 3"
    assert find_difference(TRADES, []) == "there must be 3 trades, were 0"


def test_price_that_is_not_a_number_is_a_difference():
    changed = [TRADES[0]._replace(exit_price=float("nan")), *TRADES[1:]]
    assert "exit_price" in (find_difference(TRADES, changed) or "")
