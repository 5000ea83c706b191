"""How much of what a run earned is what common factors earned."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from outcry.backtest.analytics.factor_returns import FACTORS, MIN_SYMBOLS, factor_returns
from outcry.backtest.history import RunHistory
from outcry.market.frame import FloatArray

MIN_SESSIONS = 60
KNOWN_FRAC = 0.5
"""Of the sessions of a run, those in which a factor must be known: a factor of a short tail would cut off the rest."""
MIN_DEVIATION = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient of a regression, with the t-statistic and the p-value of its being 0."""

    value: float
    t_statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class FactorLoading:
    """How a run moved with one factor.

    Attributes
    ----------
    factor : str
        Of `FACTORS`.
    beta : Estimate
    mean_per_year : float
        What the factor itself returned, a fraction a year.
    contribution_per_year : float
        Beta times it: what the run owes to the factor.
    """

    factor: str
    beta: Estimate
    mean_per_year: float
    contribution_per_year: float


@dataclass(frozen=True, slots=True)
class FactorAttribution:
    """Session returns of a run above the risk-free rate, explained by factors made of its own universe.

    Attributes
    ----------
    n_sessions, n_lags : int
        Of the regression; 0 where there is none.
    loadings : tuple of FactorLoading
        Their contributions and `alpha_per_year` sum to `excess_per_year`. Empty where there is no regression.
    alpha_per_year : Estimate or None
        What no factor explains, a fraction a year.
    r_squared : float or None
        Share of the variance that is explained.
    excess_per_year : float or None
        Mean return above the risk-free rate, a year.
    left_out : tuple of str
        Why a factor, or the whole regression, is not there: a sentence each.
    """

    n_sessions: int
    n_lags: int
    loadings: tuple[FactorLoading, ...]
    alpha_per_year: Estimate | None
    r_squared: float | None
    excess_per_year: float | None
    left_out: tuple[str, ...]


def factor_attribution(history: RunHistory, returns: FloatArray, sessions_per_year: float) -> FactorAttribution:
    """Regress a run on the factors that its own bars make.

    Parameters
    ----------
    history : RunHistory
    returns : float64 (n_sessions,)
        Of the run, by session.
    sessions_per_year : float
    """
    n_symbols, risk_free = len(history.universe), history.risk_free_per_year / sessions_per_year
    if n_symbols < MIN_SYMBOLS:
        return _absent(f"Factors need a universe of at least {MIN_SYMBOLS} symbols to rank, this one has {n_symbols}.")
    if float(returns.std()) < MIN_DEVIATION:
        return _absent("The returns of the run do not vary: there is nothing to explain.")
    factors = factor_returns(history, risk_free)
    n_known = np.isfinite(factors).sum(axis=0)
    chosen = np.flatnonzero(n_known >= max(KNOWN_FRAC * len(returns), 1))
    left_out = [
        f"{FACTORS[place].name} is known in {n_known[place]} of {len(returns)} sessions: it looks back "
        f"{FACTORS[place].lookback} and is ranked at the end of a month."
        for place in range(len(FACTORS))
        if place not in chosen
    ]
    rows = np.isfinite(factors[:, chosen]).all(axis=1)
    n = int(rows.sum())
    if n < MIN_SESSIONS or not len(chosen):
        return _absent(f"Factors need at least {MIN_SESSIONS} sessions in which they are known, there are {n}.")
    x, y = np.column_stack((np.ones(n), factors[np.ix_(rows, chosen)])), returns[rows] - risk_free
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return _absent("The factors of this universe cannot be told apart: some are sums of others.", *left_out)
    n_lags = newey_west_lags(n)
    beta, deviation = newey_west(x, y, n_lags)
    if not (deviation > 0).all():
        return _absent("The factors explain the run to the last digit: nothing is left to test them by.", *left_out)
    estimates = [_estimate(value, error, n - x.shape[1]) for value, error in zip(beta, deviation, strict=True)]
    mean = x.mean(axis=0) * sessions_per_year
    residual = y - x @ beta
    alpha = estimates[0]
    return FactorAttribution(
        n_sessions=n,
        n_lags=n_lags,
        loadings=tuple(
            FactorLoading(FACTORS[place].name, estimate, float(per_year), float(per_year) * estimate.value)
            for place, estimate, per_year in zip(chosen, estimates[1:], mean[1:], strict=True)
        ),
        alpha_per_year=Estimate(alpha.value * sessions_per_year, alpha.t_statistic, alpha.p_value),
        r_squared=1.0 - float(residual @ residual) / float(((y - y.mean()) ** 2).sum()),
        excess_per_year=float(y.mean()) * sessions_per_year,
        left_out=tuple(left_out),
    )


def newey_west_lags(n: int) -> int:
    """Return ``floor(4 (n / 100)^(2/9))``, the usual number of lags for n observations.

    References
    ----------
    Newey and West, Automatic Lag Selection in Covariance Matrix Estimation, 1994, for the Bartlett kernel.
    """
    return int(4.0 * (n / 100.0) ** (2.0 / 9.0))


def newey_west(x: FloatArray, y: FloatArray, n_lags: int) -> tuple[FloatArray, FloatArray]:
    """Return coefficients of least squares and their deviations, robust to what neighbours in time have in common.

    Parameters
    ----------
    x : float64 (n, n_columns)
        The constant is one of the columns.
    y : float64 (n,)
    n_lags : int

    References
    ----------
    Newey and West, A Simple, Positive Semi-Definite, Heteroskedasticity and Autocorrelation Consistent Covariance
    Matrix, 1987, equation 5; times ``n / (n - n_columns)`` for small samples.
    """
    n, n_columns = x.shape
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ (x.T @ y)
    scores = x * (y - x @ beta)[:, np.newaxis]
    meat = scores.T @ scores
    for lag in range(1, n_lags + 1):
        cross = scores[lag:].T @ scores[:-lag]
        meat += (1.0 - lag / (n_lags + 1.0)) * (cross + cross.T)
    covariance = bread @ meat @ bread * (n / (n - n_columns))
    return beta, np.sqrt(np.diag(covariance))


def _estimate(value: float, deviation: float, degrees: int) -> Estimate:
    ratio = float(value / deviation)
    return Estimate(float(value), ratio, float(2.0 * student.sf(abs(ratio), degrees)))


def _absent(*reasons: str) -> FactorAttribution:
    return FactorAttribution(0, 0, (), None, None, None, reasons)
