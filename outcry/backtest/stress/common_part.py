"""Make symbols move more alike, and each of them no more than before."""

import numpy as np
from scipy.optimize import brentq

from outcry.errors import DataValidationError
from outcry.market.frame import BoolArray, FloatArray

MAX_CORRELATION = 0.99
MIN_RETURNS = 3
_TINY = 1e-12


def raise_correlation(deviations: FloatArray, known: BoolArray, increase: float) -> FloatArray:
    """Return deviations with an average correlation of two symbols that is higher by `increase`, at equal volatilities.

    Parameters
    ----------
    deviations : float64 (n, n_symbols)
        Of returns from their mean over the known rows; 0 where not known.
    known : bool (n, n_symbols)
    increase : float
        In [0, 1]; the average is kept at or below `MAX_CORRELATION`.

    Returns
    -------
    float64 (n, n_symbols)
        With the same mean, 0, and size in each column; 0 where not known.

    Raises
    ------
    DataValidationError
        Where the deviations of all symbols cancel out, so that nothing is common to them.

    Notes
    -----
    With unit deviations ``z_i = d_i / |d_i|`` and the common part f, their mean scaled to unit size, symbol i becomes

        d'_i = |d_i| ((1 - b) z_i + b f) / |(1 - b) z_i + b f|

    With ``z_i = c_i f + e_i`` this is a larger common and a smaller own part. b = 0 changes nothing, b = 1 makes all
    symbols alike; in between one b gives the average wanted. The average needs no matrix of correlations:
    ``|Σ z_i|² = N + N (N - 1) average``. A symbol that moves against the market, such as an inverse fund, is pulled
    towards it like the others. A missing return counts as no deviation; where many are missing, even b = 1 may stay
    below the average wanted, and is taken. Symbols that do not move, and those with fewer than `MIN_RETURNS` known
    returns, which can only agree or disagree, stay as they are and out of the average.

    References
    ----------
    Sharpe, A Simplified Model for Portfolio Analysis, 1963: a common and an own part. The mix is of this project.
    """
    size = np.sqrt((deviations**2).sum(axis=0))
    moves = (size > _TINY) & (known.sum(axis=0) >= MIN_RETURNS)
    n = int(moves.sum())
    if increase == 0 or n < 2:
        return deviations
    unit = np.divide(deviations, size, out=np.zeros_like(deviations), where=moves)
    mean = unit.sum(axis=1)
    length = float(np.sqrt(mean @ mean))
    if length < _TINY:
        raise DataValidationError("returns must have a common part to be mixed with, but cancel out")
    shared = centre(mean[:, np.newaxis] / length, known)
    blend = _Blend(unit, shared, moves)
    target = min(blend.average(0.0) + increase, MAX_CORRELATION)
    if target <= blend.average(0.0):
        return deviations
    b = 1.0
    if blend.average(1.0) > target:
        b = float(brentq(lambda share: blend.average(share) - target, 0.0, 1.0, xtol=1e-15))
    mixed = size * blend.scale(b) * ((1.0 - b) * unit + b * shared)
    return np.where(moves, mixed, deviations)


def centre(values: FloatArray, known: BoolArray) -> FloatArray:
    """Return values less their mean over the known rows of each column, float64 (n, n_symbols), 0 where not known."""
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    return np.where(known, values - mean, 0.0)


class _Blend:
    """``((1 - b) z_i + b f) / |(1 - b) z_i + b f|`` of unit deviations z and a common part f, for any b."""

    def __init__(self, unit: FloatArray, shared: FloatArray, moves: BoolArray) -> None:
        self._unit, self._shared, self._moves = unit, shared, moves
        self._n = int(moves.sum())
        self._cross = (unit * shared).sum(axis=0)
        self._square = (shared**2).sum(axis=0)

    def scale(self, b: float) -> FloatArray:
        """Return one over the size of each blend, float64 (n_symbols,), 0 for a symbol that does not move."""
        square = (1.0 - b) ** 2 + 2.0 * b * (1.0 - b) * self._cross + b**2 * self._square
        return np.where(self._moves, 1.0 / np.sqrt(np.maximum(square, _TINY)), 0.0)

    def average(self, b: float) -> float:
        """Return the average correlation of two symbols."""
        scale = self.scale(b)
        total = (1.0 - b) * (self._unit @ scale) + b * (self._shared @ scale)
        return float(total @ total - self._n) / (self._n * (self._n - 1))
