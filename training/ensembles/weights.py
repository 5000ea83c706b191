"""What each member weighs, by what it said out of fold."""

from collections.abc import Callable

import numpy as np

from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.kernels.performance import LEAST_PROBABILITY
from training.ensembles.out_of_fold import OutOfFold
from training.weights import fit_weights


def weigh_by_log_loss(data: OutOfFold, row_weights: FloatArray | None = None) -> FloatArray:
    """Return float64 (n_members,): the mixture of least log loss; each row counts float64 (n_rows,) `row_weights`."""
    return fit_weights(_floored(data), data.labels, row_weights=row_weights)


def weigh_by_inverse_log_loss(data: OutOfFold) -> FloatArray:
    """Return float64 (n_members,) in proportion to one over the log loss of each member."""
    if not len(data):
        return weigh_equally(data)
    of_label = _floored(data)[:, np.arange(len(data)), data.labels]
    inverse = 1.0 / np.maximum(-np.log(of_label).mean(axis=1), LEAST_PROBABILITY)
    weights_frac: FloatArray = inverse / inverse.sum()
    return weights_frac


def weigh_by_sharpe(data: OutOfFold) -> FloatArray:
    """Return float64 (n_members,) in proportion to Sharpe ratios; none for those below zero, equal if all are.

    Of each member: mean over deviation, over frames, of the mean over symbols of ``(p_up - p_down) sign``, with sign 1,
    0, -1 for up, neutral, down.
    """
    _, frame = np.unique(data.frame, return_inverse=True)
    n_of_frame = np.bincount(frame)
    sign = 1.0 - data.labels
    edge = (data.probability[:, :, Direction.UP] - data.probability[:, :, Direction.DOWN]) * sign
    skill = np.array([np.bincount(frame, weights=member) / n_of_frame for member in edge])
    if skill.shape[1] < 2:
        return weigh_equally(data)
    deviation = skill.std(axis=1, ddof=1)
    sharpe = np.divide(skill.mean(axis=1), deviation, out=np.zeros(len(skill)), where=deviation > 0.0)
    positive = np.maximum(sharpe, 0.0)
    return positive / positive.sum() if positive.any() else weigh_equally(data)


def weigh_equally(data: OutOfFold) -> FloatArray:
    """Return float64 (n_members,), all the same."""
    return np.full(data.n_members, 1.0 / data.n_members)


def weigh_classes(data: OutOfFold) -> FloatArray:
    """Return float64 (n_members, 3): for each class, the mixture that tells it best from the others, by log loss."""
    weights = np.empty((data.n_members, len(Direction)))
    for direction in Direction:
        said = _floored(data)[:, :, direction]
        of_class = np.stack((np.maximum(1.0 - said, LEAST_PROBABILITY), said), axis=2)
        weights[:, direction] = fit_weights(of_class, (data.labels == direction).astype(np.int8))
    return weights


WEIGHTS: dict[str, Callable[[OutOfFold], FloatArray]] = {
    "log_loss": weigh_by_log_loss,
    "inverse_log_loss": weigh_by_inverse_log_loss,
    "sharpe": weigh_by_sharpe,
    "equal": weigh_equally,
}
"""By the name that the configuration gives them."""


def _floored(data: OutOfFold) -> FloatArray:
    return np.maximum(data.probability, LEAST_PROBABILITY)
