"""What a run made while its market rose or fell, calm or wild."""

from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.factor_returns import MONTH, QUARTER, mean_return, session_bars
from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.backtest.analytics.session_returns import session_rows
from outcry.backtest.history import RunHistory
from outcry.market.frame import FloatArray, IntArray

REGIMES = ("calm and rising", "wild and rising", "calm and falling", "wild and falling")
MIN_SESSIONS = 60


@dataclass(frozen=True, slots=True)
class RegimeReturn:
    """What a run made in the sessions of one regime.

    Attributes
    ----------
    regime : str
        Of `REGIMES`.
    n_sessions : int
    growth : float
        Sum of the log returns of the run in them.
    sharpe : float or None
        Of them alone, a year; None without variance.
    market_growth : float
        That of all symbols in equal parts.
    """

    regime: str
    n_sessions: int
    growth: float
    sharpe: float | None
    market_growth: float


def regime_returns(history: RunHistory, returns: FloatArray, sessions_per_year: float) -> tuple[RegimeReturn, ...]:
    """Return what a run made in each regime of its own universe; empty for fewer than `MIN_SESSIONS` with a regime.

    Parameters
    ----------
    history : RunHistory
    returns : float64 (n_sessions,)
        Of the run.
    sessions_per_year : float
    """
    market = mean_return(session_bars(history, session_rows(history.ts_close_ns)).returns)
    regime = market_regimes(market)
    if int((regime >= 0).sum()) < MIN_SESSIONS:
        return ()
    return tuple(
        RegimeReturn(
            regime=name,
            n_sessions=int((regime == place).sum()),
            growth=float(log_growth(returns[regime == place]).sum()),
            sharpe=sharpe_ratio(returns[regime == place], sessions_per_year, history.risk_free_per_year),
            market_growth=float(log_growth(np.nan_to_num(market[regime == place])).sum()),
        )
        for place, name in enumerate(REGIMES)
    )


def market_regimes(market: FloatArray) -> IntArray:
    """Return the place in `REGIMES` of every session, int64 (n_sessions,); -1 where it has none.

    Parameters
    ----------
    market : float64 (n_sessions,)
        Returns of the market; NaN where there is none.

    Notes
    -----
    A session belongs to the regime that the sessions before it make: rising where the last 63 of them gained, wild
    where the deviation of the last 21 is above its median. The median is that of the whole span: regimes are told in
    hindsight, and are no signal.
    """
    regime = np.full(len(market), -1, dtype=np.int64)
    known = np.nan_to_num(market)
    rows = np.arange(QUARTER + 1, len(market))  # the first session has no return
    if not len(rows):
        return regime
    growth = np.concatenate(([0.0], log_growth(known).cumsum()))
    is_falling = growth[rows] < growth[rows - QUARTER]
    deviation = np.lib.stride_tricks.sliding_window_view(known, MONTH).std(axis=1)[rows - MONTH]
    regime[rows] = 2 * is_falling + (deviation > np.median(deviation))
    return regime


def log_growth(returns: FloatArray) -> FloatArray:
    """Return ``log(1 + r)``, of a total loss a very large fall rather than infinity."""
    return np.asarray(np.log(np.maximum(1.0 + returns, 1e-12)))
