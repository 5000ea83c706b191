"""How well the order of what is said of symbols is the order of what they do next."""

import numpy as np

from outcry.market.frame import FloatArray


def information_coefficient(forecast: FloatArray, forward: FloatArray) -> float | None:
    """Return the mean over frames of the rank correlation of forecasts and returns across symbols, in [-1, 1].

    Parameters
    ----------
    forecast : float64 (n_frames, n_symbols)
        More is better; NaN where nothing is said.
    forward : float64 (n_frames, n_symbols)
        Return that follows, as of `outcry.labels.forward.forward_returns`; NaN where it is not known.

    Returns
    -------
    float or None
        None where no frame has two symbols with different forecasts and different returns.

    Notes
    -----
    Frames count alike. One in which all forecasts or all returns are equal has no correlation and is passed over: a
    strategy that mostly holds everything alike is judged by the frames in which it does not.

    References
    ----------
    Grinold and Kahn, Active Portfolio Management, 1999, chapter 6; Spearman, The Proof and Measurement of Association
    between Two Things, 1904 (ranks, equal values with their mean rank).
    """
    is_known = np.isfinite(forecast) & np.isfinite(forward)
    said, came = (_centred_ranks(values, is_known) for values in (forecast, forward))
    spread = np.sqrt((said**2).sum(axis=1) * (came**2).sum(axis=1))
    has_spread = spread > 0.0
    if not has_spread.any():
        return None
    return float(((said * came).sum(axis=1)[has_spread] / spread[has_spread]).mean())


def _centred_ranks(values: FloatArray, is_known: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> FloatArray:
    """Return ranks of the known values of each row less their mean, 0 for the others, (n_frames, n_symbols)."""
    from scipy.stats import rankdata  # noqa: PLC0415 - takes seconds to load, and few sweeps are judged by it

    ranks = rankdata(np.where(is_known, values, np.inf), axis=1)  # the unknown ones come last
    n_known = is_known.sum(axis=1, keepdims=True)
    return np.where(is_known, ranks - 0.5 * (n_known + 1), 0.0)
