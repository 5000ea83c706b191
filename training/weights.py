"""How much each member of a soft vote counts."""

import numpy as np

from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray


def fit_weights(
    probabilities: FloatArray, labels: LabelArray, *, n_steps: int = 200, row_weights: FloatArray | None = None
) -> FloatArray:
    """Return the weights whose mixture has the least log loss.

    Expectation maximisation for the proportions of a mixture with fixed components: with ``q_ki`` what member k gave
    the class that came in row i, ``w_k <- mean_i (w_k q_ki / sum_j w_j q_ji)``. The log loss is convex in the weights
    and falls at each step, so from equal weights this finds the optimum.

    Parameters
    ----------
    probabilities : float64 (n_members, n_rows, 3)
        Out of fold: no member has seen a row it is weighed on. Positive.
    labels : int8 (n_rows,)
        Values of `Direction`.
    n_steps : int
    row_weights : float64 (n_rows,), optional
        How much each row counts, not negative; the same without.

    Returns
    -------
    float64 (n_members,)
        Not negative, summing to 1; equal where there are no rows, or none counts.

    References
    ----------
    Dempster, Laird & Rubin, "Maximum likelihood from incomplete data via the EM algorithm", 1977, section 4.3.
    """
    n_members = len(probabilities)
    weights_frac: FloatArray = np.full(n_members, 1.0 / n_members)
    counts = np.ones(len(labels)) if row_weights is None else row_weights
    total = counts.sum()
    if not total:
        return weights_frac
    of_label = probabilities[:, np.arange(len(labels)), labels]
    for _ in range(n_steps):
        weights_frac = weights_frac * (of_label @ (counts / (weights_frac @ of_label))) / total
    return weights_frac
