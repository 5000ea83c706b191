"""The figures of one of many runs: small enough to keep for each, and without an object an order."""

from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.drawdown_metrics import drawdown_metrics, drawdowns
from outcry.backtest.analytics.drawdown_ratios import drawdown_ratios
from outcry.backtest.analytics.return_metrics import return_metrics, sharpe_ratio
from outcry.backtest.analytics.session_returns import session_returns
from outcry.backtest.fast.closed_profits import closed_profits
from outcry.backtest.fast.result import FastRun
from outcry.backtest.fast.tape import MarketTape
from outcry.market.frame import FloatArray
from outcry.order_rows import F_COMMISSION, F_SLIPPAGE

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


def measure_run(
    run: FastRun, tape: MarketTape, initial_cash: float, bars_per_year: float, risk_free_per_year: float
) -> RunFigures:
    """Measure a run; the figures are those of `outcry.backtest.analytics.summary.analyse`.

    Parameters
    ----------
    run : FastRun
        Of at least one frame.
    tape : MarketTape
        What it traded.
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
    pnl = closed_profits(run, tape.split_factor)
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
