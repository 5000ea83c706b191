"""Whether the trend of the last bars goes on or turns."""

import numpy as np

from outcry.errors import ConfigurationError
from outcry.labels.direction import UNDEFINED, LabelArray
from outcry.labels.forward import forward_returns
from outcry.market.frame import FloatArray


def continuation_labels(
    close: FloatArray, horizon_bars: int, trend_window_bars: int, band_frac: float | FloatArray
) -> LabelArray:
    """Label each bar 1 where the move over the horizon has the sign of the trend, 0 where it has not.

    With ``p_t = close_t / close_(t - trend_window_bars) - 1``, a trend is up where ``p_t > band_t``, down where
    ``p_t < -band_t``, and none between.

    Parameters
    ----------
    close : float64 (n_frames, n_symbols)
        Prices; NaN where a symbol has no bar.
    horizon_bars, trend_window_bars : int
        In rows of `close`.
    band_frac : float or float64 (n_frames, n_symbols)
        Least move that is a trend, as a fraction of the price; not negative. NaN where it is not known.

    Returns
    -------
    int8 (n_frames, n_symbols)
        `UNDEFINED` (-1) where there is no trend, in the first `trend_window_bars` and the last `horizon_bars` rows, and
        where one of the three closes or the band is NaN.

    Raises
    ------
    ConfigurationError
        Where a number of bars is not positive or the band is negative.
    """
    product = _signs(close, horizon_bars, trend_window_bars, band_frac)
    return np.where(np.isnan(product), UNDEFINED, product > 0.0).astype(np.int8)


def reversal_labels(
    close: FloatArray, horizon_bars: int, trend_window_bars: int, band_frac: float | FloatArray
) -> LabelArray:
    """Label each bar 1 where the move over the horizon has the sign against the trend, 0 where it has not.

    As `continuation_labels` otherwise. A close that comes back to where it was neither continues nor reverses.
    """
    product = _signs(close, horizon_bars, trend_window_bars, band_frac)
    return np.where(np.isnan(product), UNDEFINED, product < 0.0).astype(np.int8)


def _signs(close: FloatArray, horizon_bars: int, trend_window_bars: int, band_frac: float | FloatArray) -> FloatArray:
    """Return the sign of the trend times that of the move to come; NaN where there is no label."""
    if trend_window_bars < 1:
        raise ConfigurationError(f"trend_window_bars must be positive, was {trend_window_bars}")
    if np.any(np.less(band_frac, 0.0)):
        raise ConfigurationError(f"band_frac must not be negative, was {np.nanmin(band_frac)}")
    trailing = np.full(close.shape, np.nan)
    trailing[trend_window_bars:] = forward_returns(close, trend_window_bars)[:-trend_window_bars]
    is_trend = np.abs(trailing) > band_frac
    return np.where(is_trend, np.sign(trailing), np.nan) * np.sign(forward_returns(close, horizon_bars))
