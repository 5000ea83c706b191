"""Members of one ensemble learn different horizons, and none of them learns what it is judged by."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.fast import forecast_frames
from configs.loader import load_settings
from configs.training import TrainingConfig
from configs.validation import ValidationConfig, WeightsConfig, weigh_rows
from outcry.errors import ConfigurationError, DataValidationError
from outcry.labels.direction import UNDEFINED
from outcry.labels.forward import forward_returns
from outcry.market.frame import FloatArray, FrameTensor, IntArray
from outcry.messages import FeatureFrame
from outcry.models.bundle import load_bundle, load_members
from outcry.models.dataset import Dataset
from outcry.models.predictor import BundlePredictor
from tests.unit.training.conftest import FEATURES, UNITS, tensor_of
from training.dataset import build_dataset, labels_of, outcomes_of, returns_to_weigh
from training.fit import fit_ensemble
from training.folds import Folds, folds_before, folds_within
from training.prepare import PreparedRun, prepare_run
from training.walk_forward import WalkForward

KINDS = ValidationConfig.model_json_schema()["properties"]["kind"]["enum"]

Market = tuple[FrameTensor, FloatArray]


class Uniform:
    """A model that knows nothing."""

    def predict_proba(self, rows: FloatArray, columns: IntArray | None = None) -> FloatArray:
        return np.full((len(rows), 3), 1 / 3)


class Recorder:
    """A family whose models know nothing, and the rows that it was given."""

    name = "ridge"

    def __init__(self) -> None:
        self.parts: list[dict[str, Dataset]] = []

    def lookback_bars(self, params: Any) -> int:
        return 1

    def fit(self, earlier: Dataset, validation: Dataset, whole: Dataset, *others: Any) -> Uniform:
        self.parts.append({"earlier": earlier, "validation": validation, "whole": whole})
        return Uniform()


def read(features: FloatArray, names: Sequence[str], rows: IntArray, columns: Sequence[str]) -> FloatArray:
    return features[rows][..., [names.index(name) for name in columns]]


def fit(market: Market, config: TrainingConfig, directory: Path) -> Path:
    frames, features = market
    return fit_ensemble(
        frames,
        partial(read, features, FEATURES),
        FEATURES,
        config,
        units=UNITS,
        features_hash="c" * 64,
        symbols=("A", "B", "C"),
        bar_ns=86_400 * 10**9,
        directory=directory,
    )


def walk(market: Market, config: TrainingConfig, folds: Folds, monkeypatch: Any) -> list[list[dict[str, Dataset]]]:
    """Return, by fold and member, the rows that a family was given."""
    frames, features = market
    recorder = Recorder()
    monkeypatch.setattr("training.walk_forward.find_family", lambda name: recorder)
    reader = partial(read, features, FEATURES)
    done = WalkForward(
        build_dataset(frames, reader, FEATURES, UNITS, config, n_counted=folds.n_given),
        frames.ts_close_ns,
        config,
        reader,
        chooses_once=folds.chooses_once,
        outcomes=outcomes_of(frames, config),
        log_returns=returns_to_weigh(frames, config),
    )
    for train, test in folds.spans:
        done.advance(train, test, lambda done_frac: None)
    n_members = len(config.ensemble_members)
    return [recorder.parts[first : first + n_members] for first in range(0, len(recorder.parts), n_members)]


def overlaps(first: IntArray, first_bars: int, second: IntArray, second_bars: int, embargo_bars: int) -> bool:
    """Return whether a span [s, s + bars] of the one comes closer than the embargo to one of the other."""
    s, t = np.unique(first)[:, np.newaxis], np.unique(second)[np.newaxis]
    return bool(((s + first_bars + embargo_bars >= t) & (t + second_bars + embargo_bars >= s)).any())


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from([*KINDS, "of a window"]),
    horizons=st.lists(st.integers(1, 30), min_size=1, max_size=3, unique=True),
    horizon_bars=st.integers(1, 12),
    embargo_bars=st.integers(0, 6),
    max_rows=st.sampled_from([120_000, 700]),
)
def test_no_label_that_a_member_learns_overlaps_the_frames_that_judge_it(
    market: Market, kind: str, horizons: list[int], horizon_bars: int, embargo_bars: int, max_rows: int
) -> None:
    """Every pair of frames is compared, as members and judge are given them; no splitter is asked."""
    members = ["ridge", *(f"ridge@{bars}" for bars in horizons if bars != horizon_bars)]
    validation = {"kind": kind, "train_bars": 350, "test_bars": 100, "step_bars": 80}
    config = TrainingConfig.model_validate(
        {
            "members": members,
            "horizon_bars": horizon_bars,
            "embargo_bars": embargo_bars,
            "n_folds": 4,
            "max_rows": max_rows,
            "selection": [],
            "calibration_method": "identity",
            "validation": {} if kind == "of a window" else validation,
        }
    )
    n_frames, n_given = len(market[0]), 600
    folds = folds_within(n_frames, config)
    if kind == "of a window":
        folds = folds_before(n_given, np.arange(n_given + embargo_bars, n_frames), 2, config)
    with pytest.MonkeyPatch.context() as patch:
        learnt = walk(market, config, folds, patch)
    assert len(learnt) == len(folds.spans) > 1
    for (_, test), of_members in zip(folds.spans, learnt, strict=True):
        for member, parts in zip(config.ensemble_members, of_members, strict=True):
            bars = member.horizon_bars or horizon_bars
            for part in parts.values():
                assert len(part)
                assert not overlaps(part.frame, bars, test, horizon_bars, embargo_bars)
            earlier, validation_rows = parts["earlier"].frame, parts["validation"].frame
            assert not overlaps(earlier, bars, validation_rows, bars, embargo_bars)
            if kind == "of a window":
                assert parts["whole"].frame[-1] + bars < n_given


def test_a_member_learns_and_stops_by_its_own_labels_on_the_rows_that_have_one(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, _ = market
    config = TrainingConfig(
        members=("ridge", "ridge@9"), horizon_bars=3, selection=(), weights=WeightsConfig(uniqueness="symbol")
    )
    ((plain, other), *_) = walk(market, config, folds_within(len(frames), config), monkeypatch)
    expected = labels_of(frames.continuous(), config.model_copy(update={"horizon_bars": 9}))
    returns = forward_returns(frames.continuous().close, 9)
    for name, part in other.items():
        rows = plain[name]
        has_label = expected[rows.frame, rows.symbol] != UNDEFINED
        assert not has_label.all()
        assert part.frame.tolist() == rows.frame[has_label].tolist()
        np.testing.assert_array_equal(part.rows, rows.rows[has_label])
        np.testing.assert_array_equal(part.labels, expected[part.frame, part.symbol])
        np.testing.assert_array_equal(part.returns, returns[part.frame, part.symbol])
        unique = weigh_rows(config.weights, part.frame, part.frame + 9, part.symbol, np.empty((0, 0)))
        np.testing.assert_array_equal(part.weights, unique)
        assert (plain[name].labels == labels_of(frames.continuous(), config)[rows.frame, rows.symbol]).all()


def test_a_span_without_a_label_of_the_longest_horizon_is_refused(market: Market) -> None:
    with pytest.raises(ConfigurationError, match="are purged, by horizon_bars 900 and embargo_bars 5"):
        folds_within(700, TrainingConfig(members=("ridge", "ridge@900")))
    frames, _ = market
    close = frames.close.copy()
    close[1::2] = np.nan  # no two closes are an odd number of bars apart
    config = TrainingConfig(members=("ridge", "ridge@9"), horizon_bars=4, band_kind="fixed", band_value=0.0)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(DataValidationError) as refused:
        walk((tensor_of(close), market[1]), config, folds_within(700, config), patch)
    assert str(refused.value) == "fold 1 must have earlier rows with a label 9 bars ahead, had none"


@pytest.fixture(scope="module")
def trend() -> Market:
    """900 frames of 3 symbols that drift one way for months, slowly; a feature tells which, and noise hides it.

    The noise is of the price and not of its steps: over 1 bar it is 14 times the drift, over 20 less than it.
    """
    rng = np.random.default_rng(4)
    drift = 0.002 * np.repeat(rng.choice((-1.0, 1.0), (15, 3)), 60, axis=0)
    close = 100.0 * np.exp(np.cumsum(drift, axis=0) + 0.02 * rng.normal(size=drift.shape))
    features = np.stack((drift + 0.001 * rng.normal(size=drift.shape), rng.normal(size=drift.shape), close), axis=-1)
    return tensor_of(close), features


def test_the_member_that_knows_something_has_the_weight(trend: Market, tmp_path: Path) -> None:
    config = TrainingConfig.model_validate(
        {
            "members": ["lightgbm@1", "lightgbm@20"],
            "ensemble": {"method": "multi_horizon"},
            "horizon_bars": 15,
            "band_kind": "fixed",
            "band_value": 0.0,
            "selection": [],
            "lightgbm": {"max_rounds": 30, "n_leaves": 5, "min_leaf_rows": 60},
        }
    )
    path = fit(trend, config, tmp_path)
    manifest = load_bundle(path).manifest
    short, long = (member.weight_frac for member in manifest.members)
    assert short is not None
    assert long is not None
    assert long > 0.75
    assert manifest.label.horizon_bars == 15
    assert manifest.test.log_loss < manifest.test.base_log_loss - 0.1


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedRun:
    """A bundle of three horizons, trained on five years of the sample."""
    chosen = load_settings(
        assignments=[
            "features.set=small",
            "training.selection=[]",
            "training.members=[lightgbm@1,lightgbm,lightgbm@20]",
            "training.ensemble.method=multi_horizon",
            "training.lightgbm.max_rounds=10",
            f"floor.state_dir={tmp_path_factory.mktemp('state')}",
        ],
        options={"market": {"start": "2001-01-02", "end": "2006-12-29"}},
    )
    return prepare_run(chosen, bundle=None, on_progress=lambda step, done_frac: None)


def test_an_ensemble_of_three_horizons_trains_on_the_sample_and_says_who_learnt_what(prepared: PreparedRun) -> None:
    manifest = prepared.model.manifest
    assert [(member.name, member.files) for member in manifest.members] == [
        ("lightgbm@1", ("lightgbm@1.txt",)),
        ("lightgbm", ("lightgbm.txt",)),
        ("lightgbm@20", ("lightgbm@20.txt",)),
    ]
    assert manifest.label.horizon_bars == 5
    assert sum(member.weight_frac or 0.0 for member in manifest.members) == pytest.approx(1.0)
    assert len({manifest.files[f"{member.name}.txt"] for member in manifest.members}) == 3
    assert 1.0 < manifest.test.log_loss < 1.2
    model = load_bundle(prepared.model.path)
    rows = np.random.default_rng(0).normal(size=(50, len(model.feature_names)))
    np.testing.assert_allclose(model.predict_proba(rows).sum(axis=1), 1.0, atol=1e-12)
    first_open = prepared.frames.ts_close_ns[0]
    assert manifest.test.last_ts_ns < first_open


async def test_a_desk_forecasts_the_bits_of_a_backtest(prepared: PreparedRun) -> None:
    plan, model, frames = prepared.plan, prepared.model, prepared.frames.rows(0, 120, first_seq=0)
    expected = forecast_frames(plan, model, prepared.warmup, frames, lambda step, done_frac: None).probability
    pipeline = plan.build_features()
    pipeline.replay(prepared.warmup)
    names = pipeline.features.names
    predictor = BundlePredictor(model, feature_names=names)
    for row, frame in enumerate(frames):
        pipeline.update(frame)
        seen = FeatureFrame(frame.seq, frame.ts_close_ns, pipeline.values, pipeline.stale, close=frames.close[row])
        np.testing.assert_array_equal((await predictor.predict(seen)).probability, expected[row])
    assert np.isfinite(expected).any(axis=(1, 2)).all()


def test_a_network_learns_classes_and_returns_of_its_own_horizon(market: Market, tmp_path: Path) -> None:
    config = TrainingConfig.model_validate(
        {
            "members": ["gru@9"],
            "horizon_bars": 3,
            "n_folds": 2,
            "selection": [],
            "gru": {"max_epochs": 1, "lookback_bars": 4, "n_hidden": 4, "n_dense": 4, "return_weight_frac": 0.5},
        }
    )
    bundle = load_bundle(fit(market, config, tmp_path))
    (member,) = bundle.manifest.members
    assert (member.files, member.lookback_bars) == (("gru@9.json", "gru@9.npz"), 4)
    scale = json.loads(load_members(bundle)["gru@9"].save()["gru.json"])["return_scale"]
    close = market[0].continuous().close
    of_3_bars, of_9_bars = (np.nanstd(forward_returns(close, bars)) for bars in (3, 9))
    assert scale == pytest.approx(of_9_bars, rel=0.25)
    assert scale > 1.5 * of_3_bars
