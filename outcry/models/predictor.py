"""Forecast in process: what a backtest and a replay use where the floor asks the served ensemble."""

from collections.abc import Iterable, Sequence

import numpy as np

from outcry.errors import BundleError, PredictionError
from outcry.market.frame import Float32Array, FloatArray
from outcry.messages import Direction, FeatureFrame, Forecast, Input, InputKind
from outcry.models.bundle import ModelBundle
from outcry.models.decisions import BuildAbstention
from outcry.models.forecast import ForecastBuilder
from outcry.models.windows import join_windows, read_windows


def predict_rows(
    bundle: ModelBundle, rows: FloatArray, feature_names: Sequence[str], windows: Float32Array | None = None
) -> FloatArray:
    """Pick the columns a bundle reads from rows of a whole feature set, and predict.

    Parameters
    ----------
    bundle : ModelBundle
    rows : float64 (n_rows, n_features)
    feature_names : sequence of str
        Of the columns of `rows`.
    windows : float32 (n_rows, lookback_bars, n_features_of_bundle), optional
        See `ModelBundle.predict_proba`.

    Returns
    -------
    float64 (n_rows, 3)
        In the order of `outcry.messages.Direction`.

    Raises
    ------
    PredictionError
        Where the width is another or a value is infinite.
    BundleError
        Where the bundle reads a feature that is not among them; loading checks this.
    """
    if rows.ndim != 2 or rows.shape[1] != len(feature_names):
        raise PredictionError(f"rows must have shape (n_rows, {len(feature_names)}), was {rows.shape}")
    return bundle.predict_proba(rows, bundle.columns_in(feature_names), windows)


class BundlePredictor:
    """`outcry.ports.Predictor` over bundles in this process.

    Parameters
    ----------
    *bundles : ModelBundle
        The first is in service until a recorded input names another.
    feature_names : sequence of str
        Of the columns of the frames it forecasts.
    model_version : str, optional
        The model of the frame before the first; see `ForecastBuilder`.
    build_abstention : callable, optional
        See `DecisionSpec.build`; absent, nothing is withheld.
    recorded : iterable of Input
        Inputs of a recorded run. Its fallbacks are repeated, its swaps take effect at their frames.

    Raises
    ------
    BundleError
        Where a recorded swap names a model that is not among `bundles`.
    """

    def __init__(
        self,
        *bundles: ModelBundle,
        feature_names: Sequence[str],
        model_version: str | None = None,
        build_abstention: BuildAbstention | None = None,
        recorded: Iterable[Input] = (),
    ) -> None:
        if not bundles:
            raise BundleError("bundles must hold at least one, were none")
        self._bundles = {bundle.version: bundle for bundle in bundles}
        self._bundle = bundles[0]
        self._feature_names = tuple(feature_names)
        self._builder = ForecastBuilder(feature_names, model_version, build_abstention=build_abstention)
        self._met, self._wants_members = "", False
        self._fallbacks: dict[int, str] = {}
        self._swaps: dict[int, ModelBundle] = {}
        for item in recorded:
            if item.kind is InputKind.FORECAST_FALLBACK:
                self._fallbacks[item.seq] = item.payload["reason"]
            elif item.kind is InputKind.MODEL_SWAPPED:
                self._swaps[item.seq] = self._named(item.payload["model_version"])

    async def predict(self, features: FeatureFrame) -> Forecast:
        self._bundle = self._swaps.get(features.seq, self._bundle)
        if features.seq in self._fallbacks:
            return self._builder.build_fallback(features, self._fallbacks[features.seq])
        bundle = self._bundle
        if bundle.version != self._met:
            self._wants_members = self._builder.meet(bundle.decision_spec, len(features.values))
            self._met = bundle.version
        try:
            windows = await self._read_windows(features)
            if self._wants_members:
                said = bundle.predict_members(features.values, bundle.columns_in(self._feature_names), windows)
            else:
                said = predict_rows(bundle, features.values, self._feature_names, windows)
        except PredictionError as error:
            return self._builder.build_fallback(features, str(error))
        return self._builder.build(features, bundle.version, said)

    async def _read_windows(self, features: FeatureFrame) -> Float32Array | None:
        lookback_bars = self._bundle.lookback_bars
        if lookback_bars == 1:
            return None
        columns = self._bundle.columns_in(self._feature_names)
        parts = await read_windows(features, columns, lookback_bars)
        return join_windows(parts, len(features.values), len(columns))

    def _named(self, version: str) -> ModelBundle:
        if version not in self._bundles:
            raise BundleError(f"model_version must be one of {', '.join(self._bundles)}, was {version}")
        return self._bundles[version]


class NoPredictor:
    """`outcry.ports.Predictor` of a run that asks no model: every forecast is NaN, and nothing falls back."""

    async def predict(self, features: FeatureFrame) -> Forecast:
        nothing = np.full(len(features.values), np.nan)
        probability = np.full((len(nothing), len(Direction)), np.nan)
        return Forecast(features.seq, probability, nothing, nothing, "")
