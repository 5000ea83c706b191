"""What the trades of a run earned, by trade and by symbol, and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.round_trips import OpenLot, Trade
from outcry.market.frame import BoolArray, FloatArray
from outcry.market.universe import Universe
from outcry.messages import Fill, LedgerEvent, LedgerEventKind

HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class TradeMetrics:
    """Figures of closed trades, after commission and slippage; None where there is nothing to divide by.

    Attributes
    ----------
    win_rate_frac, expectancy : float or None
        Share of trades with a profit; mean profit of a trade in currency.
    average_win, average_loss, largest_win, largest_loss : float or None
        Currency; a loss is negative.
    profit_factor : float or None
        Sum of profits over sum of losses; None without a loss.
    payoff_ratio : float or None
        Average win over the size of the average loss.
    average_return_frac : float or None
        Mean of profit over value at entry.
    average_holding_hours, average_winning_hours, average_losing_hours : float or None
        Of all trades, and of those that won or lost.
    winning_streaks, losing_streaks : tuple of int
        How many streaks of 1, 2, 3 … trades there were; a trade without profit or loss ends both kinds.
    """

    n_trades: int
    win_rate_frac: float | None
    average_win: float | None
    average_loss: float | None
    largest_win: float | None
    largest_loss: float | None
    profit_factor: float | None
    payoff_ratio: float | None
    expectancy: float | None
    average_return_frac: float | None
    average_holding_hours: float | None
    average_winning_hours: float | None
    average_losing_hours: float | None
    winning_streaks: tuple[int, ...]
    losing_streaks: tuple[int, ...]

    @property
    def longest_winning_streak(self) -> int:
        return len(self.winning_streaks)

    @property
    def longest_losing_streak(self) -> int:
        return len(self.losing_streaks)


@dataclass(frozen=True, slots=True)
class SymbolProfit:
    """What one symbol earned, in currency: ``net = realized + unrealized + dividends − borrow_fees``.

    The first two are after commission and slippage, which say how much of it went to costs, positive, as do the borrow
    fees; dividends are less those paid on short positions. `n_trades` counts closed trades.
    """

    symbol: str
    realized: float
    unrealized: float
    commission: float
    slippage: float
    traded_value: float
    n_trades: int
    dividends: float = 0.0
    borrow_fees: float = 0.0

    @property
    def net(self) -> float:
        return self.realized + self.unrealized + self.dividends - self.borrow_fees


@dataclass(frozen=True, slots=True)
class SectorProfit:
    """What the symbols of one sector earned together, in currency; see `SymbolProfit`."""

    sector: str
    net: float
    commission: float
    slippage: float
    traded_value: float
    n_trades: int


def profit_by_sector(universe: Universe, symbols: Sequence[SymbolProfit]) -> tuple[SectorProfit, ...]:
    """Sum the profits of `symbols`, given in the order of the universe, by sector in the order of their names."""
    index, names = universe.sector_index()
    parts = [[profit for profit, place in zip(symbols, index, strict=True) if place == k] for k in range(len(names))]
    return tuple(
        SectorProfit(
            sector=name,
            net=sum(each.net for each in part),
            commission=sum(each.commission for each in part),
            slippage=sum(each.slippage for each in part),
            traded_value=sum(each.traded_value for each in part),
            n_trades=sum(each.n_trades for each in part),
        )
        for name, part in zip(names, parts, strict=True)
    )


def trade_metrics(trades: Sequence[Trade]) -> TradeMetrics:
    """Measure closed trades, given in the order of their exits."""
    pnl = np.array([trade.pnl for trade in trades])
    wins, losses = pnl[pnl > 0], pnl[pnl < 0]
    hours = np.array([trade.holding_ns / HOUR_NS for trade in trades])
    return TradeMetrics(
        n_trades=len(trades),
        win_rate_frac=len(wins) / len(pnl) if len(pnl) else None,
        average_win=_mean(wins),
        average_loss=_mean(losses),
        largest_win=float(wins.max()) if len(wins) else None,
        largest_loss=float(losses.min()) if len(losses) else None,
        profit_factor=float(wins.sum() / -losses.sum()) if len(losses) else None,
        payoff_ratio=float(wins.mean() / -losses.mean()) if len(wins) and len(losses) else None,
        expectancy=_mean(pnl),
        average_return_frac=_mean(np.array([trade.return_frac for trade in trades])),
        average_holding_hours=_mean(hours),
        average_winning_hours=_mean(hours[pnl > 0]),
        average_losing_hours=_mean(hours[pnl < 0]),
        winning_streaks=_streaks(pnl > 0),
        losing_streaks=_streaks(pnl < 0),
    )


def profit_by_symbol(  # noqa: PLR0917 - what a run did, and what it is worth
    universe: Universe,
    fills: Sequence[Fill],
    trades: Sequence[Trade],
    lots: Sequence[OpenLot],
    last_close: FloatArray,
    events: Sequence[LedgerEvent] = (),
) -> tuple[SymbolProfit, ...]:
    """Split the profit of a run by symbol, in the order of the universe.

    Parameters
    ----------
    trades, lots : sequence of Trade, sequence of OpenLot
        Of `round_trips`.
    last_close : float64 (n_symbols,)
        At which open lots are marked; NaN marks a lot at its entry.
    events : sequence of LedgerEvent

    Notes
    -----
    The sum of `net` is the change of equity since the start but for interest, as prices of fills include slippage.
    """
    realized = dict.fromkeys(universe.symbols, 0.0)
    unrealized, commission, slippage, traded, dividends, borrow_fees = (dict(realized) for _ in range(6))
    n_trades = dict.fromkeys(universe.symbols, 0)
    for trade in trades:
        realized[trade.symbol] += trade.pnl
        n_trades[trade.symbol] += 1
    for lot in lots:
        mark = float(last_close[universe.index(lot.symbol)])
        unrealized[lot.symbol] += (0.0 if np.isnan(mark) else (mark - lot.price) * lot.quantity) - lot.commission
    for fill in fills:
        commission[fill.symbol] += float(fill.commission)
        slippage[fill.symbol] += float(fill.slippage)
        traded[fill.symbol] += float(fill.quantity * fill.price)
    for event in events:
        if event.kind is LedgerEventKind.DIVIDEND:
            dividends[event.symbol] += float(event.amount)
        elif event.kind is LedgerEventKind.BORROW_FEE:
            borrow_fees[event.symbol] -= float(event.amount)
    sums = (realized, unrealized, commission, slippage, traded, n_trades, dividends, borrow_fees)
    return tuple(SymbolProfit(symbol, *(each[symbol] for each in sums)) for symbol in universe.symbols)  # type: ignore[arg-type]  # n_trades is whole


def _mean(values: FloatArray) -> float | None:
    return float(values.mean()) if len(values) else None


def _streaks(flags: BoolArray) -> tuple[int, ...]:
    """Return how many runs of 1, 2, 3 … flags there are, up to the longest."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return tuple(np.bincount(edges[1::2] - edges[::2])[1:].tolist())
