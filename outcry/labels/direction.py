"""Where the close goes within a horizon: in three classes, which the ensemble learns, or in two."""

import numpy as np
from numba import njit

from outcry.errors import ConfigurationError
from outcry.labels.forward import bar_returns, forward_returns
from outcry.labels.horizon import UNDEFINED, LabelArray
from outcry.market.frame import FloatArray
from outcry.messages import Direction

__all__ = ["UNDEFINED", "LabelArray", "direction_labels", "up_labels", "volatility_band"]


def direction_labels(close: FloatArray, horizon_bars: int, band_frac: float | FloatArray) -> LabelArray:
    """Label each bar by the return to the close `horizon_bars` later.

    With ``r_t = close_tph / close_t - 1``: `Direction.UP` where ``r_t > band``, `Direction.DOWN` where
    ``r_t < -band``, `Direction.NEUTRAL` between.

    Parameters
    ----------
    close : float64 (n_frames, n_symbols)
        Prices; NaN where a symbol has no bar.
    horizon_bars : int
        In rows of `close`, whatever the size of a bar.
    band_frac : float or float64 (n_frames, n_symbols)
        Half width of the neutral band, as a fraction of the price; not negative. NaN where it is not known.

    Returns
    -------
    int8 (n_frames, n_symbols)
        `UNDEFINED` (-1) in the last `horizon_bars` rows, and where a close or the band is NaN.

    Raises
    ------
    ConfigurationError
        Where `horizon_bars` is not positive or the band is negative.

    Notes
    -----
    The label of row t uses rows t and t + horizon_bars, and must never stand in the feature matrix of a row before
    t + horizon_bars.
    """
    if np.any(np.less(band_frac, 0.0)):
        raise ConfigurationError(f"band_frac must not be negative, was {np.nanmin(band_frac)}")
    forward = forward_returns(close, horizon_bars)
    is_known = np.isfinite(forward) & np.isfinite(band_frac)
    labels = np.full(close.shape, UNDEFINED, dtype=np.int8)
    labels[is_known] = Direction.NEUTRAL
    labels[is_known & (forward > band_frac)] = Direction.UP
    labels[is_known & (forward < np.negative(band_frac))] = Direction.DOWN
    return labels


def up_labels(close: FloatArray, horizon_bars: int) -> LabelArray:
    """Label each bar 1 where the close `horizon_bars` later is higher, 0 where it is equal or lower.

    Parameters, missing data and errors are those of `direction_labels`.

    Returns
    -------
    int8 (n_frames, n_symbols)
        `UNDEFINED` (-1) in the last `horizon_bars` rows, and where a close is missing.
    """
    forward = forward_returns(close, horizon_bars)
    return np.where(np.isnan(forward), UNDEFINED, forward > 0.0).astype(np.int8)


def volatility_band(close: FloatArray, horizon_bars: int, multiple: float, window_bars: int) -> FloatArray:
    """Return a neutral band that widens with the trailing volatility of each symbol.

    ``band_t = multiple * s_t * sqrt(horizon_bars)``, where ``s_t`` is the sample standard deviation of the returns from
    one row to the next over the last `window_bars` rows; the root scales it to the horizon as for a random walk.

    Parameters
    ----------
    close : float64 (n_frames, n_symbols)
        Prices; NaN where a symbol has no bar.
    horizon_bars, window_bars : int
        In rows of `close`.
    multiple : float
        Not negative.

    Returns
    -------
    float64 (n_frames, n_symbols)
        A fraction of the price. NaN until `window_bars` + 1 rows have passed, and where fewer than half of the returns
        in the window are known (at least two).

    Notes
    -----
    Row t uses closes 0..t only.
    """
    if window_bars < 2:
        raise ConfigurationError(f"window_bars must be at least 2, was {window_bars}")
    if multiple < 0:
        raise ConfigurationError(f"multiple must not be negative, was {multiple}")
    band_frac: FloatArray = multiple * _trailing_std(bar_returns(close), window_bars) * np.sqrt(horizon_bars)
    return band_frac


@njit(cache=True)
def _trailing_std(returns: FloatArray, window_bars: int) -> FloatArray:
    n_frames, n_symbols = returns.shape
    out = np.full((n_frames, n_symbols), np.nan)
    for t in range(window_bars, n_frames):
        for symbol in range(n_symbols):
            n, total = 0, 0.0
            for j in range(t - window_bars + 1, t + 1):
                if not np.isnan(returns[j, symbol]):
                    n += 1
                    total += returns[j, symbol]
            if n < 2 or 2 * n < window_bars:
                continue
            mean, squares = total / n, 0.0
            for j in range(t - window_bars + 1, t + 1):
                if not np.isnan(returns[j, symbol]):
                    squares += (returns[j, symbol] - mean) ** 2
            out[t, symbol] = np.sqrt(squares / (n - 1))
    return out
