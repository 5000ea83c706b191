"""Moves that are large against the average true range: the band that makes them a direction label, and the event."""

import math

import numpy as np
from numba import njit

from outcry.errors import ConfigurationError
from outcry.labels.direction import UNDEFINED, LabelArray
from outcry.market.frame import FloatArray
from outcry.messages import Direction


def atr_band(high: FloatArray, low: FloatArray, close: FloatArray, multiple: float, window_bars: int) -> FloatArray:
    """Return a band of so many average true ranges; `direction_labels` with it labels large moves, with their sign.

    ``band_t = multiple * mean(tr_j) / close_t`` over the last `window_bars` rows, with
    ``tr_j = max(high_j, close_jm1) - min(low_j, close_jm1)``. The plain mean, unlike Wilder's average, depends on its
    window alone. The band does not grow with the horizon.

    Parameters
    ----------
    high, low, close : float64 (n_frames, n_symbols)
        Prices; NaN where a symbol has no bar.
    multiple : float
        Average true ranges; not negative.
    window_bars : int
        In rows of `close`.

    Returns
    -------
    float64 (n_frames, n_symbols)
        A fraction of the price. NaN until `window_bars` + 1 rows have passed, without a close at t, and where fewer
        than half of the true ranges are known: one needs the bar of its row and the close of the row before. Zero
        where no price moved in the window: then any move is large.

    Raises
    ------
    ConfigurationError
        Where `window_bars` is not positive or `multiple` is negative.

    Notes
    -----
    Row t uses rows t - window_bars..t only.

    References
    ----------
    Wilder, "New Concepts in Technical Trading Systems", 1978: the true range.
    """
    if window_bars < 1:
        raise ConfigurationError(f"window_bars must be positive, was {window_bars}")
    if multiple < 0:
        raise ConfigurationError(f"multiple must not be negative, was {multiple}")
    true_range = np.full(close.shape, np.nan)
    true_range[1:] = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
    band_frac = np.full(close.shape, np.nan)
    np.divide(multiple * _trailing_mean(true_range, window_bars), close, out=band_frac, where=close > 0.0)
    return band_frac


def event_labels(large_moves: LabelArray) -> LabelArray:
    """Label each bar 1 where a large move of either sign follows, 0 where none does.

    The target of an event probability: a large move is the event, and there is no other definition of one here.

    Parameters
    ----------
    large_moves : int8 (n_frames, n_symbols)
        `direction_labels` with an `atr_band`.

    Returns
    -------
    int8 (n_frames, n_symbols)
        `UNDEFINED` (-1) where `large_moves` is.
    """
    return np.where(large_moves == UNDEFINED, UNDEFINED, large_moves != Direction.NEUTRAL).astype(np.int8)


@njit(cache=True)
def _trailing_mean(values: FloatArray, window_bars: int) -> FloatArray:
    n_frames, n_symbols = values.shape
    out = np.full((n_frames, n_symbols), np.nan)
    for t in range(window_bars, n_frames):
        for symbol in range(n_symbols):
            n, total = 0, 0.0
            for j in range(t - window_bars + 1, t + 1):
                if not math.isnan(values[j, symbol]):
                    n += 1
                    total += values[j, symbol]
            if n > 0 and 2 * n >= window_bars:
                out[t, symbol] = total / n
    return out
