"""Turn probabilities into the message the desk reads; the served ensemble and its in-process twin share it."""

from collections.abc import Sequence

import numpy as np

from outcry.errors import ConfigurationError, PredictionError
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.market.frame import FloatArray
from outcry.messages import Direction, FeatureFrame, Forecast, Input, InputKind
from outcry.models.confidence import confidence


class ForecastBuilder:
    """Build the forecasts of one desk in order, and notice when the model changes between two of them.

    Parameters
    ----------
    feature_names : sequence of str
        Of the columns of the frames.
    model_version : str, optional
        The model of the frame before the first one built here; None where there was none, so that the first forecast
        names its model as an input. A desk that resumes gives the version of its last committed frame.
    """

    def __init__(self, feature_names: Sequence[str], model_version: str | None = None) -> None:
        if VOLATILITY_COLUMN not in feature_names:
            raise ConfigurationError(f"features must keep {VOLATILITY_COLUMN}, which position sizing reads")
        self._volatility = tuple(feature_names).index(VOLATILITY_COLUMN)
        self._model_version = model_version

    @property
    def model_version(self) -> str | None:
        return self._model_version

    def build(self, features: FeatureFrame, model_version: str, probability: FloatArray) -> Forecast:
        """Return the forecast of the frame.

        Parameters
        ----------
        features : FeatureFrame
        model_version : str
            The model that answered.
        probability : float64 (n_symbols, 3)

        Raises
        ------
        PredictionError
            Where the shape is not that of the universe.
        """
        shape = (len(features.values), len(Direction))
        if probability.shape != shape:
            raise PredictionError(f"probability must have shape {shape}, was {probability.shape}")
        inputs: tuple[Input, ...] = ()
        if model_version != self._model_version:
            inputs = (Input(features.seq, InputKind.MODEL_SWAPPED, {"model_version": model_version}),)
            self._model_version = model_version
        return self._forecast(features, model_version, probability, inputs)

    def build_fallback(self, features: FeatureFrame, reason: str) -> Forecast:
        """Return a forecast that asks for no new risk: NaN probabilities, confidence 0."""
        probability = np.full((len(features.values), len(Direction)), np.nan)
        inputs = (Input(features.seq, InputKind.FORECAST_FALLBACK, {"reason": reason}),)
        return self._forecast(features, self._model_version or "", probability, inputs)

    def _forecast(
        self, features: FeatureFrame, model_version: str, probability: FloatArray, inputs: tuple[Input, ...]
    ) -> Forecast:
        return Forecast(
            seq=features.seq,
            probability=probability,
            confidence=confidence(probability),
            volatility_per_year=features.values[:, self._volatility].copy(),
            model_version=model_version,
            inputs=inputs,
        )
