"""What a price does from its row to the row a horizon later, as a return.

Every return of this package is simple, ``later / earlier - 1``, and none is a log return: it is what a position earns,
and it adds up over the symbols of a portfolio.
"""

import numpy as np

from outcry.labels.horizon import check_horizon
from outcry.market.frame import FloatArray


def forward_returns(close: FloatArray, horizon_bars: int) -> FloatArray:
    """Return ``close_tph / close_t - 1``.

    Parameters
    ----------
    close : float64 (n_frames, n_symbols)
        Prices; NaN where a symbol has no bar. A price that is not positive counts as none.
    horizon_bars : int
        In rows of `close`, whatever the size of a bar.

    Returns
    -------
    float64 (n_frames, n_symbols)
        A fraction of the price. NaN in the last `horizon_bars` rows, and where one of the two closes is missing; a
        missing close is never replaced by an earlier one.

    Raises
    ------
    ConfigurationError
        Where `horizon_bars` is not positive.
    """
    check_horizon(horizon_bars)
    returns = np.full(close.shape, np.nan)
    n_known = max(len(close) - horizon_bars, 0)
    earlier, later = close[:n_known], close[horizon_bars:]
    np.divide(later, earlier, out=returns[:n_known], where=(earlier > 0.0) & (later > 0.0))
    returns -= 1.0
    return returns


def bar_returns(close: FloatArray) -> FloatArray:
    """Return ``close_t / close_tm1 - 1``, the return from the row before; as `forward_returns` otherwise."""
    returns = np.full(close.shape, np.nan)
    returns[1:] = forward_returns(close, 1)[:-1]
    return returns


def risk_adjusted_returns(close: FloatArray, horizon_bars: int, volatility_frac: FloatArray) -> FloatArray:
    """Return the forward return in units of the volatility known at t, ``forward_t / volatility_t``.

    Parameters
    ----------
    close, horizon_bars
        As in `forward_returns`.
    volatility_frac : float64 (n_frames, n_symbols)
        Expected deviation of the forward return, from rows 0..t: `outcry.labels.direction.volatility_band` with a
        multiple of 1. NaN where it is not known.

    Returns
    -------
    float64 (n_frames, n_symbols)
        Deviations. NaN where the forward return or the volatility is NaN, and where the volatility is not positive.

    Raises
    ------
    ConfigurationError
        Where `horizon_bars` is not positive.
    """
    forward = forward_returns(close, horizon_bars)
    adjusted = np.full(close.shape, np.nan)
    np.divide(forward, volatility_frac, out=adjusted, where=volatility_frac > 0.0)
    return adjusted
