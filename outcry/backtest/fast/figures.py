"""The figures of one of many runs: small enough to keep for each, and without an object an order."""

from collections import defaultdict, deque
from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.drawdown_metrics import drawdown_metrics, drawdowns
from outcry.backtest.analytics.drawdown_ratios import drawdown_ratios
from outcry.backtest.analytics.return_metrics import return_metrics, sharpe_ratio
from outcry.backtest.analytics.session_returns import session_returns
from outcry.backtest.fast.result import FastRun
from outcry.market.frame import FloatArray, IntArray
from outcry.market.grid import Grid
from outcry.order_rows import F_COMMISSION, F_LOTS, F_PRICE, F_SIDE, F_SLIPPAGE, F_SYMBOL

Metric = float | int | None


@dataclass(frozen=True, slots=True, eq=False)
class RunFigures:
    """What is kept of a run.

    Attributes
    ----------
    returns : float64 (n_sessions,)
        Simple, from session end to session end, above the risk-free rate.
    metrics : dict of str to number
        None where a figure is not defined. ``session_sharpe`` is of one session, the others of a year.
    """

    returns: FloatArray
    metrics: dict[str, Metric]


def measure_run(run: FastRun, initial_cash: float, bars_per_year: float, risk_free_per_year: float) -> RunFigures:
    """Measure a run; the figures are those of `outcry.backtest.analytics.summary.analyse`.

    Parameters
    ----------
    run : FastRun
        Of at least one frame.
    initial_cash : float
        Equity before the first frame.
    bars_per_year, risk_free_per_year : float
    """
    equity = run.equity
    returns = return_metrics(run.ts_close_ns, equity, initial_cash, bars_per_year, risk_free_per_year)
    found = drawdowns(equity, initial_cash)
    drawdown = drawdown_metrics(equity, initial_cash, found)
    ratios = drawdown_ratios(returns.annual_return_frac, drawdown, found, risk_free_per_year)
    by_session = session_returns(run.ts_close_ns, equity, initial_cash)
    excess = by_session - risk_free_per_year / returns.sessions_per_year
    grid = run.universe.grid
    pnl = closed_profits(run.fill_rows, grid)
    gains, losses = float(pnl[pnl > 0].sum()), -float(pnl[pnl < 0].sum())
    commission, slippage = (float(run.fill_rows[:, column].sum()) for column in (F_COMMISSION, F_SLIPPAGE))
    metrics: dict[str, Metric] = {
        "total_return": returns.total_return_frac,
        "annual_return": returns.annual_return_frac,
        "volatility_per_year": returns.volatility_per_year,
        "sharpe": returns.sharpe,
        "sortino": returns.sortino,
        "calmar": ratios.calmar,
        "session_sharpe": sharpe_ratio(excess, per_year=1.0),
        "max_drawdown": drawdown.max_frac,
        "final_equity": float(equity[-1]),
        "n_trades": len(pnl),
        "win_rate": float((pnl > 0).mean()) if len(pnl) else None,
        "profit_factor": gains / losses if losses > 0 else None,
        "n_orders": len(run.order_rows),
        "n_fills": len(run.fill_rows),
        "commission": commission / grid.money_scale,
        "slippage": slippage / grid.money_scale,
        "average_gross": float(np.divide(run.gross, equity, out=np.zeros_like(equity), where=equity > 0).mean()),
        "n_halted_frames": int(run.is_halted.sum()),
    }
    return RunFigures(excess, metrics)


def closed_profits(fill_rows: IntArray, grid: Grid) -> FloatArray:
    """Return the profit of every closed trade, float64 (n_trades,), account currency after commission.

    Fills are matched as by `outcry.backtest.analytics.round_trips`: first in, first out, in the order of the exits.
    """
    unit = grid.lot_shares / grid.price_scale
    lots_of: dict[int, deque[list[float]]] = defaultdict(deque)  # remaining lots, side, price units, commission a lot
    profits: list[float] = []
    for row in fill_rows.tolist():
        side, remaining = row[F_SIDE], row[F_LOTS]
        price, commission = row[F_PRICE], row[F_COMMISSION] / row[F_LOTS]
        held = lots_of[row[F_SYMBOL]]
        while remaining and held and held[0][1] != side:
            entry = held[0]
            matched = min(remaining, entry[0])
            gain = (price - entry[2]) * entry[1] * matched * unit
            profits.append(gain - matched * (entry[3] + commission) / grid.money_scale)
            remaining -= matched
            entry[0] -= matched
            if not entry[0]:
                held.popleft()
        if remaining:
            held.append([remaining, side, price, commission])
    return np.array(profits, dtype=np.float64)
