"""How far members, or samples, are apart."""

from dataclasses import dataclass

import numpy as np

from outcry.errors import PredictionError
from outcry.market.frame import FloatArray
from outcry.models.kernels.spread import (
    AGREEMENT,
    ENTROPY,
    MUTUAL_INFORMATION,
    N_MEASURES,
    VARIANCE,
    VOTE_ENTROPY,
    compile_measure,
)


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """What `measure_spread` found; a row is NaN throughout where one of its members is.

    Attributes
    ----------
    mean, std : float64 (n_rows, 3)
        The weighted mean p̄ of the members p_m, and ``sqrt(Σ w_m (p_m − p̄)²)`` of each class.
    variance : float64 (n_rows,)
        ``Σ_k std_k²``, in [0, 2/3].
    entropy : float64 (n_rows,)
        ``H(p̄)``, nats, in [0, ln 3]: all uncertainty there is.
    mutual_information : float64 (n_rows,)
        ``H(p̄) − Σ w_m H(p_m)``, nats, in [0, ln 3]: the part of it that is the members' disagreement. Of members it is
        the Jensen-Shannon divergence, of dropout samples the BALD score.
    vote_entropy : float64 (n_rows,)
        Nats: entropy of the weights of the members that name each class first.
    agreement_frac : float64 (n_rows,)
        The largest of those weights.
    """

    mean: FloatArray
    std: FloatArray
    variance: FloatArray
    entropy: FloatArray
    mutual_information: FloatArray
    vote_entropy: FloatArray
    agreement_frac: FloatArray


def measure_spread(probability: FloatArray, weights_frac: FloatArray | None = None) -> Spread:
    """Measure how far members are apart, or the samples of a network whose dropout stays on.

    Parameters
    ----------
    probability : float64 (n_members, n_rows, 3)
        At least one member; rows sum to 1.
    weights_frac : float64 (n_members,), optional
        Not negative, summing to 1; equal where absent, as for samples.

    Raises
    ------
    PredictionError
        Where shapes or weights break a rule.

    Notes
    -----
    A row gets the same bits whatever rows stand beside it. Of members that name two classes equally, the first in the
    order of `outcry.messages.Direction` counts.

    References
    ----------
    Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory 37 (1991), equation
    4.1 (Jensen-Shannon divergence of weighted distributions).
    Gal & Ghahramani, "Dropout as a Bayesian approximation", ICML 2016; Houlsby et al., "Bayesian active learning for
    classification and preference learning", 2011, equation 2 (BALD).
    Dagan & Engelson, "Committee-based sampling for training probabilistic classifiers", ICML 1995 (vote entropy).
    """
    if probability.ndim != 3 or not len(probability):
        raise PredictionError(f"probability must have shape (n_members, n_rows, 3), was {probability.shape}")
    n_members, n_rows, n_classes = probability.shape
    weights = np.full(n_members, 1.0 / n_members) if weights_frac is None else np.array(weights_frac, dtype=np.float64)
    if weights.shape != (n_members,) or not (weights >= 0.0).all() or abs(weights.sum() - 1.0) > 1e-9:
        raise PredictionError(f"weights_frac must be {n_members} numbers that sum to 1, was {weights.tolist()}")
    mean, std = np.empty((n_rows, n_classes)), np.empty((n_rows, n_classes))
    measures = np.empty((n_rows, N_MEASURES))
    rows = np.ascontiguousarray(probability, dtype=np.float64)
    compile_measure()(rows, weights, np.empty(n_classes), mean, std, measures)
    return Spread(
        mean,
        std,
        variance=measures[:, VARIANCE],
        entropy=measures[:, ENTROPY],
        mutual_information=measures[:, MUTUAL_INFORMATION],
        vote_entropy=measures[:, VOTE_ENTROPY],
        agreement_frac=measures[:, AGREEMENT],
    )
