"""How well scores and what symbols do next go together, frame by frame."""

import numpy as np

from outcry.market.frame import BoolArray, FloatArray


def rank_information_coefficients(scores: FloatArray, forward: FloatArray) -> FloatArray:
    """Return the rank correlation of scores and returns across the symbols of each frame, in [-1, 1].

    Parameters
    ----------
    scores : float64 (n_frames, n_symbols)
        More is better; NaN where not known.
    forward : float64 (n_frames, n_symbols)
        Return that follows, as of `outcry.labels.forward.forward_returns`; NaN where it is not known. The coefficient
        of row t over h bars is known at row t + h, and not before.

    Returns
    -------
    float64 (n_frames,)
        NaN where a frame does not have two symbols with different scores and different returns.

    References
    ----------
    Grinold and Kahn, Active Portfolio Management, 1999, chapter 6; Spearman, The Proof and Measurement of Association
    between Two Things, 1904 (ranks, equal values with their mean rank).
    """
    is_known = np.isfinite(scores) & np.isfinite(forward)
    return _correlations(*(_centred_ranks(values, is_known) for values in (scores, forward)))


def information_coefficients(scores: FloatArray, forward: FloatArray) -> FloatArray:
    """Return the correlation of Pearson, otherwise as `rank_information_coefficients`."""
    is_known = np.isfinite(scores) & np.isfinite(forward)
    return _correlations(*(_centred(values, is_known) for values in (scores, forward)))


def _correlations(said: FloatArray, came: FloatArray) -> FloatArray:
    spread = np.sqrt((said**2).sum(axis=1) * (came**2).sum(axis=1))
    found: FloatArray = np.divide((said * came).sum(axis=1), spread, out=np.full(len(said), np.nan), where=spread > 0.0)
    return found


def _centred(values: FloatArray, is_known: BoolArray) -> FloatArray:
    """Return known values less their mean in each row, 0 for the others and where all are equal."""
    kept = np.where(is_known, values, 0.0)
    mean = kept.sum(axis=1, keepdims=True) / np.maximum(is_known.sum(axis=1, keepdims=True), 1)
    low = np.min(values, axis=1, keepdims=True, where=is_known, initial=np.inf)
    high = np.max(values, axis=1, keepdims=True, where=is_known, initial=-np.inf)
    return np.where(is_known & (low < high), kept - mean, 0.0)


def _centred_ranks(values: FloatArray, is_known: BoolArray) -> FloatArray:
    """Return ranks of the known values of each row less their mean, 0 for the others, (n_frames, n_symbols)."""
    from scipy.stats import rankdata  # noqa: PLC0415 - takes seconds to load, and few commands ask for it

    ranks = rankdata(np.where(is_known, values, np.inf), axis=1)  # the unknown ones come last
    n_known = is_known.sum(axis=1, keepdims=True)
    return np.where(is_known, ranks - 0.5 * (n_known + 1), 0.0)
