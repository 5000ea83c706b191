"""How well the order of what is said of symbols is the order of what they do next."""

import numpy as np

from outcry.alphas.information import rank_information_coefficients
from outcry.market.frame import FloatArray


def information_coefficient(forecast: FloatArray, forward: FloatArray) -> float | None:
    """Return the mean over frames of the rank correlation of forecasts and returns across symbols, in [-1, 1].

    Parameters
    ----------
    forecast, forward : float64 (n_frames, n_symbols)
        See `frame_correlations`.

    Returns
    -------
    float or None
        None where no frame has a correlation.

    Notes
    -----
    Frames count alike. One in which all forecasts or all returns are equal has no correlation and is passed over: a
    strategy that mostly holds everything alike is judged by the frames in which it does not.
    """
    found = rank_information_coefficients(forecast, forward)
    is_known = np.isfinite(found)
    return float(found[is_known].mean()) if is_known.any() else None
