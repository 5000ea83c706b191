"""Weights of alphas by what the past says of each: positive or 0, with a sum of 1.

An alpha is never turned round: one whose past is bad has no weight, and where every past is, all have equal ones. Each
function reads past outcomes alone, one row each, of which NaN ones are left out.
"""

import numpy as np

from outcry.errors import DataValidationError
from outcry.market.frame import BoolArray, FloatArray


def equal_weights(n_alphas: int) -> FloatArray:
    """Return float64 (n_alphas,)."""
    if n_alphas < 1:
        raise DataValidationError(f"n_alphas must be at least 1, was {n_alphas}")
    return np.full(n_alphas, 1.0 / n_alphas)


def ic_weights(coefficients: FloatArray) -> FloatArray:
    """Weigh by the mean information coefficient.

    Parameters
    ----------
    coefficients : float64 (n_past, n_alphas)
        Of frames whose outcome is known.

    Returns
    -------
    float64 (n_alphas,)

    References
    ----------
    Qian, Hua and Sorensen, Quantitative Equity Portfolio Management, 2007, chapter 7: for uncorrelated alphas whose
    coefficients vary alike.
    """
    return _shares(_moments(coefficients)[0])


def sharpe_weights(returns: FloatArray) -> FloatArray:
    """Weigh by mean over deviation of the returns of each alpha, float64 (n_past, n_alphas)."""
    mean, deviation = _moments(returns)
    return _shares(np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 0.0))


def inverse_volatility_weights(returns: FloatArray) -> FloatArray:
    """Weigh by one over the deviation of the returns of each alpha, float64 (n_past, n_alphas); without one, by 0."""
    _, deviation = _moments(returns)
    return _shares(np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0.0))


def _moments(outcomes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and deviation (ddof 1) of each column; 0 where none or fewer than two are known."""
    is_known: BoolArray = np.isfinite(outcomes)
    n_known = is_known.sum(axis=0)
    mean = np.where(is_known, outcomes, 0.0).sum(axis=0) / np.maximum(n_known, 1)
    squares = np.where(is_known, outcomes - mean, 0.0) ** 2
    deviation = np.sqrt(squares.sum(axis=0) / np.maximum(n_known - 1, 1))
    return mean, np.where(deviation > 1e-12 * np.abs(mean), deviation, 0.0)


def _shares(merits: FloatArray) -> FloatArray:
    positive = np.maximum(merits, 0.0)
    total = positive.sum()
    if not total > 0.0:
        return equal_weights(len(merits))
    shares: FloatArray = positive / total
    return shares
