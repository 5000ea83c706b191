"""Prediction intervals of a return, with a stated coverage (split conformal prediction)."""

from dataclasses import dataclass

import numpy as np

from outcry.market.frame import FloatArray
from outcry.models.uncertainty.ranked_scores import RankedScores


def residual_scores(forecast: FloatArray, outcome: FloatArray, scale: FloatArray) -> FloatArray:
    """Return ``|outcome − forecast| / scale`` of each row; see `PredictionIntervals`."""
    scores: FloatArray = np.abs(outcome - forecast) / scale
    return scores


def quantile_scores(low: FloatArray, high: FloatArray, outcome: FloatArray) -> FloatArray:
    """Return how far the outcome lies outside two forecast quantiles, negative inside: ``max(low − y, y − high)``.

    References
    ----------
    Romano, Patterson & Candès, "Conformalized quantile regression", NeurIPS 2019, equation 6.
    """
    return np.maximum(low - outcome, outcome - high)


@dataclass(frozen=True, slots=True)
class PredictionIntervals:
    """Intervals that hold a new outcome with probability 1 − alpha or more, where old and new rows are exchangeable.

    Parameters
    ----------
    ranked : RankedScores
        Of `residual_scores` for `around`, of `quantile_scores` for `between`, on rows that the model has not seen.

    References
    ----------
    Lei et al., "Distribution-free predictive inference for regression", JASA 113 (2018), sections 2.2 (split) and 5.2
    (residuals in units of a scale known beforehand, here the trailing volatility).
    """

    ranked: RankedScores

    def around(self, forecast: FloatArray, scale: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
        """Return the ends ``forecast ∓ q · scale``, each float64 (n_rows,); NaN where forecast or scale are.

        Parameters
        ----------
        forecast : float64 (n_rows,)
        scale : float64 (n_rows,)
            In the unit of the forecast, positive: wider where the outcome varies more.
        alpha : float
            The share of outcomes that may be missed.
        """
        half = self.ranked.quantile(alpha) * scale
        return forecast - half, forecast + half

    def between(self, low: FloatArray, high: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
        """Return two forecast quantiles, each float64 (n_rows,), moved apart, or together, by the same distance."""
        distance = self.ranked.quantile(alpha)
        return low - distance, high + distance
