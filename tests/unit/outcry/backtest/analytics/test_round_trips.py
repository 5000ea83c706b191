"""Trades and profit by symbol add up to the cash that moved."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.backtest.analytics.round_trips import round_trips
from outcry.backtest.analytics.trade_metrics import HOUR_NS, profit_by_sector, profit_by_symbol, trade_metrics
from outcry.market.universe import Universe
from outcry.messages import Fill, Side

SYMBOLS = ("AAA", "BBB", "CCC")
FEE = Decimal("0.37")
UNIVERSE = Universe(SYMBOLS, ("Other",) * 3)


def fill(index: int, symbol: str, side: Side, quantity: int, price: Decimal) -> Fill:
    """Return a fill that cost 0.37."""
    return Fill(f"f{index}", f"o{index}", index, index, symbol, side, Decimal(quantity), price, FEE, Decimal(0))


cents = st.integers(100, 50_000).map(lambda value: Decimal(value) / 100)
fill_lists = st.lists(
    st.tuples(st.sampled_from(SYMBOLS), st.sampled_from(Side), st.integers(1, 500), cents),
    max_size=60,
).map(lambda rows: tuple(fill(index, *row) for index, row in enumerate(rows)))


def cash_moved(fills: tuple[Fill, ...]) -> Decimal:
    return sum((-f.side.sign * f.quantity * f.price - f.commission for f in fills), Decimal(0))


@given(fill_lists, st.tuples(cents, cents, cents))
def test_profit_by_symbol_sums_to_the_change_of_equity(fills: tuple[Fill, ...], marks: tuple[Decimal, ...]) -> None:
    held = {s: sum((f.side.sign * f.quantity for f in fills if f.symbol == s), Decimal(0)) for s in SYMBOLS}
    equity_change = cash_moved(fills) + sum(held[s] * mark for s, mark in zip(SYMBOLS, marks, strict=True))
    profits = profit_by_symbol(UNIVERSE, fills, *round_trips(fills), np.array([float(mark) for mark in marks]))
    assert sum(profit.net for profit in profits) == pytest.approx(float(equity_change), abs=1e-4)


@given(fill_lists)
def test_trades_of_a_book_that_ends_flat_earn_the_cash_that_moved(fills: tuple[Fill, ...]) -> None:
    closing = []
    for symbol in SYMBOLS:
        held = sum(int(f.side.sign * f.quantity) for f in fills if f.symbol == symbol)
        if held:
            side = Side.SELL if held > 0 else Side.BUY
            closing.append(fill(len(fills) + len(closing), symbol, side, abs(held), Decimal(40)))
    trades, lots = round_trips((*fills, *closing))
    assert not lots
    assert sum(trade.pnl for trade in trades) == pytest.approx(float(cash_moved((*fills, *closing))), abs=1e-4)
    assert all(trade.holding_ns > 0 and trade.quantity > 0 for trade in trades)


def test_the_first_lot_in_is_the_first_out_and_a_turn_opens_the_other_side() -> None:
    fills = (
        fill(0, "AAA", Side.BUY, 10, Decimal(100)),
        fill(1, "AAA", Side.BUY, 10, Decimal(110)),
        fill(2, "AAA", Side.SELL, 25, Decimal(120)),
    )
    trades, lots = round_trips(fills)
    assert [(trade.entry_price, trade.quantity) for trade in trades] == [(100, 10), (110, 10)]
    # Each trade carries the fee of its entry and 10/25 of that of the exit.
    assert [trade.pnl for trade in trades] == pytest.approx([200 - 1.4 * 0.37, 100 - 1.4 * 0.37])
    assert [(lot.quantity, lot.price) for lot in lots] == [(-5, 120)]
    assert lots[0].commission == pytest.approx(0.37 / 5)


def test_trade_figures_are_those_of_a_count_by_hand() -> None:
    prices = [(10, 13), (10, 9), (10, 8), (10, 11)]
    fills = []
    for buy, sell in prices:
        fills.append(fill(len(fills), "AAA", Side.BUY, 1, Decimal(buy)))
        fills.append(fill(len(fills), "AAA", Side.SELL, 1, Decimal(sell)))
    metrics = trade_metrics(round_trips(fills)[0])
    fees = 2 * 0.37
    assert (metrics.n_trades, metrics.win_rate_frac, metrics.longest_losing_streak) == (4, 0.5, 2)
    assert metrics.average_win == pytest.approx(2.0 - fees)
    assert metrics.average_loss == pytest.approx(-1.5 - fees)
    assert metrics.profit_factor == pytest.approx((4.0 - 2 * fees) / (3.0 + 2 * fees))
    assert metrics.expectancy == pytest.approx(0.25 - fees)
    assert (metrics.largest_win, metrics.largest_loss) == (pytest.approx(3.0 - fees), pytest.approx(-2.0 - fees))
    assert metrics.payoff_ratio == pytest.approx((2.0 - fees) / (1.5 + fees))
    assert metrics.average_return_frac == pytest.approx((0.25 - fees) / 10)
    assert (metrics.winning_streaks, metrics.losing_streaks) == ((2,), (0, 1))
    assert metrics.average_winning_hours == metrics.average_losing_hours == pytest.approx(1 / HOUR_NS)
    assert trade_metrics(()).win_rate_frac is None


@given(fill_lists)
def test_sectors_share_the_profit_of_their_symbols(fills: tuple[Fill, ...]) -> None:
    universe = Universe(SYMBOLS, ("Tools", "Food", "Tools"))
    symbols = profit_by_symbol(universe, fills, *round_trips(fills), np.full(3, 40.0))
    food, tools = profit_by_sector(universe, symbols)
    assert (food.sector, tools.sector) == ("Food", "Tools")
    assert food.net == symbols[1].net
    assert tools.net == pytest.approx(symbols[0].net + symbols[2].net)
    assert tools.n_trades == symbols[0].n_trades + symbols[2].n_trades
