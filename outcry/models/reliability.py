"""Whether what was said to be likely came as often: the points of a reliability diagram."""

from typing import NamedTuple

import numpy as np

from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.evaluation import N_BINS


class ReliabilityPoint(NamedTuple):
    """Rows of one bin: the mean probability they were given, the fraction of them in which the class came, how many."""

    said: float
    came_frac: float
    n_rows: int


ReliabilityCurve = tuple[ReliabilityPoint, ...]


def reliability_curves(probability: FloatArray, labels: LabelArray) -> tuple[ReliabilityCurve, ...]:
    """Return a curve a class, in the order of `Direction`, over the bins of equal width that hold a row.

    Parameters
    ----------
    probability : float64 (n_rows, 3)
        None NaN.
    labels : int8 (n_rows,)

    References
    ----------
    Guo et al., "On calibration of modern neural networks", ICML 2017, section 2 (reliability diagrams).
    """
    return tuple(_curve(probability[:, direction], labels == direction) for direction in Direction)


def _curve(said: FloatArray, came: np.ndarray) -> ReliabilityCurve:
    bins = np.minimum((said * N_BINS).astype(np.int64), N_BINS - 1)
    counts = np.bincount(bins, minlength=N_BINS)
    sums = (np.bincount(bins, weights=weights, minlength=N_BINS) for weights in (said, came))
    of_bins = zip(*sums, counts, strict=True)
    return tuple(
        ReliabilityPoint(float(total / count), float(hits / count), int(count))
        for total, hits, count in of_bins
        if count
    )
