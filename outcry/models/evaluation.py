"""How good class probabilities are."""

from dataclasses import dataclass

import numpy as np

from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray
from outcry.messages import Direction

N_BINS = 10
_LEAST_PROBABILITY = 1e-15


@dataclass(frozen=True, slots=True)
class Scores:
    """What `score` found.

    `log_loss` is the mean of ``-ln p_label``, in nats. `brier` is the mean squared error summed over the classes, in
    [0, 2]. `ece_frac` is the expected calibration error of the most likely class in ten bins of equal width: the mean
    distance between how likely it was said to be and how often it came. `accuracy` is how often it came.
    """

    n: int
    log_loss: float
    brier: float
    ece_frac: float
    accuracy: float


def score(probability: FloatArray, labels: LabelArray) -> Scores:
    """Compare class probabilities with what happened.

    Parameters
    ----------
    probability : float64 (n_rows, 3)
        Columns in the order of `Direction`; rows sum to 1; at least one row, none NaN.
    labels : int8 (n_rows,)
        Values of `Direction`.

    References
    ----------
    Brier, "Verification of forecasts expressed in terms of probability", 1950, equation 2.
    Guo et al., "On calibration of modern neural networks", ICML 2017, equation 3 (expected calibration error).
    """
    of_label = probability[np.arange(len(labels)), labels]
    outcome = np.eye(len(Direction))[labels]
    top = probability.max(axis=1)
    is_hit = probability.argmax(axis=1) == labels
    bins = np.minimum((top * N_BINS).astype(np.int64), N_BINS - 1)
    gap = np.bincount(bins, weights=is_hit - top, minlength=N_BINS)
    return Scores(
        n=len(labels),
        log_loss=float(-np.log(np.maximum(of_label, _LEAST_PROBABILITY)).mean()),
        brier=float(((probability - outcome) ** 2).sum(axis=1).mean()),
        ece_frac=float(np.abs(gap).sum() / len(labels)),
        accuracy=float(is_hit.mean()),
    )
