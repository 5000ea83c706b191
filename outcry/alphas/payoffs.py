"""What became of the scores of past frames: all that weights are fitted to."""

from typing import NamedTuple

import numpy as np

from outcry.alphas.cross_section import rank
from outcry.market.frame import FloatArray

_FLAT = 1e-20
"""A variance of scores below is rounding: standardised scores are about 1."""


class Payoffs(NamedTuple):
    """Products over the symbols of one frame, or of many, linear in the scores: a map of alphas maps them too.

    Attributes
    ----------
    moments : float64 (..., n_alphas, n_alphas)
        ``mean(z_j z_k)``.
    earned : float64 (..., n_alphas)
        ``mean(z_k f)``: the return of a position of one times the score, over as many.
    ranked : float64 (..., n_alphas)
        ``mean(z_k r)``, r the ranks of the returns over their deviation.
    """

    moments: FloatArray
    earned: FloatArray
    ranked: FloatArray

    def mapped(self, matrix: FloatArray) -> "Payoffs":
        """Return the payoffs of ``z' = M z``."""
        return Payoffs(matrix @ self.moments @ matrix.T, self.earned @ matrix.T, self.ranked @ matrix.T)

    @property
    def coefficients(self) -> FloatArray:
        """Correlations of scores with ranks of returns, (..., n_alphas); NaN where all scores are equal."""
        variances = np.diagonal(self.moments, axis1=-2, axis2=-1)
        has_spread = variances > _FLAT
        deviations = np.sqrt(np.where(has_spread, variances, 1.0))
        return np.where(has_spread, self.ranked / deviations, np.nan)


def measure_payoff(scores: FloatArray, forward: FloatArray) -> Payoffs | None:
    """Return what became of the scores of one frame; None where fewer than two symbols have different returns.

    Parameters
    ----------
    scores : float64 (n_alphas, n_symbols)
        Standardised; a score that is not known counts as 0.
    forward : float64 (n_symbols,)
        The return that followed; NaN where it is not known.
    """
    is_known = np.isfinite(forward)
    ranks = rank(forward[is_known])
    spread = float((ranks * ranks).sum())
    if not spread > 0.0:
        return None
    n, z, f = len(ranks), np.nan_to_num(scores[:, is_known]), forward[is_known]
    z -= z.sum(axis=1, keepdims=True) / n
    # sums of products in a fixed order: a matrix product may take another one
    return Payoffs(
        (z[:, None, :] * z[None, :, :]).sum(axis=2) / n,
        (z * (f - f.sum() / n)).sum(axis=1) / n,
        (z * ranks).sum(axis=1) / np.sqrt(spread * n),
    )
