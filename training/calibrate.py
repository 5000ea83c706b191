"""Fit the map from what the vote says to how often it comes true."""

from collections.abc import Callable

import numpy as np
from sklearn.isotonic import IsotonicRegression

from configs.training import TrainingConfig
from outcry.errors import ConfigurationError
from outcry.labels.horizon import LabelArray
from outcry.labels.splits.walk_forward import PurgedWalkForward
from outcry.market.frame import BoolArray, FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.calibration import Calibration
from outcry.models.evaluation import score
from training.calibration_curves import fit_beta, fit_platt, knots_of

PRIOR_ROWS = 20.0
"""Rows at the frequency of the class that are added to each bin, so that no probability is 0 or 1."""
N_CHOICE_FOLDS = 3
"""Spans that ``auto`` judges the methods on, each by maps fitted on the rows before it."""

Knots = tuple[FloatArray, FloatArray]
_METHODS: dict[str, Callable[[FloatArray, BoolArray, TrainingConfig], Knots]] = {
    "platt": lambda said, is_hit, config: knots_of(fit_platt(said, is_hit)),
    "beta": lambda said, is_hit, config: knots_of(fit_beta(said, is_hit)),
    "isotonic": lambda said, is_hit, config: _fit_isotonic(said, is_hit, config.calibration_bins),
}


def fit_calibration(
    probability: FloatArray, labels: LabelArray, frame: IntArray, config: TrainingConfig
) -> Calibration:
    """Fit one monotone map a class, against the rest, by ``calibration_method``.

    ``isotonic`` is the frequency in ``calibration_bins`` bins of equal count, pooled where it would fall: a step
    function of all rows would follow their noise, a line through a few bins does not. ``platt`` and ``beta`` are
    curves of two and three parameters, see `training.calibration_curves`. ``identity`` leaves probabilities as they
    are. ``auto`` is what `choose_method` chooses.

    Parameters
    ----------
    probability : float64 (n_rows, 3)
        Of the vote, out of fold, and not what early stopping looked at.
    labels : int8 (n_rows,)
        Values of `Direction`.
    frame : int64 (n_rows,)
        The frame of each row, not decreasing.
    config : TrainingConfig

    Returns
    -------
    Calibration
        The identity where there are no rows.

    References
    ----------
    Zadrozny & Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD 2002.
    """
    method: str = config.calibration_method
    if method == "auto":
        method = choose_method(probability, labels, frame, config)
    return _fit(method, probability, labels, config)


def choose_method(probability: FloatArray, labels: LabelArray, frame: IntArray, config: TrainingConfig) -> str:
    """Return the method with the least log loss on later rows than those its maps were fitted on.

    The frames are cut as by `PurgedWalkForward`: `N_CHOICE_FOLDS` spans, each judged by maps of the rows before it
    whose labels were known by then. At equal losses the method with fewer parameters is chosen, and the identity
    where there are too few frames to judge any. Parameters are those of `fit_calibration`.
    """
    losses = dict.fromkeys(("identity", *_METHODS), 0.0)
    span = int(frame[-1] - frame[0]) + 1 if len(frame) else 0
    try:
        folds = list(PurgedWalkForward(N_CHOICE_FOLDS, config.horizon_bars).split(span))
    except ConfigurationError:  # too few frames
        return "identity"
    for train, test in folds:
        known = slice(0, int(np.searchsorted(frame, frame[0] + train[-1], side="right")))
        later = slice(*np.searchsorted(frame, frame[0] + test[[0, -1]] + [0, 1]).tolist())
        if later.start == later.stop:
            continue
        for method in losses:
            said = _fit(method, probability[known], labels[known], config).apply(probability[later])
            losses[method] += score(said, labels[later]).log_loss * (later.stop - later.start)
    return min(losses, key=losses.__getitem__)


def identity_calibration() -> Calibration:
    """Return the map that leaves probabilities as they are (a zero becomes 1e-6)."""
    raw, calibrated = np.array([0.0, 1e-6, 1.0]), np.array([1e-6, 1e-6, 1.0])
    return Calibration((raw,) * len(Direction), (calibrated,) * len(Direction))


def _fit(method: str, probability: FloatArray, labels: LabelArray, config: TrainingConfig) -> Calibration:
    if method == "identity" or not len(labels):
        return identity_calibration()
    maps = [_METHODS[method](probability[:, k], labels == k, config) for k in Direction]
    return Calibration(tuple(raw for raw, _ in maps), tuple(calibrated for _, calibrated in maps))


def _fit_isotonic(said: FloatArray, is_hit: BoolArray, n_bins: int) -> Knots:
    bins = np.array_split(np.argsort(said, kind="stable"), min(n_bins, len(said)))
    prior = (is_hit.sum() + 1.0) / (len(is_hit) + len(Direction))
    raw = [said[rows].mean() for rows in bins]
    frequency = [(is_hit[rows].sum() + PRIOR_ROWS * prior) / (len(rows) + PRIOR_ROWS) for rows in bins]
    weights = [len(rows) + PRIOR_ROWS for rows in bins]
    fitted = IsotonicRegression(out_of_bounds="clip").fit(raw, frequency, sample_weight=weights)
    return fitted.X_thresholds_, fitted.y_thresholds_
