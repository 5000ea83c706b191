"""Fit the map from what the vote says to how often it comes true."""

import numpy as np
from sklearn.isotonic import IsotonicRegression

from outcry.labels.direction import LabelArray
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.calibration import Calibration

PRIOR_ROWS = 20.0
"""Rows at the frequency of the class that are added to each bin, so that no probability is 0 or 1."""


def fit_calibration(probability: FloatArray, labels: LabelArray, n_bins: int) -> Calibration:
    """Fit one monotone map a class: the frequency in bins of equal count, pooled where it would fall.

    Parameters
    ----------
    probability : float64 (n_rows, 3)
        Of the vote, out of fold, and not what early stopping looked at.
    labels : int8 (n_rows,)
        Values of `Direction`.
    n_bins : int
        A step function of all rows would follow their noise; a line through a few bins does not.

    Returns
    -------
    Calibration
        The identity where there are no rows.

    References
    ----------
    Zadrozny & Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD 2002.
    """
    if not len(labels):
        return identity_calibration()
    maps = [_fit_class(probability[:, k], labels == k, n_bins) for k in Direction]
    return Calibration(tuple(m.X_thresholds_ for m in maps), tuple(m.y_thresholds_ for m in maps))


def identity_calibration() -> Calibration:
    """Return the map that leaves probabilities as they are (a zero becomes 1e-6)."""
    raw, calibrated = np.array([0.0, 1e-6, 1.0]), np.array([1e-6, 1e-6, 1.0])
    return Calibration((raw,) * len(Direction), (calibrated,) * len(Direction))


def _fit_class(said: FloatArray, is_hit: np.ndarray, n_bins: int) -> IsotonicRegression:
    bins = np.array_split(np.argsort(said, kind="stable"), min(n_bins, len(said)))
    prior = (is_hit.sum() + 1.0) / (len(is_hit) + len(Direction))
    raw = [said[rows].mean() for rows in bins]
    frequency = [(is_hit[rows].sum() + PRIOR_ROWS * prior) / (len(rows) + PRIOR_ROWS) for rows in bins]
    weights = [len(rows) + PRIOR_ROWS for rows in bins]
    return IsotonicRegression(out_of_bounds="clip").fit(raw, frequency, sample_weight=weights)
