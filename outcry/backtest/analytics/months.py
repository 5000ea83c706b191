"""How evenly a run earned, month by month."""

from dataclasses import dataclass

from outcry.backtest.analytics.session_returns import month_rows, returns_between
from outcry.market.frame import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class MonthMetrics:
    """Figures of the returns of calendar months in UTC, the first and the last one as far as they were traded.

    `positive_frac` is the share of months with a gain.
    """

    n_months: int
    positive_frac: float
    best_frac: float
    worst_frac: float
    mean_frac: float


def month_metrics(ts_close_ns: IntArray, equity: FloatArray, initial_cash: float) -> MonthMetrics:
    """Measure an equity curve, float64 (n,), month by month."""
    returns = returns_between(month_rows(ts_close_ns), equity, initial_cash)
    return MonthMetrics(
        n_months=len(returns),
        positive_frac=float((returns > 0).mean()),
        best_frac=float(returns.max()),
        worst_frac=float(returns.min()),
        mean_frac=float(returns.mean()),
    )
