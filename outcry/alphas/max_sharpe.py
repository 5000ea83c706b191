"""The weights of most return for their risk."""

from collections.abc import Callable

import numpy as np

from outcry.alphas.limits import Limits, project
from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import FloatArray

LEAST_RIDGE_FRAC = 1e-8
"""Without any, weights whose payoffs cancel have no risk, and no ratio."""

_FAR = 1e6
"""The nearest weights to something that far along the means have nearly the largest mean there is."""
_MAX_STEPS = 500
_MEMORY = 10
_TOLERANCE = 1e-9


def max_sharpe_weights(
    mean: FloatArray, covariance: FloatArray, ridge_frac: float, limits: Limits, previous: FloatArray | None = None
) -> FloatArray:
    """Return the weights within limits that maximise ``w'm / sqrt(w'(C + r I)w)``.

    Parameters
    ----------
    mean : float64 (n_alphas,)
        Of the returns of each alpha.
    covariance : float64 (n_alphas, n_alphas)
        Of the same returns.
    ridge_frac : float
        r is this part of the mean variance, at least `LEAST_RIDGE_FRAC`; not negative. It keeps alphas that are nearly
        one from large opposite weights, or all the weight on the luckier of them.
    limits : Limits
    previous : float64 (n_alphas,), optional
        Weights before; see `project`.

    Returns
    -------
    float64 (n_alphas,)
        Of least variance where no weights within the limits have a positive mean: a ratio below 0 would be "best" at
        most risk.

    Raises
    ------
    ConfigurationError
        Where `ridge_frac` is negative, or no weights are within the limits.
    DataValidationError
        Where mean or covariance are not finite.

    Notes
    -----
    Where means are positive the ratio has one maximum over a convex set, which projected gradients find: steps of
    Barzilai and Borwein with a search that may go uphill a little. The first weights are those of most mean.

    References
    ----------
    Sharpe, The Sharpe Ratio, 1994. Birgin, Martínez and Raydan, Nonmonotone Spectral Projected Gradient Methods on
    Convex Sets, 2000, algorithm 2.1.
    """
    if not ridge_frac >= 0.0:
        raise ConfigurationError(f"ridge_frac must not be negative, was {ridge_frac}")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise DataValidationError("mean and covariance of alphas must be finite")
    variance = float(np.trace(covariance)) / len(mean)
    if not variance > 0.0:
        return project(np.full(len(mean), limits.total / len(mean)), limits, previous)
    # in units of the mean deviation, so that steps are of the size of weights
    unit_mean = mean / np.sqrt(variance)
    unit_risk = covariance / variance + max(ridge_frac, LEAST_RIDGE_FRAC) * np.eye(len(mean))
    largest = float(np.abs(unit_mean).max())
    start = project(unit_mean * (_FAR * limits.total / largest if largest > 0.0 else 0.0), limits, previous)
    is_ratio = float(unit_mean @ start) > 0.0

    def lose(weights: FloatArray) -> tuple[float, FloatArray]:
        """Return what is minimised, and its gradient."""
        along = unit_risk @ weights
        square = float(weights @ along)
        if not is_ratio:
            return 0.5 * square, along
        earned, risk = float(unit_mean @ weights), np.sqrt(square)
        return -earned / risk, (earned / square * along - unit_mean) / risk

    return _descend(lose, lambda weights: project(weights, limits, previous), start)


def _descend(
    lose: Callable[[FloatArray], tuple[float, FloatArray]],
    project_onto: Callable[[FloatArray], FloatArray],
    weights: FloatArray,
) -> FloatArray:
    """Return where no step along the projected gradient is longer than the tolerance."""
    value, gradient = lose(weights)
    values, step = [value], 1.0
    best_value, best = value, weights
    for _ in range(_MAX_STEPS):
        if np.abs(project_onto(weights - gradient) - weights).max() <= _TOLERANCE:
            break
        direction = project_onto(weights - step * gradient) - weights
        slope, part = float(gradient @ direction), 1.0
        highest = max(values[-_MEMORY:])
        moved_value, moved_gradient = lose(weights + direction)
        while moved_value > highest + 1e-4 * part * slope and part > 1e-10:
            part *= 0.5
            moved_value, moved_gradient = lose(weights + part * direction)
        change, bend = part * direction, moved_gradient - gradient
        curvature = float(change @ bend)
        step = min(max(float(change @ change) / curvature, 1e-6), 1e6) if curvature > 0.0 else 1e3
        weights, gradient = weights + change, moved_gradient
        values.append(moved_value)
        if moved_value < best_value:
            best_value, best = moved_value, weights
    return best
