"""Least squares across the symbols of one frame: what of a score no group and no exposure explains."""

import math

from outcry.compiled import kernel
from outcry.market.frame import BoolArray, FloatArray, IntArray

EXPLAINED = 1e-18
"""Sums of squares below this part of those before are rounding: nothing is left."""


def residual_frames(
    scores: FloatArray,
    exposures: FloatArray,
    groups: IntArray,
    known: BoolArray,
    basis: FloatArray,
    means: FloatArray,
    counts: IntArray,
    out: FloatArray,
) -> None:
    """Write the residual of scores on the means of groups and on exposures.

    Parameters
    ----------
    scores : float64 (n_frames, n_symbols)
    exposures : float64 (n_frames, n_factors, n_symbols)
    groups : int64 (n_symbols,)
        From 0.
    known, basis, means, counts : bool (n_symbols,), float64 (n_factors, n_symbols), and two (n_groups,)
        Scratch.
    out : float64 (n_frames, n_symbols)
        NaN where the score or an exposure is not finite. 0 where nothing is left to explain.

    Notes
    -----
    The means of the groups are taken out of scores and exposures (Frisch and Waugh, 1933; Lovell, 1963), then each
    exposure is made orthogonal to those before it by the modified Gram-Schmidt process, twice over, and taken out of
    the score (Björck, Numerical Methods for Least Squares Problems, 1996, section 2.4). One that the others explain is
    passed over.
    """
    n_frames, n_factors, n_symbols = exposures.shape
    for t in range(n_frames):
        y = out[t]
        for i in range(n_symbols):
            is_known = math.isfinite(scores[t, i])
            for k in range(n_factors):
                is_known = is_known and math.isfinite(exposures[t, k, i])
            known[i] = is_known
            y[i] = scores[t, i] if is_known else 0.0
        whole = dot(y, y)
        centre_groups(y, groups, known, means, counts)
        rank = 0
        for k in range(n_factors):
            x = basis[rank]
            for i in range(n_symbols):
                x[i] = exposures[t, k, i] if known[i] else 0.0
            before = dot(x, x)
            centre_groups(x, groups, known, means, counts)
            for _ in range(2):
                for j in range(rank):
                    take_out(x, basis[j])
            left = dot(x, x)
            if left <= EXPLAINED * before:
                continue
            scale = math.sqrt(left)
            for i in range(n_symbols):
                x[i] /= scale
            rank += 1
        for _ in range(2):
            for j in range(rank):
                take_out(y, basis[j])
        is_explained = dot(y, y) <= EXPLAINED * whole
        for i in range(n_symbols):
            if not known[i]:
                y[i] = math.nan
            elif is_explained:
                y[i] = 0.0


@kernel
def centre_groups(x: FloatArray, groups: IntArray, known: BoolArray, means: FloatArray, counts: IntArray) -> None:
    """Take the mean of its group out of each known value."""
    for g in range(len(means)):
        means[g], counts[g] = 0.0, 0
    for i in range(len(x)):
        if known[i]:
            means[groups[i]] += x[i]
            counts[groups[i]] += 1
    for g in range(len(means)):
        if counts[g] > 0:
            means[g] /= counts[g]
    for i in range(len(x)):
        if known[i]:
            x[i] -= means[groups[i]]


@kernel
def take_out(x: FloatArray, direction: FloatArray) -> None:
    """Take out of x its part along a direction of length 1."""
    along = dot(x, direction)
    for i in range(len(x)):
        x[i] -= along * direction[i]


@kernel
def dot(x: FloatArray, y: FloatArray) -> float:
    total = 0.0
    for i in range(len(x)):
        total += x[i] * y[i]
    return total
