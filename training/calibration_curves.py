"""Calibration curves with two or three parameters, and the knots that stand for them in a bundle.

Both curves are ``σ(a ln p − b ln(1 − p) + c)`` with ``σ(z) = 1 / (1 + exp(−z))``: Platt's has ``a = b``, the log odds
as its score, so that ``a = b = 1, c = 0`` leaves p as it is; the beta curve has both, and bends each end by itself.

References
----------
Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods", Advances
in Large Margin Classifiers, 1999, section 2.1 (sigmoid) and 2.2 (smoothed targets).
Kull, Silva Filho & Flach, "Beta calibration: a well-founded and easily implemented improvement on logistic calibration
for binary classifiers", AISTATS 2017, equation 3 and section 4.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from outcry.market.frame import BoolArray, FloatArray

LEAST_RAW = 1e-6
"""A raw probability below counts as this one, and one above ``1 - LEAST_RAW`` as that: log odds stay finite."""
KNOT_TOLERANCE = 1e-4
"""The piecewise linear map is nowhere further from its curve."""
_LEAST_CALIBRATED = 1e-9
_RIDGE = 1e-6  # towards the identity: decides where the rows do not, as where all say the same
_PROBES = np.arange(1, 8) / 8


@dataclass(frozen=True, slots=True)
class LogisticCurve:
    """``σ(a ln p − b ln(1 − p) + c)``; `a` and `b` are not negative, so that it never falls."""

    a: float
    b: float
    c: float

    def __call__(self, raw: FloatArray) -> FloatArray:
        """Return float64 (n,) in (0, 1) for raw probabilities, float64 (n,)."""
        p = np.clip(raw, LEAST_RAW, 1.0 - LEAST_RAW)
        z = self.a * np.log(p) - self.b * np.log1p(-p) + self.c
        curve: FloatArray = np.clip(_sigmoid(z), _LEAST_CALIBRATED, 1.0)
        return curve


def fit_platt(raw: FloatArray, is_hit: BoolArray) -> LogisticCurve:
    """Fit Platt's sigmoid of the log odds by maximum likelihood of smoothed targets.

    With N₊ hits and N₋ others, the target of a hit is ``(N₊ + 1) / (N₊ + 2)`` and that of another ``1 / (N₋ + 2)``: no
    sample, however small or one-sided, claims certainty.

    Parameters
    ----------
    raw : float64 (n_rows,)
        In [0, 1].
    is_hit : bool (n_rows,)
    """
    p = np.clip(raw, LEAST_RAW, 1.0 - LEAST_RAW)
    slope, intercept = _fit_logistic(np.log(p)[:, np.newaxis] - np.log1p(-p)[:, np.newaxis], _smoothed(is_hit))
    return LogisticCurve(slope, slope, intercept)


def fit_beta(raw: FloatArray, is_hit: BoolArray) -> LogisticCurve:
    """Fit the beta curve as a logistic regression on ``ln p`` and ``−ln(1 − p)``, with Platt's targets.

    The targets of Kull et al. are 0 and 1; smoothed, the fit exists for every sample. Parameters as of `fit_platt`.
    """
    p = np.clip(raw, LEAST_RAW, 1.0 - LEAST_RAW)
    return LogisticCurve(*_fit_logistic(np.stack((np.log(p), -np.log1p(-p)), axis=1), _smoothed(is_hit)))


def knots_of(curve: LogisticCurve, tolerance: float = KNOT_TOLERANCE) -> tuple[FloatArray, FloatArray]:
    """Return raw and calibrated knots, float64 (n_knots,), of a piecewise linear map that follows a curve.

    Pieces are halved until the curve is within half of `tolerance` at seven places inside each.
    """
    x = np.linspace(LEAST_RAW, 1.0 - LEAST_RAW, 17)
    while True:
        y = curve(x)
        at = x[:-1, np.newaxis] + np.diff(x)[:, np.newaxis] * _PROBES
        line = y[:-1, np.newaxis] + np.diff(y)[:, np.newaxis] * _PROBES
        is_off = np.abs(curve(at) - line).max(axis=1) > tolerance / 2
        if not is_off.any():
            return x, np.maximum.accumulate(y)
        x = np.sort(np.concatenate((x, at[is_off, len(_PROBES) // 2])))


def _smoothed(is_hit: BoolArray) -> FloatArray:
    n_hits = int(is_hit.sum())
    return np.where(is_hit, (n_hits + 1.0) / (n_hits + 2.0), 1.0 / (len(is_hit) - n_hits + 2.0))


def _fit_logistic(columns: FloatArray, targets: FloatArray) -> list[float]:
    """Return slopes, none negative, and the intercept of the largest likelihood.

    The likelihood is concave: its largest value under the constraints is the largest over all choices of slopes that
    are 0, among those where no other slope is negative.
    """
    n_slopes = columns.shape[1]
    best, least = [0.0] * n_slopes + [0.0], np.inf
    for n_used in range(n_slopes, -1, -1):
        for used in combinations(range(n_slopes), n_used):
            weights, loss = _newton(columns[:, used], targets)
            if (weights[:-1] >= 0.0).all() and loss < least:
                best, least = [0.0] * n_slopes + [float(weights[-1])], loss
                for slope, column in zip(weights[:-1].tolist(), used, strict=True):
                    best[column] = slope
    return best


def _newton(columns: FloatArray, targets: FloatArray) -> tuple[FloatArray, float]:
    design = np.column_stack((columns, np.ones(len(columns))))
    start = np.append(np.ones(columns.shape[1]), 0.0)

    def loss_of(weights: FloatArray) -> float:
        z = design @ weights
        return float((np.logaddexp(0.0, z) - targets * z).sum() + 0.5 * _RIDGE * ((weights - start) ** 2).sum())

    weights, loss = start, loss_of(start)
    for _ in range(100):
        p = _sigmoid(design @ weights)
        gradient = design.T @ (p - targets) + _RIDGE * (weights - start)
        curvature = (design * (p * (1.0 - p))[:, np.newaxis]).T @ design + _RIDGE * np.eye(len(weights))
        step, size = np.linalg.solve(curvature, gradient), 1.0
        while (found := loss_of(weights - size * step)) > loss and size > 1e-10:
            size /= 2.0
        if not found < loss:
            break
        weights, gained, loss = weights - size * step, loss - found, found
        if gained <= 1e-12 * loss:
            break
    return weights, loss


def _sigmoid(z: FloatArray) -> FloatArray:
    small = np.exp(-np.abs(z))  # never overflows
    sigmoid: FloatArray = np.where(z >= 0.0, 1.0, small) / (1.0 + small)
    return sigmoid
