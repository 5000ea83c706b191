from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.peers.oracle import find_trades
from bench.peers.protocol import BAR_NS, FAST_BARS, SHARES, SLOW_BARS, Bars, Trade

# Few values over few cents, so that the averages are often equal.
CENTS = st.lists(st.integers(min_value=1_000, max_value=1_004), min_size=0, max_size=150)


def build_bars(cents: list[int]) -> Bars:
    """Return bars that close at `cents` and open a tenth of a dollar higher."""
    close = np.array(cents, dtype=np.float64) / 100
    prices = {"open": close + 0.1, "high": close + 0.1, "low": close, "close": close, "volume": np.ones(len(cents))}
    return Bars("X", np.arange(len(cents), dtype=np.int64) * BAR_NS, prices)


def trade_by_hand(bars: Bars, cents: list[int]) -> list[Trade]:
    """Return the trades of the rules as they are written, bar by bar, in fractions."""
    trades: list[Trade] = []
    entry, wanted = None, None
    for t in range(len(cents)):
        price = float(bars.prices["open"][t])
        if wanted == "buy":
            entry = (t, price)
        elif wanted == "sell" and entry is not None:
            fees = 0.001 * SHARES * (entry[1] + price)
            trades.append(Trade("X", entry[0] * BAR_NS, t * BAR_NS, entry[1], price, SHARES, fees))
            entry = None
        wanted = None
        if t + 1 >= SLOW_BARS:
            fast = Fraction(sum(cents[t + 1 - FAST_BARS : t + 1]), FAST_BARS)
            slow = Fraction(sum(cents[t + 1 - SLOW_BARS : t + 1]), SLOW_BARS)
            wanted = "buy" if fast > slow and entry is None else "sell" if fast < slow and entry is not None else None
    return trades


@given(CENTS)
def test_trades_are_those_of_the_rules_bar_by_bar(cents: list[int]):
    bars = build_bars(cents)
    found, expected = find_trades(bars), trade_by_hand(bars, cents)
    assert [trade[:6] for trade in found] == [trade[:6] for trade in expected]
    assert [trade.fees for trade in found] == pytest.approx([trade.fees for trade in expected])


def test_first_order_is_at_the_close_of_the_first_bar_with_both_averages():
    rise, fall = [1_000 + t for t in range(SLOW_BARS)], [900] * SLOW_BARS
    (trade,) = find_trades(build_bars(rise + fall))
    assert trade.ts_entry_ns == SLOW_BARS * BAR_NS
    assert trade.ts_exit_ns > trade.ts_entry_ns


def test_open_position_is_no_trade():
    assert find_trades(build_bars([1_000 + t for t in range(2 * SLOW_BARS)])) == []


def test_equal_averages_are_no_signal():
    assert find_trades(build_bars([1_000] * 200)) == []


def test_close_of_more_than_four_decimals_is_refused():
    bars = build_bars([1_000] * 60)
    bars.prices["close"][7] = 10.00001
    with pytest.raises(ValueError, match="four decimals at most, those of X"):
        find_trades(bars)
