"""Fit prediction sets and intervals on predictions that were made out of fold."""

import numpy as np

from outcry.errors import DataValidationError
from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.manifest import CoverageRecord
from outcry.models.uncertainty.prediction_intervals import PredictionIntervals, residual_scores
from outcry.models.uncertainty.prediction_sets import PredictionSets, ScoreName, class_scores
from outcry.models.uncertainty.ranked_scores import RankedScores

STATED_FRACS = (0.6, 0.8, 0.9, 0.95)
"""Coverages that a bundle is measured at."""


def fit_prediction_sets(
    probability: FloatArray,
    labels: LabelArray,
    *,
    score: ScoreName = "lac",
    is_by_class: bool = False,
    penalty: float = 0.0,
    n_free: int = 1,
) -> PredictionSets:
    """Rank the scores of what came.

    Parameters
    ----------
    probability : float64 (n_rows, 3)
        As the bundle gives them, calibrated; of rows that neither members nor calibration have seen. NaN rows are left
        out.
    labels : int8 (n_rows,)
        Values of `Direction`; rows where they are negative are left out.
    score, penalty, n_free
        See `class_scores`.
    is_by_class : bool
        Cover each class by itself.

    Notes
    -----
    Labels of neighbouring frames overlap, so n rows say less than n independent ones would: the coverage of a
    single fit varies more from year to year than the finite-sample guarantee tells. `CoverageMonitor` measures it.
    """
    if probability.shape != (len(labels), len(Direction)):
        raise DataValidationError(f"probability must have shape {(len(labels), 3)}, was {probability.shape}")
    known = np.flatnonzero((labels >= 0) & ~np.isnan(probability).any(axis=1))
    came = labels[known].astype(np.int64)
    scores = class_scores(probability[known], score, penalty, n_free)[np.arange(len(known)), came]
    groups = [scores[came == k] for k in Direction] if is_by_class else [scores]
    return PredictionSets(score, tuple(RankedScores.of(group) for group in groups), penalty, n_free)


def measure_coverage(sets: PredictionSets, probability: FloatArray, labels: LabelArray) -> tuple[CoverageRecord, ...]:
    """Return how many outcomes sets held that were to hold each of `STATED_FRACS`.

    Parameters
    ----------
    sets : PredictionSets
    probability : float64 (n_rows, 3)
        Of rows that they were not fitted on.
    labels : int8 (n_rows,)
        Values of `Direction`.
    """
    found = []
    for stated_frac in STATED_FRACS:
        made = sets.sets(probability, 1.0 - stated_frac)
        size = made.sum(axis=1)
        found.append(
            CoverageRecord(
                stated_frac=stated_frac,
                covered_frac=float(made[np.arange(len(labels)), labels].mean()),
                n_classes=float(size.mean()),
                single_frac=float((size == 1).mean()),
            )
        )
    return tuple(found)


def fit_prediction_intervals(forecast: FloatArray, outcome: FloatArray, scale: FloatArray) -> PredictionIntervals:
    """Rank the residuals of a forecast, in units of a scale; rows with a NaN are left out.

    Parameters
    ----------
    forecast, outcome : float64 (n_rows,)
        Out of fold, and what came; in the same unit.
    scale : float64 (n_rows,)
        Positive, in that unit; known when the forecast was made.
    """
    scores = residual_scores(forecast, outcome, scale)
    return PredictionIntervals(RankedScores.of(scores[np.isfinite(scores)]))
