"""The forecast of a bundle in process, and its repetition from a record."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.random_bundle import write_random_bundle
from outcry.errors import BundleError, PredictionError
from outcry.features.config import FeatureSetConfig
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.features.feature_set import build_feature_set
from outcry.features.recent import RecentRows
from outcry.market.bar_size import DAY_NS
from outcry.messages import FeatureFrame, Input, InputKind, WindowPart
from outcry.models.bundle import ModelBundle, load_bundle
from outcry.models.confidence import confidence
from outcry.models.forecast import ForecastBuilder
from outcry.models.predictor import BundlePredictor, predict_rows

FEATURES = build_feature_set(FeatureSetConfig(), DAY_NS, ("SPY",))
FEATURE_NAMES = FEATURES.names
N_SYMBOLS = 4


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[ModelBundle]:
    directory: Path = tmp_path_factory.mktemp("bundles")
    names = FEATURE_NAMES[10:2:-1]  # not in the order of the set
    paths = [write_random_bundle(directory, names, FEATURES.hash, seed=seed, n_rounds=3) for seed in (0, 1)]
    return [load_bundle(path, FEATURE_NAMES, FEATURES.hash) for path in paths]


def feature_frame(seq: int) -> FeatureFrame:
    values = np.random.default_rng(100 + seq).standard_normal((N_SYMBOLS, len(FEATURE_NAMES)))
    values[0] = np.nan
    return FeatureFrame(seq, seq * 10**9, values, np.zeros(N_SYMBOLS, dtype=np.bool_))


async def test_forecast_holds_the_probabilities_of_the_named_columns(bundles) -> None:
    frame = feature_frame(0)
    forecast = await BundlePredictor(bundles[0], feature_names=FEATURE_NAMES).predict(frame)
    expected = bundles[0].predict_proba(frame.values[:, [FEATURE_NAMES.index(n) for n in bundles[0].feature_names]])
    assert np.array_equal(forecast.probability, expected, equal_nan=True)
    assert np.isnan(forecast.probability[0]).all()
    assert np.array_equal(forecast.confidence, confidence(expected))
    volatility = frame.values[:, FEATURE_NAMES.index(VOLATILITY_COLUMN)]
    assert np.array_equal(forecast.volatility_per_year, volatility, equal_nan=True)
    assert (forecast.seq, forecast.model_version) == (0, bundles[0].version)


async def test_model_is_an_input_of_the_first_frame_only(bundles) -> None:
    predictor = BundlePredictor(bundles[0], feature_names=FEATURE_NAMES)
    seen = [(await predictor.predict(feature_frame(seq))).inputs for seq in range(3)]
    assert seen == [(Input(0, InputKind.MODEL_SWAPPED, {"model_version": bundles[0].version}),), (), ()]
    resumed = BundlePredictor(bundles[0], model_version=bundles[0].version, feature_names=FEATURE_NAMES)
    assert (await resumed.predict(feature_frame(3))).inputs == ()


async def test_record_of_a_run_repeats_its_swaps_and_fallbacks(bundles) -> None:
    recorded = (
        Input(0, InputKind.MODEL_SWAPPED, {"model_version": bundles[1].version}),
        Input(1, InputKind.FORECAST_FALLBACK, {"reason": "deadline of 2.0 s passed: no answer"}),
        Input(2, InputKind.HALT, {"reason": "operator"}),
        Input(3, InputKind.MODEL_SWAPPED, {"model_version": bundles[0].version}),
    )
    predictor = BundlePredictor(*bundles, recorded=recorded, feature_names=FEATURE_NAMES)
    forecasts = [await predictor.predict(feature_frame(seq)) for seq in range(5)]
    assert [f.model_version for f in forecasts] == [bundles[i].version for i in (1, 1, 1, 0, 0)]
    assert [item for f in forecasts for item in f.inputs] == [recorded[0], recorded[1], recorded[3]]
    assert np.isnan(forecasts[1].probability).all()
    assert not forecasts[1].confidence.any()
    assert np.array_equal(
        forecasts[4].probability, predict_rows(bundles[0], feature_frame(4).values, FEATURE_NAMES), equal_nan=True
    )


async def test_rows_the_model_refuses_make_a_fallback_that_says_why(bundles) -> None:
    frame = feature_frame(0)
    frame.values[2, FEATURE_NAMES.index(bundles[0].feature_names[0])] = np.inf
    forecast = await BundlePredictor(bundles[0], feature_names=FEATURE_NAMES).predict(frame)
    assert np.isnan(forecast.probability).all()
    (fallback,) = forecast.inputs
    assert fallback.kind is InputKind.FORECAST_FALLBACK
    assert "must be finite or NaN, was inf in row 2" in fallback.payload["reason"]


def test_rows_of_another_width_are_refused(bundles) -> None:
    with pytest.raises(PredictionError, match=rf"rows must have shape \(n_rows, {len(FEATURE_NAMES)}\), was \(1, 3\)"):
        predict_rows(bundles[0], np.zeros((1, 3)), FEATURE_NAMES)


def test_probability_of_another_shape_is_refused() -> None:
    with pytest.raises(PredictionError, match=r"probability must have shape \(4, 3\), was \(3, 3\)"):
        ForecastBuilder(FEATURE_NAMES).build(feature_frame(0), "v", np.zeros((3, 3)))


def test_recorded_swap_to_an_unknown_model_is_refused(bundles) -> None:
    with pytest.raises(BundleError, match=r"model_version must be one of .*, was gone"):
        BundlePredictor(
            bundles[0],
            feature_names=FEATURE_NAMES,
            recorded=[Input(1, InputKind.MODEL_SWAPPED, {"model_version": "gone"})],
        )


async def test_windows_are_read_for_a_model_that_wants_them_and_a_swap_repeats(
    bundles, write_lag_bundle, tmp_path: Path
) -> None:
    names = FEATURE_NAMES[6:2:-1]
    windowed = load_bundle(write_lag_bundle(tmp_path, names, FEATURES.hash, 3), FEATURE_NAMES, FEATURES.hash)
    recent = RecentRows(5, N_SYMBOLS, len(FEATURE_NAMES))

    async def read_windows(columns: np.ndarray, n_bars: int) -> tuple[WindowPart, ...]:
        taken = recent.take(columns, n_bars)
        return (WindowPart(np.arange(N_SYMBOLS), np.arange(len(columns)), taken),)

    swap = Input(4, InputKind.MODEL_SWAPPED, {"model_version": windowed.version})
    predictor = BundlePredictor(bundles[0], windowed, recorded=(swap,), feature_names=FEATURE_NAMES)
    frames = [feature_frame(seq) for seq in range(6)]
    forecasts = []
    for frame in frames:
        recent.extend(frame.values[np.newaxis])
        forecasts.append(await predictor.predict(replace(frame, windows=read_windows)))
    assert [forecast.model_version for forecast in forecasts] == [bundles[0].version] * 4 + [windowed.version] * 2
    values = np.stack([frame.values for frame in frames])[:, :, windowed.columns_in(FEATURE_NAMES)]
    expected = windowed.predict_proba(values[5], windows=values[3:].astype(np.float32).transpose(1, 0, 2))
    np.testing.assert_array_equal(forecasts[5].probability, expected)


async def test_windows_that_are_not_kept_make_a_fallback(write_lag_bundle, tmp_path: Path) -> None:
    windowed = load_bundle(write_lag_bundle(tmp_path, FEATURE_NAMES[:3], FEATURES.hash, 3))
    forecast = await BundlePredictor(windowed, feature_names=FEATURE_NAMES).predict(feature_frame(0))
    assert np.isnan(forecast.probability).all()
    assert forecast.inputs[0].payload["reason"] == "windows of 3 rows must be kept, none are; see floor.window_bars"
