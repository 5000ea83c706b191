"""Return, risk, and the ratios of the two, from the equity curve."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr
from scipy.stats import kurtosis, skew

from outcry.backtest.analytics.session_returns import session_returns, sessions_per_year
from outcry.market.frame import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class ReturnMetrics:
    """Figures of an equity curve; a figure that is not defined for it is None, never infinite.

    Attributes
    ----------
    total_return_frac, annual_return_frac : float
        The second compounded over ``n_frames / bars_per_year`` years (CAGR); None for a span below 20 sessions, where
        compounding would invent a year.
    volatility_per_year, sharpe, sortino : float or None
        Of session returns, times the square root of the sessions in a year.
    omega : float or None
        Sum of the gains of sessions over the sum of their losses.
    var_95_frac, cvar_95_frac, var_99_frac, cvar_99_frac : float or None
        Loss of one session that is exceeded in 5 % or 1 % of them, and the mean loss beyond it; positive is a loss.
    skewness, excess_kurtosis : float or None
        Of session returns, unbiased.
    tail_ratio : float or None
        Size of the 95th percentile of session returns over that of the 5th.
    stability : float or None
        R² of the log of the equity on time, session by session: 1 for a curve that grows evenly.
    positive_sessions_frac : float
        Share of sessions with a gain.
    t_statistic, p_value : float or None
        Two-sided test that the mean session return is 0.
    """

    n_sessions: int
    sessions_per_year: float
    total_return_frac: float
    annual_return_frac: float | None
    volatility_per_year: float | None
    sharpe: float | None
    sortino: float | None
    omega: float | None
    var_95_frac: float | None
    cvar_95_frac: float | None
    var_99_frac: float | None
    cvar_99_frac: float | None
    skewness: float | None
    excess_kurtosis: float | None
    tail_ratio: float | None
    stability: float | None
    positive_sessions_frac: float
    best_session_frac: float
    worst_session_frac: float
    t_statistic: float | None
    p_value: float | None


MIN_SESSIONS_TO_COMPOUND = 20
MIN_SESSIONS_FOR_TAIL = 20


def return_metrics(
    ts_close_ns: IntArray,
    equity: FloatArray,
    initial_cash: float,
    bars_per_year: float,
    risk_free_per_year: float = 0.0,
) -> ReturnMetrics:
    """Measure an equity curve.

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
    CAGR ``(E_n / E_0) ** (bars_per_year / n) - 1``. Sharpe, The Sharpe Ratio, 1994, eq. 3-5. Sortino and van der Meer,
    Downside Risk, 1991. VaR and CVaR: Rockafellar and Uryasev, 2000, on the empirical distribution.
    """
    returns = session_returns(ts_close_ns, equity, initial_cash)
    per_year = sessions_per_year(ts_close_ns, bars_per_year)
    n = len(returns)
    growth = max(float(equity[-1]) / initial_cash, 0.0)
    deviation = float(returns.std(ddof=1)) if n > 1 else 0.0
    t_statistic = float(returns.mean()) / deviation * math.sqrt(n) if _is_spread(returns) else None
    has_tail = n >= MIN_SESSIONS_FOR_TAIL
    tail_95, tail_99 = (tail_loss(returns, level) if has_tail else (None, None) for level in (0.95, 0.99))
    return ReturnMetrics(
        n_sessions=n,
        sessions_per_year=per_year,
        total_return_frac=float(equity[-1]) / initial_cash - 1.0,
        annual_return_frac=_compound(growth, bars_per_year / len(equity)) if n >= MIN_SESSIONS_TO_COMPOUND else None,
        volatility_per_year=deviation * math.sqrt(per_year) if n > 1 else None,
        sharpe=sharpe_ratio(returns, per_year, risk_free_per_year),
        sortino=sortino_ratio(returns, per_year, risk_free_per_year),
        omega=omega_ratio(returns),
        var_95_frac=tail_95[0],
        cvar_95_frac=tail_95[1],
        var_99_frac=tail_99[0],
        cvar_99_frac=tail_99[1],
        skewness=float(skew(returns, bias=False)) if has_tail and _is_spread(returns) else None,
        excess_kurtosis=float(kurtosis(returns, bias=False)) if has_tail and _is_spread(returns) else None,
        tail_ratio=tail_ratio(returns) if has_tail else None,
        stability=stability(returns) if has_tail else None,
        positive_sessions_frac=float((returns > 0).mean()),
        best_session_frac=float(returns.max()),
        worst_session_frac=float(returns.min()),
        t_statistic=t_statistic,
        p_value=None if t_statistic is None else float(2.0 * stdtr(n - 1, -abs(t_statistic))),
    )


def sharpe_ratio(returns: FloatArray, per_year: float, risk_free_per_year: float = 0.0) -> float | None:
    """Return ``mean(r - rf) / std(r - rf) * sqrt(per_year)``, sample deviation; None without variance."""
    if not _is_spread(returns):
        return None
    excess = returns - risk_free_per_year / per_year
    return float(excess.mean() / excess.std(ddof=1) * math.sqrt(per_year))


def sortino_ratio(returns: FloatArray, per_year: float, risk_free_per_year: float = 0.0) -> float | None:
    """Return ``mean(r - rf) / sqrt(mean(min(r - rf, 0) ** 2)) * sqrt(per_year)``; None without a loss."""
    excess = returns - risk_free_per_year / per_year
    downside = math.sqrt(float(np.mean(np.minimum(excess, 0.0) ** 2)))
    if len(returns) < 2 or downside < 1e-12:
        return None
    return float(excess.mean()) / downside * math.sqrt(per_year)


def omega_ratio(returns: FloatArray) -> float | None:
    """Return ``Σ max(r, 0) / Σ max(-r, 0)``; None without a loss.

    References
    ----------
    Keating and Shadwick, A Universal Performance Measure, 2002, at the threshold 0.
    """
    losses = -float(np.minimum(returns, 0.0).sum())
    return float(np.maximum(returns, 0.0).sum()) / losses if losses > 1e-12 else None


def tail_ratio(returns: FloatArray) -> float | None:
    """Return ``|q(0.95)| / |q(0.05)|`` of the returns; None where the lower quantile is 0."""
    low, high = np.abs(np.quantile(returns, (0.05, 0.95)))
    return float(high / low) if low > 1e-12 else None


def stability(returns: FloatArray) -> float | None:
    """Return the R² of ``Σ log(1 + r)`` on time; None for a ruined account or one that never moves."""
    if float(returns.min()) <= -1.0 or not _is_spread(returns):
        return None
    return float(np.corrcoef(np.arange(len(returns)), np.log1p(returns).cumsum())[0, 1] ** 2)


def tail_loss(returns: FloatArray, level_frac: float = 0.95) -> tuple[float, float]:
    """Return VaR and CVaR at a level, fractions; positive is a loss."""
    threshold = float(np.quantile(returns, 1.0 - level_frac))
    return -threshold, -float(returns[returns <= threshold].mean())


def _is_spread(returns: FloatArray) -> bool:
    """Return whether returns vary by more than rounding does."""
    return len(returns) > 1 and float(returns.std(ddof=1)) > 1e-12


def _compound(growth: float, power: float) -> float | None:
    try:
        return float(growth**power - 1.0)
    except OverflowError:
        return None
