"""Scores without what the market, sectors, beta or another factor explains of them."""

from collections.abc import Sequence
from functools import cache
from math import prod

import numpy as np

from outcry.alphas.kernels.residual import residual_frames
from outcry.compiled import compile_entry_point
from outcry.errors import DataValidationError
from outcry.market.frame import FloatArray, IntArray

_residual = cache(
    lambda: compile_entry_point(
        residual_frames,
        "void(Array(f8, 2, 'C', readonly=True), Array(f8, 3, 'C', readonly=True), Array(i8, 1, 'C', readonly=True),"
        " b1[::1], f8[:,::1], f8[::1], i8[::1], f8[:,::1])",
    )
)


def neutralise(scores: FloatArray, exposures: Sequence[FloatArray] = (), sectors: IntArray | None = None) -> FloatArray:
    """Return the residual of scores in the least squares of each frame, across its symbols, on what they share.

    Parameters
    ----------
    scores : float64 (..., n_symbols)
    exposures : sequence of float64 (..., n_symbols)
        What the result must be uncorrelated with at every instant: a beta such as ``cross_beta_252_market``, the log of
        traded value, another alpha.
    sectors : int64 (n_symbols,), optional
        A code from 0 for each sector, as `outcry.market.universe.Universe.sector_index` gives: the result sums to 0 in
        each. Absent: over all symbols, which is neutral to the market where all are alike to it.

    Returns
    -------
    float64 (..., n_symbols)
        NaN where the score or an exposure is not finite; 0 where it is all explained, or there are no more symbols than
        things that explain. A frame has the same bits whatever other frames are given.

    Raises
    ------
    DataValidationError
        Where shapes differ or a sector is negative.

    References
    ----------
    Grinold and Kahn, Active Portfolio Management, 1999, chapter 14 (neutralisation).
    """
    n_symbols = scores.shape[-1]
    for place, exposure in enumerate(exposures):
        if exposure.shape != scores.shape:
            raise DataValidationError(f"exposure {place} must have shape {scores.shape}, was {exposure.shape}")
    groups = np.zeros(n_symbols, dtype=np.int64) if sectors is None else np.ascontiguousarray(sectors, dtype=np.int64)
    if groups.shape != (n_symbols,) or groups.min(initial=0) < 0:
        raise DataValidationError(f"sectors must be {n_symbols} codes from 0, was {groups.tolist()}")
    n_frames = prod(scores.shape[:-1])
    frames = np.ascontiguousarray(scores, dtype=np.float64).reshape(n_frames, n_symbols)
    factors = np.empty((n_frames, len(exposures), n_symbols))
    for place, exposure in enumerate(exposures):
        factors[:, place] = exposure.reshape(n_frames, n_symbols)
    n_groups, out = int(groups.max(initial=0)) + 1, np.empty(frames.shape)
    scratch = (
        np.empty(n_symbols, np.bool_),
        np.empty(factors.shape[1:]),
        np.empty(n_groups),
        np.empty(n_groups, np.int64),
    )
    _residual()(frames, factors, groups, *scratch, out)
    return out.reshape(scores.shape)
