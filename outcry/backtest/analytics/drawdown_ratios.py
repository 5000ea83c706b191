"""What a year earned for each kind of drawdown it took."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from outcry.backtest.analytics.drawdown_metrics import Drawdown, DrawdownMetrics

STERLING_MARGIN_FRAC = 0.10


@dataclass(frozen=True, slots=True)
class DrawdownRatios:
    """Return a year over a measure of drawdown; None where the run is too short for a year, or never was under water.

    Attributes
    ----------
    calmar : float or None
        CAGR over the largest drawdown.
    sterling : float or None
        CAGR over the mean of the deepest drawdowns of `DrawdownMetrics` plus ten per cent.
    burke : float or None
        CAGR above the risk-free rate over the root of the sum of squared drawdowns.
    pain, martin : float or None
        CAGR above the risk-free rate over the mean and over the root mean square of the underwater curve.

    References
    ----------
    Young, Calmar Ratio: A Smoother Tool, Futures 1991. Kestner, Getting a Handle on True Performance, Futures 1996:
    Sterling. Burke, A Sharper Sharpe Ratio, Futures 1994. Martin and McCann, 1989: ulcer performance index. Zephyr
    Associates, 2006: pain ratio.
    """

    calmar: float | None
    sterling: float | None
    burke: float | None
    pain: float | None
    martin: float | None


def drawdown_ratios(
    annual_return_frac: float | None,
    metrics: DrawdownMetrics,
    found: Sequence[Drawdown],
    risk_free_per_year: float = 0.0,
) -> DrawdownRatios:
    """Relate a compounded annual return to drawdowns.

    Parameters
    ----------
    annual_return_frac : float or None
        CAGR; None leaves every ratio None.
    metrics : DrawdownMetrics
    found : sequence of Drawdown
        All of the same curve.
    risk_free_per_year : float
    """
    if annual_return_frac is None or not found:
        return DrawdownRatios(None, None, None, None, None)
    excess = annual_return_frac - risk_free_per_year
    largest = [each.depth_frac for each in metrics.deepest]
    return DrawdownRatios(
        calmar=annual_return_frac / metrics.max_frac,
        sterling=annual_return_frac / (sum(largest) / len(largest) + STERLING_MARGIN_FRAC),
        burke=excess / math.sqrt(sum(each.depth_frac**2 for each in found)),
        pain=excess / metrics.average_frac,
        martin=excess / metrics.ulcer_index_frac,
    )
