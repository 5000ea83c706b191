"""What the same cash would have made without a decision, and how a run relates to it."""

import math
from dataclasses import dataclass

import numpy as np

from outcry.backtest.history import AssumedCosts
from outcry.market.frame import FloatArray

MIN_SESSIONS = 20
MIN_DEVIATION = 1e-12  # what varies by less differs by rounding


@dataclass(frozen=True, slots=True)
class Regression:
    """Session returns of a run explained by those of a benchmark.

    Attributes
    ----------
    beta, r_squared : float or None
    alpha_per_year : float or None
        Jensen's, in fractions a year. These three are None for a benchmark that does not vary, as cash.
    treynor : float or None
        Mean return a year over beta; None without a beta, or for one of 0.
    active_per_year, tracking_error_per_year : float
        Mean and deviation of the difference of both returns.
    information_ratio : float or None
        The first over the second; None where both returns are the same.
    """

    beta: float | None
    alpha_per_year: float | None
    r_squared: float | None
    treynor: float | None
    active_per_year: float
    tracking_error_per_year: float
    information_ratio: float | None


def buy_and_hold(closes: FloatArray, initial_cash: float, costs: AssumedCosts) -> FloatArray:
    """Return the equity of buying every symbol for an equal share of the cash and holding it, float64 (n,).

    Parameters
    ----------
    closes : float64 (n, n_symbols)
        NaN where a symbol has no bar; the last close stands in, and before the first one its share stays cash.
    initial_cash : float
        Currency.

    Notes
    -----
    Buys at the first close of each symbol, fractions of shares, with the costs of entry. Nothing is sold at the end, as
    the open positions of the run are not either.
    """
    n_frames, n_symbols = closes.shape
    share_of_cash = initial_cash / n_symbols
    worth = np.full((n_frames, n_symbols), share_of_cash)
    marks = carry_forward(closes)
    for column in range(n_symbols):
        known = np.flatnonzero(np.isfinite(closes[:, column]))
        if not known.size:
            continue
        entry = float(closes[known[0], column])
        shares = _affordable_shares(share_of_cash, entry, costs)
        worth[known[0] :, column] = shares * marks[known[0] :, column]
    return np.asarray(worth.sum(axis=1))


def carry_forward(closes: FloatArray) -> FloatArray:
    """Return closes, float64 (n, n_symbols), the last known one where there is none; NaN before the first."""
    rows = np.where(np.isfinite(closes), np.arange(len(closes))[:, np.newaxis], 0)
    return np.take_along_axis(closes, np.maximum.accumulate(rows, axis=0), axis=0)


def regress(
    returns: FloatArray, benchmark_returns: FloatArray, per_year: float, risk_free_per_year: float = 0.0
) -> Regression | None:
    """Return ordinary least squares of one on the other; None below `MIN_SESSIONS`, or for a run that does not vary.

    Parameters
    ----------
    returns, benchmark_returns : float64 (n,)
        Simple returns of the same periods, `per_year` of them in a year.
    per_year : float
    risk_free_per_year : float
        Simple annual rate, taken from both returns.

    References
    ----------
    Jensen, The Performance of Mutual Funds, 1968, equation 8. Treynor, How to Rate Management of Investment Funds,
    1965. Grinold and Kahn, Active Portfolio Management, 1999, chapter 5: the information ratio.
    """
    if len(returns) < MIN_SESSIONS or returns.std() < MIN_DEVIATION:
        return None
    risk_free = risk_free_per_year / per_year
    excess = float(returns.mean()) - risk_free
    active = returns - benchmark_returns
    tracking_error = float(active.std(ddof=1))
    is_same = tracking_error < MIN_DEVIATION
    beta = alpha = r_squared = None
    if benchmark_returns.std() >= MIN_DEVIATION:
        covariance = np.cov(returns, benchmark_returns, ddof=1)
        beta = float(covariance[0, 1] / covariance[1, 1])
        alpha = (excess - beta * (float(benchmark_returns.mean()) - risk_free)) * per_year
        r_squared = float(covariance[0, 1] ** 2 / (covariance[0, 0] * covariance[1, 1]))
    return Regression(
        beta=beta,
        alpha_per_year=alpha,
        r_squared=r_squared,
        treynor=None if beta is None or abs(beta) < MIN_DEVIATION else excess * per_year / beta,
        active_per_year=float(active.mean()) * per_year,
        tracking_error_per_year=tracking_error * math.sqrt(per_year),
        information_ratio=None if is_same else float(active.mean()) / tracking_error * math.sqrt(per_year),
    )


def _affordable_shares(cash: float, close: float, costs: AssumedCosts) -> float:
    price = close * (1.0 + costs.slippage_bps / 10_000.0)
    linear_per_share = costs.commission_per_share + price * costs.commission_bps / 10_000.0
    shares = cash / (price + linear_per_share)
    if shares * linear_per_share < costs.min_commission:
        shares = max(cash - costs.min_commission, 0.0) / price
    return shares
