"""How good the forecasts of a run were, graded at their own horizon, out of sample."""

from dataclasses import dataclass

import numpy as np

from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.evaluation import Scores, score

MIN_GRADED = 30
N_CURVE_BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityCurve:
    """How often a class came, by how likely it was said to be.

    Attributes
    ----------
    forecast_frac, observed_frac : tuple of float
        Mean forecast and share of outcomes in each bin of equal width that holds a forecast.
    counts : tuple of int
    """

    direction: Direction
    forecast_frac: tuple[float, ...]
    observed_frac: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ForecastQuality:
    """Scores beside those of a forecaster who knows nothing but the frequency of each class in this very span.

    Attributes
    ----------
    scores : Scores
    base_log_loss, base_brier, majority_accuracy : float
        Of the constant forecast of the class frequencies, and of always naming the commonest class.
    skill_frac : float
        ``1 - log_loss / base_log_loss``: not positive means that the forecasts said less than the frequencies do.
    n_forecasts : int
        Made in the run; those whose horizon has not passed, or whose symbol has no close there, are not graded.
    """

    scores: Scores
    base_log_loss: float
    base_brier: float
    majority_accuracy: float
    skill_frac: float
    n_forecasts: int
    class_frac: tuple[float, float, float]
    curves: tuple[ReliabilityCurve, ...]


def forecast_quality(probability: FloatArray, labels: LabelArray) -> ForecastQuality | None:
    """Grade forecasts; None for fewer than `MIN_GRADED`, or where only one class came.

    Parameters
    ----------
    probability : float64 (n, n_symbols, 3)
        NaN where there is none.
    labels : int8 (n, n_symbols)
        Of `direction_labels`: negative where the horizon has not passed.

    References
    ----------
    Murphy, A New Vector Partition of the Probability Score, 1973 (reliability curve); the scores: `score`.
    """
    has_forecast = np.isfinite(probability).all(axis=2)
    is_graded = has_forecast & (labels >= 0)
    graded, outcome = probability[is_graded], labels[is_graded]
    frequency = np.bincount(outcome, minlength=len(Direction)) / max(len(outcome), 1)
    if len(outcome) < MIN_GRADED or np.count_nonzero(frequency) < 2:
        return None
    base = score(np.tile(frequency, (len(outcome), 1)), outcome)
    scores = score(graded, outcome)
    return ForecastQuality(
        scores=scores,
        base_log_loss=base.log_loss,
        base_brier=base.brier,
        majority_accuracy=float(frequency.max()),
        skill_frac=1.0 - scores.log_loss / base.log_loss,
        n_forecasts=int(has_forecast.sum()),
        class_frac=(float(frequency[0]), float(frequency[1]), float(frequency[2])),
        curves=tuple(_curve(direction, graded[:, direction], outcome == direction) for direction in Direction),
    )


def _curve(
    direction: Direction, forecast: FloatArray, came: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> ReliabilityCurve:
    bins = np.minimum((forecast * N_CURVE_BINS).astype(np.int64), N_CURVE_BINS - 1)
    counts = np.bincount(bins, minlength=N_CURVE_BINS)
    used = counts > 0
    mean_forecast = np.bincount(bins, weights=forecast, minlength=N_CURVE_BINS)[used] / counts[used]
    mean_observed = np.bincount(bins, weights=came, minlength=N_CURVE_BINS)[used] / counts[used]
    return ReliabilityCurve(
        direction, tuple(mean_forecast.tolist()), tuple(mean_observed.tolist()), tuple(counts[used].tolist())
    )
