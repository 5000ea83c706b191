"""What is trained is measured out of sample, and the last fold does nothing but measure."""

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from configs.ensemble import AdaptiveConfig, RegimeThresholdsConfig
from configs.training import TrainingConfig
from configs.uncertainty import ConformalConfig
from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import FloatArray, FrameTensor
from outcry.messages import Direction
from outcry.models.bundle import load_bundle
from outcry.models.combiners.regime_thresholds import RegimeAxis
from outcry.models.evaluation import score
from outcry.models.manifest import BundleManifest
from training.dataset import ReadFeatures, build_dataset
from training.fit import fit_ensemble
from training.folds import folds_before

FEATURES = ("tech_drift", "tech_noise", "price_level")
UNITS = {"tech_drift": "ratio", "tech_noise": "index", "price_level": "price"}
BAR_NS = 86_400 * 10**9

Market = tuple[FrameTensor, FloatArray]
Reader = Callable[..., ReadFeatures]


def _fit(market: Market, config: TrainingConfig, directory: Path, **options: object) -> Path:
    frames, features = market
    return fit_ensemble(
        frames,
        lambda rows, columns: features[rows][..., [FEATURES.index(name) for name in columns]],
        FEATURES,
        config,
        units=UNITS,
        features_hash="c" * 64,
        symbols=("A", "B", "C"),
        bar_ns=BAR_NS,
        directory=directory,
        **options,  # type: ignore[arg-type]  # passed on as given
    )


@pytest.fixture(scope="module")
def fitted(market: Market, config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _fit(market, config, tmp_path_factory.mktemp("bundles"))


def test_a_feature_that_knows_something_beats_the_class_frequencies_out_of_sample(fitted: Path) -> None:
    manifest = load_bundle(fitted, FEATURES, "c" * 64).manifest
    assert len(manifest.folds) == 2
    assert all(fold.log_loss < fold.base_log_loss - 0.05 for fold in (*manifest.folds, manifest.test))
    assert manifest.test.accuracy > 0.45
    assert manifest.feature_names == ("tech_drift", "tech_noise")


def test_a_combiner_that_learns_is_judged_as_it_goes_and_stored_as_it_begins(
    market: Market, config: TrainingConfig, tmp_path: Path, fitted: Path
) -> None:
    adaptive = config.model_copy(update={"ensemble": AdaptiveConfig(half_life_bars=10.0, temperature=0.05)})
    bundle = load_bundle(_fit(market, adaptive, tmp_path))
    vote = load_bundle(fitted)
    assert bundle.decision_spec.learns
    assert [member.weight_frac for member in bundle.manifest.members] == pytest.approx(
        [member.weight_frac for member in vote.manifest.members], abs=1e-6
    )
    assert bundle.manifest.test.n == vote.manifest.test.n
    assert bundle.manifest.test.log_loss != vote.manifest.test.log_loss


def test_prediction_sets_are_stored_with_the_coverage_they_had_on_the_test_fold(
    market: Market, config: TrainingConfig, tmp_path: Path, fitted: Path, reader: Reader
) -> None:
    assert load_bundle(fitted).prediction_sets is None
    bundle = load_bundle(_fit(market, config.model_copy(update={"conformal": ConformalConfig(score="lac")}), tmp_path))
    data = build_dataset(market[0], reader(market[1]), FEATURES, UNITS, config)
    test, ts_ns = bundle.manifest.test, market[0].ts_close_ns[data.frame]
    is_test = (ts_ns >= test.first_ts_ns) & (ts_ns <= test.last_ts_ns)
    assert bundle.prediction_sets is not None
    for record in bundle.manifest.coverage:
        sets = bundle.prediction_sets.sets(bundle.predict_proba(data.rows[is_test]), 1.0 - record.stated_frac)
        assert record.covered_frac == sets[np.arange(test.n), data.labels[is_test]].mean()
        assert record.n_classes == sets.sum(axis=1).mean()
        assert record.covered_frac == pytest.approx(record.stated_frac, abs=0.15)  # of a hundred frames


def test_what_the_combiner_reads_is_a_column_of_the_bundle_and_not_of_its_members(
    market: Market, config: TrainingConfig, tmp_path: Path
) -> None:
    axis = RegimeAxis(feature="price_level", thresholds=(100.0,))
    regimes = config.model_copy(update={"ensemble": RegimeThresholdsConfig(axes=(axis,), prior_rows=1.0)})
    bundle = load_bundle(_fit(market, regimes, tmp_path), FEATURES)
    assert bundle.manifest.feature_names == ("tech_drift", "tech_noise")
    assert bundle.feature_names == ("tech_drift", "tech_noise", "price_level")
    row = market[1][300, :1]
    low, high = (bundle.predict_proba(np.column_stack((row[:, :2], [price]))) for price in (90.0, 110.0))
    assert not np.array_equal(low, high)
    unknown = np.array([[np.nan, np.nan, 90.0]])
    assert np.isnan(bundle.predict_proba(unknown)).all()
    missing = config.model_copy(update={"ensemble": RegimeThresholdsConfig()})
    with pytest.raises(ConfigurationError, match=r"must name columns of the feature set, stat_volatility.* is none"):
        _fit(market, missing, tmp_path)


def test_noise_beats_nothing(market: Market, config: TrainingConfig, tmp_path: Path) -> None:
    frames, features = market
    noise = np.random.default_rng(5).normal(size=features.shape)
    test = load_bundle(_fit((frames, noise), config, tmp_path)).manifest.test
    assert test.log_loss > test.base_log_loss - 0.02  # sampling error of about 500 rows


def test_the_figures_of_the_test_fold_are_those_of_the_bundle(
    fitted: Path, market: Market, config: TrainingConfig, reader: Reader
) -> None:
    bundle = load_bundle(fitted)
    frames, _ = market
    data = build_dataset(market[0], reader(market[1]), FEATURES, UNITS, config)
    test = bundle.manifest.test
    ts_ns = frames.ts_close_ns[data.frame]
    is_test = (ts_ns >= test.first_ts_ns) & (ts_ns <= test.last_ts_ns)
    scores = score(bundle.predict_proba(data.rows[is_test]), data.labels[is_test])
    assert scores.n == test.n
    assert scores.log_loss == test.log_loss
    assert scores.accuracy == test.accuracy


def test_no_training_label_reaches_into_the_fold_that_judges_it(fitted: Path, config: TrainingConfig) -> None:
    manifest = load_bundle(fitted).manifest
    records = (*manifest.folds, manifest.test)
    for record in records:
        gap_bars = (record.first_ts_ns - record.train_last_ts_ns) // BAR_NS
        assert gap_bars > config.horizon_bars + config.embargo_bars
    for record, later in pairwise(records):
        assert record.last_ts_ns < later.first_ts_ns
    assert manifest.first_ts_ns <= records[0].train_last_ts_ns
    assert records[-1].last_ts_ns <= manifest.last_ts_ns


def test_the_last_fold_changes_nothing_but_its_own_figures(
    fitted: Path, market: Market, config: TrainingConfig, tmp_path: Path
) -> None:
    frames, features = market
    before = load_bundle(fitted).manifest
    first_test = int(np.searchsorted(frames.ts_close_ns, before.test.first_ts_ns))
    close, changed = frames.close.copy(), features.copy()
    close[first_test:] = close[first_test:][::-1]
    changed[first_test:] *= -1.0
    other = FrameTensor(0, frames.ts_close_ns, close, close, close, close, frames.volume, close, ~np.isnan(close))
    after = load_bundle(_fit((other, changed), config, tmp_path)).manifest
    assert after.test.log_loss != before.test.log_loss
    assert after.members == before.members
    assert after.folds[:-1] == before.folds[:-1]  # the last labels of the fold before reach into the changed frames
    for name in ("xgboost.json", "lightgbm.txt", "calibration.json"):
        assert after.files[name] == before.files[name]


def test_the_same_data_and_seed_give_the_same_bundle_and_another_seed_another(
    fitted: Path, market: Market, config: TrainingConfig, tmp_path: Path
) -> None:
    assert _fit(market, config, tmp_path).name == fitted.name
    assert _fit(market, config.model_copy(update={"seed": 8}), tmp_path).name != fitted.name


def test_progress_rises_to_one(market: Market, config: TrainingConfig, tmp_path: Path) -> None:
    seen: list[tuple[str, float]] = []
    _fit(market, config, tmp_path, on_progress=lambda step, fraction: seen.append((step, fraction)))
    assert {step for step, _ in seen} == {"fit ensemble"}
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)


def test_a_model_judged_by_frames_of_its_own_learns_from_all_it_is_given_and_from_nothing_else(
    market: Market, config: TrainingConfig, tmp_path: Path
) -> None:
    frames, features = market
    n_given, test = 500, np.arange(510, 600)
    folds = folds_before(n_given, test, 2, config)

    def manifest_of(changed_from: int, changed_to: int) -> BundleManifest:
        close, values = frames.close.copy(), features.copy()
        close[changed_from:changed_to] = close[changed_from:changed_to][::-1]
        values[changed_from:changed_to] *= -1.0
        other = replace(frames, open=close, high=close, low=close, close=close, vwap=close)
        return load_bundle(
            _fit((other.rows(0, 600, first_seq=0), values[:600]), config, tmp_path, folds=folds)
        ).manifest

    was, later, newest = manifest_of(0, 0), manifest_of(n_given, 600), manifest_of(480, n_given)
    of_models = ("xgboost.json", "lightgbm.txt", "calibration.json")
    assert [was.files[name] == later.files[name] for name in of_models] == [True, True, True]
    assert was.folds == later.folds
    assert was.test.log_loss != later.test.log_loss
    assert [was.files[name] == newest.files[name] for name in of_models] == [False, False, False]
    days = [ts_ns // BAR_NS - 1 for ts_ns in (was.last_ts_ns, was.test.train_last_ts_ns, was.test.first_ts_ns)]
    assert days == [n_given - 1, n_given - config.horizon_bars - 1, 510]
    assert (len(was.folds), len(was.selection.chosen), was.selection.jaccard) == (2, 1, None)


def test_frames_that_only_judge_thin_nothing(market: Market, config: TrainingConfig, tmp_path: Path) -> None:
    frames, features = market
    thinned = config.model_copy(update={"max_rows": 900})
    short, long = (
        load_bundle(
            _fit(
                (frames.rows(0, stop, first_seq=0), features[:stop]),
                thinned,
                tmp_path,
                folds=folds_before(400, np.arange(400, stop), 1, config),
            )
        ).manifest
        for stop in (500, 700)
    )
    assert short.folds == long.folds
    assert short.files["lightgbm.txt"] == long.files["lightgbm.txt"]
    assert long.test.n > 2 * short.test.n


@pytest.mark.parametrize(
    ("n_frames", "rule"),
    [(15, "15 frames must hold a row with a label"), (40, "fold 1 must have training rows, had none")],
)
def test_too_few_frames_are_refused(
    market: Market, config: TrainingConfig, tmp_path: Path, n_frames: int, rule: str
) -> None:
    frames, features = market
    short = frames.rows(100, 100 + n_frames, first_seq=0), features[100 : 100 + n_frames]
    with pytest.raises(DataValidationError, match=rule):
        _fit(short, config, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_class_that_never_comes_gets_next_to_no_probability(
    market: Market, config: TrainingConfig, tmp_path: Path
) -> None:
    _, features = market
    never_neutral = config.model_copy(update={"band_kind": "fixed", "band_value": 0.0})
    bundle = load_bundle(_fit(market, never_neutral, tmp_path))
    assert bundle.manifest.label.volatility_window_bars is None
    probability = bundle.predict_proba(features[50:, 0, :2])
    assert probability[:, Direction.NEUTRAL].max() < 0.02


@pytest.mark.realdata
def test_an_ensemble_of_real_daily_bars_is_calibrated_and_claims_no_more_than_it_has(
    config: TrainingConfig, tmp_path: Path
) -> None:
    folder = Path(os.environ.get("OUTCRY_TEST_DATA", Path(__file__).parents[3] / "../shared/data"))
    symbols = ("AAPL", "IBM", "KO", "MSFT", "XOM")
    bars = pl.read_parquet(folder / "sp500_daily_2013_2018.parquet").filter(pl.col("symbol").is_in(symbols))
    wide = bars.pivot(on="symbol", index="ts", values="close").sort("ts")
    close = wide.select(symbols).to_numpy()
    ts_ns = wide["ts"].dt.epoch("ns").to_numpy()
    frames = FrameTensor(0, ts_ns, close, close, close, close, close, close, ~np.isnan(close))
    names = [f"ret_{k}" for k in (1, 2, 5, 10, 20, 60)]
    features = np.full((*close.shape, len(names)), np.nan)
    for column, k in enumerate((1, 2, 5, 10, 20, 60)):
        features[k:, :, column] = close[k:] / close[:-k] - 1.0
    path = fit_ensemble(
        frames,
        lambda rows, columns: features[rows][..., [names.index(name) for name in columns]],
        names,
        config,
        units=dict.fromkeys(names, "ratio"),
        features_hash="c" * 64,
        symbols=symbols,
        bar_ns=BAR_NS,
        directory=tmp_path,
    )
    bundle = load_bundle(path, names)
    assert bundle.manifest.symbols == symbols
    test = bundle.manifest.test
    assert test.n > 1000
    # daily direction is close to a coin toss: far better than the class frequencies would be a leak of the future
    assert abs(test.log_loss - test.base_log_loss) < 0.03
    assert test.ece_frac < 0.1
    probability = bundle.predict_proba(features[100:].reshape(-1, len(names)))
    assert probability.shape[1] == len(Direction)
    np.testing.assert_allclose(probability.sum(axis=1), 1.0, atol=1e-12)
