"""How far the members of an ensemble, or the samples of a network with dropout, are apart: row by row."""

import math
from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point
from outcry.market.frame import FloatArray

VARIANCE, ENTROPY, MUTUAL_INFORMATION, VOTE_ENTROPY, AGREEMENT = range(5)
"""Columns of `measures`; see `outcry.models.uncertainty.spread.Spread`."""
N_MEASURES = 5


@cache
def compile_measure() -> Callable[[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray], None]:
    """Compile `measure`, or load it from Numba's cache."""
    return compile_entry_point(
        measure, "void(Array(f8, 3, 'C', readonly=True), f8[::1], f8[::1], f8[:,::1], f8[:,::1], f8[:,::1])"
    )


def measure(
    probability: FloatArray,
    weights_frac: FloatArray,
    votes: FloatArray,
    mean: FloatArray,
    std: FloatArray,
    measures: FloatArray,
) -> None:
    """Write mean, standard deviation and `measures` of each row; all NaN where a member is.

    Parameters
    ----------
    probability : float64 (n_members, n_rows, n_classes)
    weights_frac : float64 (n_members,)
    votes : float64 (n_classes,)
        Scratch.
    mean, std : float64 (n_rows, n_classes)
        Receive the weighted mean of the members, and the root of the weighted mean square distance from it.
    measures : float64 (n_rows, N_MEASURES)
        Receives the rest.
    """
    n_members, n_rows, n_classes = probability.shape
    for row in range(n_rows):
        expected_entropy, variance, entropy, vote_entropy, agreement = 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(n_classes):
            votes[k] = 0.0
            total = 0.0
            for m in range(n_members):
                total += weights_frac[m] * probability[m, row, k]
            mean[row, k] = total
            square = 0.0
            for m in range(n_members):
                distance = probability[m, row, k] - total
                square += weights_frac[m] * distance * distance
            std[row, k] = math.sqrt(square)
            variance += square
            if not total <= 0.0:  # 0 ln 0 is 0; NaN stays
                entropy -= total * math.log(total)
        for m in range(n_members):
            best = 0
            for k in range(n_classes):
                p = probability[m, row, k]
                if p > 0.0:
                    expected_entropy -= weights_frac[m] * p * math.log(p)
                if p > probability[m, row, best]:
                    best = k
            votes[best] += weights_frac[m]
        for k in range(n_classes):
            if votes[k] > 0.0:
                vote_entropy -= votes[k] * math.log(votes[k])
            agreement = max(agreement, votes[k])
        measures[row, VARIANCE] = variance
        measures[row, ENTROPY] = entropy
        measures[row, MUTUAL_INFORMATION] = entropy - expected_entropy
        measures[row, VOTE_ENTROPY] = vote_entropy
        measures[row, AGREEMENT] = agreement
        is_known = variance == variance  # noqa: PLR0124 - NaN is not
        for column in range(N_MEASURES):
            if not is_known:
                measures[row, column] = math.nan
            elif measures[row, column] < 0.0:  # by rounding
                measures[row, column] = 0.0
