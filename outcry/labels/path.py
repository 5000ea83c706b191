"""What the bar returns inside the horizon are like: how much they move, and how well they pay for it.

The returns are those from one row to the next, ``r_j = close_j / close_jm1 - 1`` for j = t + 1 .. t + h. A missing bar
gives no return to its row nor to the next one; a value needs the close of row t and at least half of the h returns.
Nothing is annualised: a value per bar times bars a year (its root for a deviation or a Sharpe ratio) is one per year.
"""

import math

import numpy as np
from numba import njit

from outcry.errors import ConfigurationError
from outcry.labels.forward import bar_returns
from outcry.labels.horizon import check_horizon
from outcry.market.frame import FloatArray


def forward_volatility(close: FloatArray, horizon_bars: int) -> FloatArray:
    """Return the realised volatility of the next bars, ``sqrt(mean(r_j ** 2))``.

    The mean of the returns is taken as zero: over so few bars its estimate adds more noise than it removes.

    Parameters
    ----------
    close : float64 (n_frames, n_symbols)
        Prices; NaN where a symbol has no bar.
    horizon_bars : int
        In rows of `close`.

    Returns
    -------
    float64 (n_frames, n_symbols)
        A fraction of the price, per square root of a bar, from close to close: the step over a night counts as one
        bar. NaN in the last `horizon_bars` rows, without a close at t, and with less than half of the returns.

    Raises
    ------
    ConfigurationError
        Where `horizon_bars` is not positive.

    References
    ----------
    Andersen & Bollerslev, "Answering the skeptics: yes, standard volatility models do provide accurate forecasts",
    1998: the sum of squared returns as the volatility that came.
    """
    check_horizon(horizon_bars)
    _, _, root_mean_square = _moments(close, bar_returns(close), horizon_bars)
    return root_mean_square


def forward_sharpe(close: FloatArray, horizon_bars: int) -> FloatArray:
    """Return the Sharpe ratio of holding over the horizon, ``mean(r_j) / std(r_j)``.

    Parameters and missing data are those of `forward_volatility`; the deviation is that of a sample, and the rate of
    cash is left out.

    Returns
    -------
    float64 (n_frames, n_symbols)
        Per square root of a bar. NaN where less than two returns are known and where all are equal.

    Raises
    ------
    ConfigurationError
        Where `horizon_bars` is less than 2.

    References
    ----------
    Sharpe, "The Sharpe ratio", Journal of Portfolio Management, 1994, equations 3-6.
    """
    check_horizon(horizon_bars, least=2)
    mean, deviation, _ = _moments(close, bar_returns(close), horizon_bars)
    ratio = np.full(close.shape, np.nan)
    np.divide(mean, deviation, out=ratio, where=deviation > 0.0)
    return ratio


def forward_kelly(close: FloatArray, horizon_bars: int, limit_frac: float) -> FloatArray:
    """Return the position that would have grown fastest, ``mean(r_j) / var(r_j)``, clipped to ``[-limit, limit]``.

    Parameters and missing data are those of `forward_sharpe`.

    Parameters
    ----------
    limit_frac : float
        Largest position, as a fraction of equity; positive.

    Returns
    -------
    float64 (n_frames, n_symbols)
        Signed fraction of equity. NaN where less than two returns are known and where all are equal.

    Raises
    ------
    ConfigurationError
        Where `horizon_bars` is less than 2, or the limit is not positive.

    Notes
    -----
    With hindsight the mean of a few short bars is large against its variance: before clipping, the size is of the
    order of ``1 / (deviation * sqrt(horizon_bars))``. A limit far below that leaves only the sign.

    References
    ----------
    Thorp, "The Kelly criterion in blackjack, sports betting, and the stock market", 2006, section 7.1
    (continuous approximation), without the rate of cash.
    """
    check_horizon(horizon_bars, least=2)
    if not limit_frac > 0.0:
        raise ConfigurationError(f"limit_frac must be positive, was {limit_frac}")
    mean, deviation, _ = _moments(close, bar_returns(close), horizon_bars)
    variance = deviation * deviation
    size_frac = np.full(close.shape, np.nan)
    np.divide(mean, variance, out=size_frac, where=variance > 0.0)
    np.clip(size_frac, -limit_frac, limit_frac, out=size_frac)
    return size_frac


@njit(cache=True)
def _moments(close: FloatArray, returns: FloatArray, horizon_bars: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean, sample deviation and root mean square of the returns of t + 1 .. t + h."""
    n_frames, n_symbols = returns.shape
    means = np.full((n_frames, n_symbols), np.nan)
    deviations = np.full((n_frames, n_symbols), np.nan)
    roots = np.full((n_frames, n_symbols), np.nan)
    for t in range(n_frames - horizon_bars):
        for symbol in range(n_symbols):
            if not close[t, symbol] > 0.0:
                continue
            n, total, squares = 0, 0.0, 0.0
            for j in range(t + 1, t + horizon_bars + 1):
                r = returns[j, symbol]
                if not math.isnan(r):
                    n += 1
                    total += r
                    squares += r * r
            if n == 0 or 2 * n < horizon_bars:
                continue
            roots[t, symbol] = math.sqrt(squares / n)
            if n < 2:
                continue
            mean, spread = total / n, 0.0
            for j in range(t + 1, t + horizon_bars + 1):
                r = returns[j, symbol]
                if not math.isnan(r):
                    spread += (r - mean) * (r - mean)
            means[t, symbol] = mean
            deviations[t, symbol] = math.sqrt(spread / (n - 1))
    return means, deviations, roots
