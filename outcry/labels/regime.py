"""What kind of market the horizon will have been: a bull or a bear trend, or none."""

import numpy as np
from numba import njit

from outcry.errors import ConfigurationError
from outcry.labels.direction import LabelArray, direction_labels
from outcry.labels.horizon import UNDEFINED, check_horizon
from outcry.market.frame import FloatArray
from outcry.messages import Direction


def regime_labels(
    close: FloatArray, horizon_bars: int, band_frac: float | FloatArray, min_efficiency_frac: float
) -> LabelArray:
    """Label each bar by the regime of the next bars.

    A bull market (`Direction.UP`) ends more than the band higher and gets there at an efficiency of at least
    `min_efficiency_frac`; a bear market (`Direction.DOWN`) ends more than the band lower, likewise; all else is neutral
    (`Direction.NEUTRAL`): a small move, or a large one on a path that mostly reverts.

    Parameters
    ----------
    close : float64 (n_frames, n_symbols)
        Prices; NaN where a symbol has no bar.
    horizon_bars : int
        In rows of `close`.
    band_frac : float or float64 (n_frames, n_symbols)
        As in `direction_labels`.
    min_efficiency_frac : float
        In [0, 1]; see `forward_efficiency`.

    Returns
    -------
    int8 (n_frames, n_symbols)
        `UNDEFINED` (-1) where `direction_labels` or `forward_efficiency` has no value.

    Raises
    ------
    ConfigurationError
        Where `horizon_bars` is not positive, the band is negative or the efficiency is outside [0, 1].
    """
    if not 0.0 <= min_efficiency_frac <= 1.0:
        raise ConfigurationError(f"min_efficiency_frac must be in [0, 1], was {min_efficiency_frac}")
    labels = direction_labels(close, horizon_bars, band_frac)
    efficiency_frac = forward_efficiency(close, horizon_bars)
    is_direction = (labels == Direction.UP) | (labels == Direction.DOWN)
    labels[is_direction & (efficiency_frac < min_efficiency_frac)] = Direction.NEUTRAL
    labels[np.isnan(efficiency_frac)] = UNDEFINED
    return labels


def forward_efficiency(close: FloatArray, horizon_bars: int) -> FloatArray:
    """Return how straight the path over the horizon is: the net move over the length of the path.

    ``|close_tph - close_t| / sum |close_j - close_i|`` over the moves from one known close i to the next known close j.

    Parameters
    ----------
    close : float64 (n_frames, n_symbols)
        Prices; NaN where a symbol has no bar.
    horizon_bars : int
        In rows of `close`.

    Returns
    -------
    float64 (n_frames, n_symbols)
        In [0, 1]; 0 where no close differs from the one before. NaN in the last `horizon_bars` rows, where one of the
        two closes is missing, and where less than half of the closes of the horizon are known.

    Raises
    ------
    ConfigurationError
        Where `horizon_bars` is not positive.

    References
    ----------
    Kaufman, "Smarter Trading", 1995: the efficiency ratio, there of the bars past.
    """
    check_horizon(horizon_bars)
    return _efficiency(close, horizon_bars)


@njit(cache=True)
def _efficiency(close: FloatArray, horizon_bars: int) -> FloatArray:
    n_frames, n_symbols = close.shape
    out = np.full((n_frames, n_symbols), np.nan)
    for t in range(n_frames - horizon_bars):
        for symbol in range(n_symbols):
            first, last = close[t, symbol], close[t + horizon_bars, symbol]
            if not (first > 0.0 and last > 0.0):
                continue
            n, length, before = 0, 0.0, first
            for j in range(t + 1, t + horizon_bars + 1):
                c = close[j, symbol]
                if c > 0.0:
                    n += 1
                    length += abs(c - before)
                    before = c
            if 2 * n >= horizon_bars:
                # rounding may leave the length of a straight path a last digit short of the net move
                out[t, symbol] = min(abs(last - first) / length, 1.0) if length > 0.0 else 0.0
    return out
