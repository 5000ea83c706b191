"""The Sharpe ratio of a moving window of sessions."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from outcry.errors import ConfigurationError
from outcry.market.frame import FloatArray

WINDOWS_SESSIONS = (126, 63, 21)  # half a year, a quarter, a month of trading
_FLAT = 1e-12


def rolling_window(n_sessions: int) -> int | None:
    """Return the longest of `WINDOWS_SESSIONS` that fits twice into a run, or None."""
    return next((window for window in WINDOWS_SESSIONS if 2 * window <= n_sessions), None)


def rolling_sharpe(
    returns: FloatArray, window_sessions: int, per_year: float, risk_free_per_year: float = 0.0
) -> FloatArray:
    """Return the annualised Sharpe ratio of the last `window_sessions` returns, float64 (n,).

    Row t uses returns ``t - window_sessions + 1`` to t; NaN before there are as many, and where they do not vary.

    Raises
    ------
    ConfigurationError
        For a window of fewer than two sessions.
    """
    if window_sessions < 2:
        raise ConfigurationError(f"window_sessions must be at least 2, was {window_sessions}")
    ratios = np.full(len(returns), np.nan)
    if len(returns) < window_sessions:
        return ratios
    windows = sliding_window_view(returns - risk_free_per_year / per_year, window_sessions)
    mean, deviation = windows.mean(axis=1), windows.std(axis=1, ddof=1)
    unknown = np.full(len(mean), np.nan)
    ratios[window_sessions - 1 :] = np.divide(mean, deviation, out=unknown, where=deviation > _FLAT)
    return np.asarray(ratios * math.sqrt(per_year))
