"""What the trades of a run earned, by trade and by symbol, and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.round_trips import OpenLot, Trade
from outcry.market.frame import FloatArray
from outcry.market.universe import Universe
from outcry.messages import Fill

HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class TradeMetrics:
    """Figures of closed trades, after commission and slippage; None where there is nothing to divide by.

    Attributes
    ----------
    win_rate_frac, expectancy : float or None
        Share of trades with a profit; mean profit of a trade in currency.
    average_win, average_loss : float or None
        Currency; a loss is negative.
    profit_factor : float or None
        Sum of profits over sum of losses; None without a loss.
    """

    n_trades: int
    win_rate_frac: float | None
    average_win: float | None
    average_loss: float | None
    profit_factor: float | None
    expectancy: float | None
    average_holding_hours: float | None
    longest_losing_streak: int


@dataclass(frozen=True, slots=True)
class SymbolProfit:
    """What one symbol earned, in currency: ``net = realized + unrealized``, both after commission and slippage.

    `commission` and `slippage` say how much of it went to costs, positive; `n_trades` counts closed trades.
    """

    symbol: str
    realized: float
    unrealized: float
    commission: float
    slippage: float
    traded_value: float
    n_trades: int

    @property
    def net(self) -> float:
        return self.realized + self.unrealized


def trade_metrics(trades: Sequence[Trade]) -> TradeMetrics:
    """Measure closed trades, given in the order of their exits."""
    pnl = np.array([trade.pnl for trade in trades])
    wins, losses = pnl[pnl > 0], pnl[pnl < 0]
    return TradeMetrics(
        n_trades=len(trades),
        win_rate_frac=len(wins) / len(pnl) if len(pnl) else None,
        average_win=_mean(wins),
        average_loss=_mean(losses),
        profit_factor=float(wins.sum() / -losses.sum()) if len(losses) else None,
        expectancy=_mean(pnl),
        average_holding_hours=_mean(np.array([trade.holding_ns / HOUR_NS for trade in trades])),
        longest_losing_streak=_longest_run(pnl < 0),
    )


def profit_by_symbol(
    universe: Universe,
    fills: Sequence[Fill],
    trades: Sequence[Trade],
    lots: Sequence[OpenLot],
    last_close: FloatArray,
) -> tuple[SymbolProfit, ...]:
    """Split the profit of a run by symbol, in the order of the universe.

    Parameters
    ----------
    trades, lots : sequence of Trade, sequence of OpenLot
        Of `round_trips`.
    last_close : float64 (n_symbols,)
        At which open lots are marked; NaN marks a lot at its entry.

    Notes
    -----
    The sum of `net` is the change of equity since the start, as prices of fills include slippage.
    """
    realized = dict.fromkeys(universe.symbols, 0.0)
    unrealized, commission, slippage, traded = (dict(realized) for _ in range(4))
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
    return tuple(
        SymbolProfit(s, realized[s], unrealized[s], commission[s], slippage[s], traded[s], n_trades[s])
        for s in universe.symbols
    )


def _mean(values: FloatArray) -> float | None:
    return float(values.mean()) if len(values) else None


def _longest_run(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
    edges = np.concatenate(([-1], np.flatnonzero(~flags), [len(flags)]))
    return int(np.diff(edges).max()) - 1
