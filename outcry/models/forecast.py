"""Turn what a model says into the message the desk reads; the served ensemble and its in-process twin share it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcry.errors import ConfigurationError, PredictionError
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.market.frame import FloatArray
from outcry.messages import Direction, FeatureFrame, Forecast, Input, InputKind
from outcry.models.confidence import confidence
from outcry.models.decisions import BuildAbstention, Decisions, DecisionSpec


@dataclass(frozen=True, slots=True, eq=False)
class ForecastState:
    """What the forecasts of a desk that was restarted go on from.

    Attributes
    ----------
    model_version : str
        The model of the last complete frame.
    decisions : mapping of str to arrays, optional
        The newest `Forecast.state` of that model.
    closes : float64 (n_frames, n_symbols)
        As of `FeatureFrame.close`, of the complete frames after that state: the model had said nothing of them.
    """

    model_version: str
    decisions: Mapping[str, NDArray[Any]] | None
    closes: FloatArray


class ForecastBuilder:
    """Build the forecasts of one desk in order, and notice when the model changes between two of them.

    Parameters
    ----------
    feature_names : sequence of str
        Of the columns of the frames.
    model_version : str, optional
        The model of the frame before the first one built here; None where there was none, so that the first forecast
        names its model as an input. A desk that resumes gives the version of its last committed frame.
    keeps_state : bool
        Forecasts hold the `Forecast.state` after them.
    build_abstention : callable, optional
        See `DecisionSpec.build`; absent, nothing is withheld.

    Notes
    -----
    A model whose forecasts rest on what became of earlier ones, or may be withheld, says what its members say, and its
    `Decisions` are made here; they begin with the first frame that it answers, and again whenever another model comes
    into service.
    """

    def __init__(
        self,
        feature_names: Sequence[str],
        model_version: str | None = None,
        *,
        keeps_state: bool = False,
        build_abstention: BuildAbstention | None = None,
    ) -> None:
        if VOLATILITY_COLUMN not in feature_names:
            raise ConfigurationError(f"features must keep {VOLATILITY_COLUMN}, which position sizing reads")
        self._feature_names = tuple(feature_names)
        self._volatility = self._feature_names.index(VOLATILITY_COLUMN)
        self._model_version = model_version
        self._keeps_state = keeps_state
        self._build_abstention = build_abstention
        self._decisions: Decisions | None = None
        self._decided_version: str | None = None
        self._prepared: Decisions | None = None
        self._resumed: ForecastState | None = None

    @property
    def model_version(self) -> str | None:
        return self._model_version

    def resume(self, state: ForecastState) -> None:
        """Go on after the frames that `state` is of; before the first frame."""
        self._model_version = state.model_version
        self._resumed = state if state.decisions is not None else None

    def meet(self, spec: DecisionSpec | None, n_symbols: int) -> bool:
        """Prepare for a model that may answer next; return whether `build` wants to know what its members say."""
        self._prepared = None
        if spec is not None:
            self._prepared = spec.build(n_symbols, self._feature_names, self._build_abstention)
        return self._prepared is not None

    def build(self, features: FeatureFrame, model_version: str, said: FloatArray) -> Forecast:
        """Return the forecast of the frame.

        Parameters
        ----------
        features : FeatureFrame
        model_version : str
            The model that answered: the one that was met last, or the one before.
        said : float64 (n_symbols, 3), or (n_members, n_symbols, 3)
            Its forecast; or what its members say, where `meet` has asked for it.

        Raises
        ------
        PredictionError
            Where a shape is not that of the universe, or there is no close to learn from.
        """
        shape = (len(features.values), len(Direction))
        if said.shape[-2:] != shape:
            raise PredictionError(f"probability must have shape {shape}, was {said.shape}")
        if model_version != self._decided_version:
            self._begin(model_version, features)
        probability, abstain = said, None
        if self._decisions is not None:
            probability, abstain = self._decisions.update(said, features.values, _close_of(features))
        inputs: tuple[Input, ...] = ()
        if model_version != self._model_version:
            inputs = (Input(features.seq, InputKind.MODEL_SWAPPED, {"model_version": model_version}),)
            self._model_version = model_version
        return replace(self._forecast(features, model_version, probability, inputs), abstain=abstain)

    def build_fallback(self, features: FeatureFrame, reason: str) -> Forecast:
        """Return a forecast that asks for no new risk: NaN probabilities, confidence 0."""
        probability = np.full((len(features.values), len(Direction)), np.nan)
        if self._decisions is not None:
            self._decisions.skip(_close_of(features), features.values.shape[1])
        elif self._resumed is not None:
            closes = np.concatenate((self._resumed.closes, _close_of(features)[np.newaxis]))
            self._resumed = replace(self._resumed, closes=closes)
        inputs = (Input(features.seq, InputKind.FORECAST_FALLBACK, {"reason": reason}),)
        return self._forecast(features, self._model_version or "", probability, inputs)

    def _begin(self, model_version: str, features: FeatureFrame) -> None:
        """Have a model decide from this frame on: anew, or where a desk before this one had got to with it."""
        self._decisions, self._decided_version = self._prepared, model_version
        resumed, self._resumed = self._resumed, None
        if self._decisions is None or resumed is None or resumed.model_version != model_version:
            return
        if resumed.decisions is not None:
            self._decisions.restore(resumed.decisions)
        for close in resumed.closes:
            self._decisions.skip(close, features.values.shape[1])

    def _forecast(
        self, features: FeatureFrame, model_version: str, probability: FloatArray, inputs: tuple[Input, ...]
    ) -> Forecast:
        state = coverage = None
        if self._decisions is not None:
            state = self._decisions.snapshot() if self._keeps_state else None
            coverage = self._decisions.coverage
        return Forecast(
            seq=features.seq,
            probability=probability,
            confidence=confidence(probability),
            volatility_per_year=features.values[:, self._volatility].copy(),
            model_version=model_version,
            inputs=inputs,
            coverage=coverage,
            state=state,
        )


def _close_of(features: FeatureFrame) -> FloatArray:
    if features.close is None:
        raise PredictionError("close must be known where forecasts rest on what became of earlier ones, was not")
    return features.close
