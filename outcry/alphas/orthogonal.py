"""Linear maps of alphas to others that are uncorrelated, fitted on the past; a map is applied by `apply_map`.

Scores are standardised in each frame, so their products are about 0: the moments ``C_jk = mean(z_j z_k)`` of the past
are their correlations. Each function takes those moments and returns the matrix M of ``z' = M z``; what is uncorrelated
is the past it was fitted on.
"""

import numpy as np

from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import FloatArray

SMALLEST = 1e-10
"""A part of the largest variance below which a direction is rounding."""


def second_moments(scores: FloatArray) -> FloatArray:
    """Return mean products of scores, float64 (n_alphas, n_alphas), over the symbols and frames where all are known.

    Parameters
    ----------
    scores : float64 (n_alphas, n_frames, n_symbols)
        Of the past alone.

    Raises
    ------
    DataValidationError
        Where there is no such place.
    """
    rows = scores.reshape(len(scores), -1)
    rows = rows[:, np.isfinite(rows).all(axis=0)]
    if not rows.size:
        raise DataValidationError("scores must be known at one place at least, all at once")
    moments: FloatArray = rows @ rows.T / rows.shape[1]
    return moments


def gram_schmidt(moments: FloatArray) -> FloatArray:
    """Return the map that takes out of each alpha what those before it say: their order is their rank.

    The first alpha stays what it is, up to scale; variances become 1. An alpha that says nothing new becomes 0.

    Returns
    -------
    float64 (n_alphas, n_alphas)
        Lower triangular: the inverse of the Cholesky factor where there is one.
    """
    _check(moments)
    n_alphas = len(moments)
    matrix = np.eye(n_alphas)
    for k in range(n_alphas):
        for _ in range(2):  # once more takes out what rounding left
            for j in range(k):
                matrix[k] -= (matrix[k] @ moments @ matrix[j]) * matrix[j]
        variance = matrix[k] @ moments @ matrix[k]
        matrix[k] = matrix[k] / np.sqrt(variance) if variance > SMALLEST * moments[k, k] else 0.0
    return matrix


def symmetric(moments: FloatArray) -> FloatArray:
    """Return the map to uncorrelated alphas of variance 1 that are nearest to the given ones, ``C^(-1/2)``.

    No alpha goes first. Directions without variance are left out.

    References
    ----------
    Löwdin, On the Non-Orthogonality Problem, 1950. Klein and Chow, Orthogonalized Factors and Systematic Risk
    Decomposition, 2013.
    """
    values, vectors = _eigen(moments)
    matrix: FloatArray = (vectors / np.sqrt(values)) @ vectors.T
    return matrix


def principal(moments: FloatArray, n_components: int) -> FloatArray:
    """Return the map to the principal components of most variance, each of variance 1, the largest first.

    Parameters
    ----------
    moments : float64 (n_alphas, n_alphas)
    n_components : int
        At most; directions without variance are left out.

    Returns
    -------
    float64 (n_kept, n_alphas)
        The coefficients of a component sum to what is not negative: more of most alphas is more of it.
    """
    if n_components < 1:
        raise ConfigurationError(f"n_components must be at least 1, was {n_components}")
    values, vectors = _eigen(moments)
    kept = vectors[:, ::-1][:, :n_components] / np.sqrt(values[::-1][:n_components])
    matrix: FloatArray = (kept * np.where(kept.sum(axis=0) < 0.0, -1.0, 1.0)).T
    return matrix


def keep_distinct(moments: FloatArray, max_abs_correlation: float) -> FloatArray:
    """Return the map that keeps alphas, in their order, unless one kept before says nearly the same.

    Parameters
    ----------
    moments : float64 (n_alphas, n_alphas)
    max_abs_correlation : float
        Of two that are kept; in (0, 1].

    Returns
    -------
    float64 (n_kept, n_alphas)
        Rows of the identity. An alpha without variance is not kept.
    """
    if not 0.0 < max_abs_correlation <= 1.0:
        raise ConfigurationError(f"max_abs_correlation must be in (0, 1], was {max_abs_correlation}")
    _check(moments)
    deviations = np.sqrt(np.diag(moments))
    kept: list[int] = []
    for k in np.flatnonzero(deviations > 0.0).tolist():
        correlations = moments[k, kept] / (deviations[k] * deviations[kept])
        if (np.abs(correlations) <= max_abs_correlation).all():
            kept.append(k)
    return np.eye(len(moments))[kept]


def apply_map(matrix: FloatArray, scores: FloatArray) -> FloatArray:
    """Return ``z' = M z``, float64 (n_kept, ...).

    Parameters
    ----------
    matrix : float64 (n_kept, n_alphas)
    scores : float64 (n_alphas, ...)

    Notes
    -----
    Terms are added one after the other, so a frame has the same bits whatever others are given. NaN where an alpha
    with a coefficient is not known.
    """
    out = np.zeros((len(matrix), *scores.shape[1:]))
    for row, total in zip(matrix, out, strict=True):
        for k in np.flatnonzero(row):
            np.add(total, row[k] * scores[k], out=total)
    return out


def _eigen(moments: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return eigenvalues, ascending, and eigenvectors in columns, of the directions with variance."""
    _check(moments)
    values, vectors = np.linalg.eigh(moments)
    has_variance = values > SMALLEST * values[-1]
    if not has_variance.any():
        raise DataValidationError("moments must have a direction with variance, all alphas were 0")
    return values[has_variance], vectors[:, has_variance]


def _check(moments: FloatArray) -> None:
    if moments.ndim != 2 or moments.shape[0] != moments.shape[1] or not np.isfinite(moments).all():
        raise DataValidationError(f"moments must be finite and (n_alphas, n_alphas), had shape {moments.shape}")
