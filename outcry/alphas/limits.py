"""What weights must keep to, and the nearest weights that do."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from outcry.errors import ConfigurationError
from outcry.market.frame import FloatArray

_HALVINGS = 50
_ROUNDING = 1e-9
"""A part by which a limit may be missed: a sum of n parts of 1/n is not 1."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the weights of alphas.

    Attributes
    ----------
    total : float
        Their sum; positive.
    low, high : float
        Bounds of each.
    max_turnover : float or None
        Of the sum of absolute changes from the weights before; positive.
    min_effective : float or None
        Of the effective number of alphas, ``total^2 / sum(w^2)``; at least 1. Of fewer alphas, their number.

    Raises
    ------
    ConfigurationError
        Where a value breaks its rule.
    """

    total: float = 1.0
    low: float = 0.0
    high: float = 1.0
    max_turnover: float | None = None
    min_effective: float | None = None

    def __post_init__(self) -> None:
        if not self.total > 0.0:
            raise ConfigurationError(f"total must be positive, was {self.total}")
        if not -np.inf < self.low < self.high < np.inf:
            raise ConfigurationError(f"low must be less than high {self.high}, both finite, was {self.low}")
        if self.max_turnover is not None and not self.max_turnover > 0.0:
            raise ConfigurationError(f"max_turnover must be positive, was {self.max_turnover}")
        if self.min_effective is not None and not self.min_effective >= 1.0:
            raise ConfigurationError(f"min_effective must be at least 1, was {self.min_effective}")


def project(weights: FloatArray, limits: Limits, previous: FloatArray | None = None) -> FloatArray:
    """Return the weights within limits that are nearest to the given ones, in the sum of squares.

    Parameters
    ----------
    weights : float64 (n_alphas,)
    limits : Limits
    previous : float64 (n_alphas,), optional
        Weights before, themselves within the other limits; absent, turnover has no limit.

    Returns
    -------
    float64 (n_alphas,)

    Raises
    ------
    ConfigurationError
        Where no weights of so many alphas are within the bounds.

    Notes
    -----
    The nearest w minimises ``|w - c x|^2/2 + s sum(w) + a sum(|w - p|)`` within the bounds, for the s, a >= 0 and c in
    [0, 1] at which sum, turnover and squares keep to their limits (Boyd and Vandenberghe, Convex Optimization, 2004,
    section 5.5.3; c is what a multiplier of the squares comes to). For each c and a, s is found exactly, since the sum
    is linear between the values of s where a weight meets a bound or its weight before; a and c are found by halving.
    """
    n_alphas, rounding = len(weights), _ROUNDING * limits.total
    if not n_alphas * limits.low - rounding <= limits.total <= n_alphas * limits.high + rounding:
        raise ConfigurationError(
            f"bounds {limits.low} to {limits.high} must let {n_alphas} alphas sum to total {limits.total}"
        )

    def turned(given: FloatArray) -> FloatArray:
        """Return the nearest within all limits but that of the squares."""
        if previous is None or limits.max_turnover is None:
            return _summed(given, limits)
        most = limits.max_turnover
        return _first(
            lambda pull: _summed(given, limits, previous, pull),
            lambda found: float(np.abs(found - previous).sum()) <= most,
            float(np.abs(given - previous).max()),
        )

    if limits.min_effective is None:
        return turned(weights)
    most_squares = limits.total**2 / min(limits.min_effective, n_alphas)
    return _first(
        lambda shrunk: turned((1.0 - shrunk) * weights),
        lambda found: float(found @ found) <= most_squares * (1.0 + _ROUNDING),
        1.0,
    )


def _first(find: Callable[[float], FloatArray], is_within: Callable[[FloatArray], bool], largest: float) -> FloatArray:
    """Return what the least value from 0 to `largest` finds that is within its limit, as that of `largest` is."""
    found = find(0.0)
    if is_within(found):
        return found
    low, high = 0.0, largest
    found = find(high)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        tried = find(middle)
        if is_within(tried):
            high, found = middle, tried
        else:
            low = middle
    return found


def _summed(given: FloatArray, limits: Limits, previous: FloatArray | None = None, pull: float = 0.0) -> FloatArray:
    """Return the nearest weights within the bounds with the right sum, each pulled to the weight before."""
    low, high = limits.low, limits.high
    centre = np.clip(given if previous is None else previous, low, high)

    def at(shift: FloatArray) -> FloatArray:
        moved = given - shift - centre
        pulled = centre + np.sign(moved) * np.maximum(np.abs(moved) - pull, 0.0)
        return np.asarray(np.clip(pulled, low, high))

    corners = np.concatenate((low - pull - given, centre - pull - given, centre + pull - given, high + pull - given))
    corners.sort()  # ascending in minus the shift, as the sums are
    sums = at(-corners[:, None]).sum(axis=1)
    return at(-np.asarray(np.interp(limits.total, sums, corners)))
