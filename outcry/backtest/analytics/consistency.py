"""Whether a run earned all along or in a few lucky stretches."""

import math
from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.bootstrap import MIN_RETURNS
from outcry.backtest.analytics.return_metrics import sharpe_ratio, stability
from outcry.backtest.analytics.session_returns import (
    month_rows,
    quarter_rows,
    returns_between,
    session_returns,
    session_rows,
    sessions_per_year,
)
from outcry.market.frame import FloatArray, IntArray

MIN_PERIODS = 2


@dataclass(frozen=True, slots=True)
class PeriodConsistency:
    """A run by calendar month or quarter in UTC, the first and the last one as far as they were traded.

    Attributes
    ----------
    n_periods : int
    winning_frac : float
        Share of the periods with a gain.
    n_sharpes : int
        Periods with a Sharpe ratio: `MIN_RETURNS` sessions or more, and returns that vary.
    sharpe_deviation : float or None
        Sample deviation of the annualised Sharpe ratios of these periods; None for fewer than `MIN_PERIODS`.
    chance_sharpe_deviation : float or None
        What it is expected to be where skill is the same in every period.
    """

    n_periods: int
    winning_frac: float
    n_sharpes: int
    sharpe_deviation: float | None
    chance_sharpe_deviation: float | None


@dataclass(frozen=True, slots=True)
class Consistency:
    """How evenly a run earned.

    Attributes
    ----------
    months, quarters : PeriodConsistency
    stability : float or None
        R² of the cumulative log returns of sessions on time, in [0, 1]; 1 is a straight line, up or down. None for
        fewer than `MIN_RETURNS` sessions, a ruined account or one that never moves.
    """

    months: PeriodConsistency
    quarters: PeriodConsistency
    stability: float | None


def consistency(
    ts_close_ns: IntArray,
    equity: FloatArray,
    initial_cash: float,
    bars_per_year: float,
    risk_free_per_year: float = 0.0,
) -> Consistency:
    """Measure an equity curve month by month, quarter by quarter and as a line.

    Parameters
    ----------
    ts_close_ns : int64 (n,)
    equity : float64 (n,)
        Currency, after every cost.
    initial_cash : float
        Equity before row 0.
    bars_per_year : float
    risk_free_per_year : float
        Simple annual rate, spread evenly over the sessions.

    References
    ----------
    The deviation by chance: Lo, The Statistics of Sharpe Ratios, 2002, for independent returns, with the ratio of the
    whole span in every period: ``√(mean of (1 + SR² / 2) / n_sessions)`` of one session, annualised. Stability is the
    `stability_of_timeseries` of empyrical.
    """
    returns = session_returns(ts_close_ns, equity, initial_cash)
    per_year = sessions_per_year(ts_close_ns, bars_per_year)
    ends_of_sessions = session_rows(ts_close_ns)
    by_period = []
    for rows in (month_rows(ts_close_ns), quarter_rows(ts_close_ns)):
        starts = np.searchsorted(ends_of_sessions, rows[:-1], side="right")
        parts = np.split(returns, starts)
        gains = returns_between(rows, equity, initial_cash)
        by_period.append(_period_consistency(gains, parts, per_year, risk_free_per_year))
    has_line = len(returns) >= MIN_RETURNS
    return Consistency(by_period[0], by_period[1], stability(returns) if has_line else None)


def _period_consistency(
    gains: FloatArray, parts: list[FloatArray], per_year: float, risk_free_per_year: float
) -> PeriodConsistency:
    ratios, lengths = [], []
    for part in parts:
        ratio = sharpe_ratio(part, per_year, risk_free_per_year)
        if ratio is not None and len(part) >= MIN_RETURNS:
            ratios.append(ratio)
            lengths.append(len(part))
    is_enough = len(ratios) >= MIN_PERIODS
    whole = sharpe_ratio(np.concatenate(parts), 1.0, risk_free_per_year / per_year)
    variance = (1.0 + (whole or 0.0) ** 2 / 2.0) * float(np.mean(1.0 / np.array(lengths))) if is_enough else 0.0
    return PeriodConsistency(
        n_periods=len(gains),
        winning_frac=float((gains > 0).mean()),
        n_sharpes=len(ratios),
        sharpe_deviation=float(np.std(ratios, ddof=1)) if is_enough else None,
        chance_sharpe_deviation=math.sqrt(variance * per_year) if is_enough else None,
    )
