"""Windows of features are the same rows wherever they are read: in a training, in both engines, and after a restart."""

import dataclasses
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from actors.fast import forecast_frames, make_tape, trade_forecasts
from actors.in_process import run_in_process
from actors.stress import join_frames
from bench.random_bundle import write_random_bundle
from configs.loader import load_settings
from configs.plan import RunPlan, sessions_around
from outcry.adapters.snapshots import pack_state, unpack_state
from outcry.adapters.sources.load import load_market
from outcry.backtest.replay import RunLedger, first_difference
from outcry.features.engine import FeatureEngine
from outcry.features.universe_features import UniverseFeatures
from outcry.market.frame import Float32Array, FloatArray, FrameTensor
from outcry.messages import Input, InputKind
from outcry.models.bundle import ModelBundle, load_bundle
from outcry.models.combiners import build_combiner
from outcry.models.combiners.adaptive import AdaptiveSpec
from outcry.models.dataset import FeatureHistory
from outcry.models.predictor import BundlePredictor

WINDOW_BARS = 12
N_WARMUP = 60


@dataclasses.dataclass(frozen=True)
class Span:
    """A plan without a bundle, and its frames."""

    plan: RunPlan
    warmup: FrameTensor
    frames: FrameTensor

    def build_features(self) -> UniverseFeatures:
        return self.plan.build_features(window_bars=WINDOW_BARS)


@pytest.fixture(scope="module")
def span() -> Span:
    """Two years of five real stocks, daily, with features of both stages."""
    settings = load_settings(
        assignments=[
            "features.groups=[momentum,volatility,cross]",
            "market.start=2010-01-01",
            "market.end=2011-12-31",
            "portfolio.entry_edge=0.0",
            "portfolio.exit_edge=0.0",
            "portfolio.rebalance_frac=0.001",
            "risk.max_sector_frac=1.0",
        ]
    )
    loaded = load_market(settings.market, {})
    n = len(loaded.frames)
    ts_ns = loaded.frames.ts_close_ns
    plan = RunPlan(
        run_id="run",
        settings=settings,
        universe=loaded.universe,
        sessions=sessions_around(loaded.calendar, int(ts_ns[0]), int(ts_ns[-1])),
        calendar=loaded.calendar.name,
        bar_ns=loaded.bar_ns,
        bars_per_year=252.0,
        first_row=N_WARMUP,
        last_seq=n - N_WARMUP - 1,
        fingerprint="",
        bundle_path=Path(),
        bundle_version="",
    )
    return Span(
        plan, loaded.frames.rows(0, N_WARMUP, first_seq=-N_WARMUP), loaded.frames.rows(N_WARMUP, n, first_seq=0)
    )


@pytest.fixture(scope="module")
def values(span: Span) -> FloatArray:
    """float64 (n_warmup + n_frames, n_symbols, n_features)."""
    features = span.plan.build_features()
    return features.replay(join_frames(span.warmup, span.frames))


@pytest.fixture(scope="module")
def model(span: Span, write_lag_bundle, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """Reads columns of both stages, not in the order of the set."""
    chosen = span.plan.feature_set
    names = [*chosen.names[::-7], *chosen.names[3:40:5]]
    folder = tmp_path_factory.mktemp("bundles")
    path = write_lag_bundle(folder, list(dict.fromkeys(names)), chosen.hash, WINDOW_BARS, seed=3)
    return load_bundle(path, chosen.names, chosen.hash)


def bits(windows: Float32Array) -> bytes:
    return np.ascontiguousarray(windows).tobytes()


def expected_windows(values: FloatArray, t: int, columns: np.ndarray) -> Float32Array:
    """Return what a training reads, float32 (n_bars, n_symbols, n_columns)."""
    history = FeatureHistory.of_frames(values[..., columns], 0, WINDOW_BARS)
    n_symbols = values.shape[1]
    return history.windows(WINDOW_BARS)[t * n_symbols : (t + 1) * n_symbols].transpose(1, 0, 2)


def test_frames_by_replay_and_one_by_one_leave_the_windows_of_a_training(span: Span, values: FloatArray) -> None:
    columns = np.arange(values.shape[2])[::-3]
    for t in (0, 5, WINDOW_BARS, N_WARMUP + 40):
        everything = join_frames(span.warmup, span.frames).rows(0, t + 1, first_seq=0)
        replayed, stepped = span.build_features(), span.build_features()
        replayed.replay(everything)
        for frame in everything:
            stepped.update(frame)
        expected = bits(expected_windows(values, t, columns))
        assert bits(replayed.take_recent(columns, WINDOW_BARS)) == expected
        assert bits(stepped.take_recent(columns, WINDOW_BARS)) == expected


def test_a_shard_that_restarts_has_the_windows_of_one_that_did_not(span: Span, values: FloatArray) -> None:
    owned = np.array([1, 3])
    columns = np.arange(0, span.plan.feature_set.n_symbol_columns, 5)

    def build() -> FeatureEngine:
        plan = dataclasses.replace(span.plan, lookback_bars=WINDOW_BARS)
        return plan.build_engine(len(owned))

    engine = build()
    engine.replay(span.warmup.select(owned))
    for frame in span.frames.rows(0, 5, first_seq=0):
        engine.update(frame.select(owned))
    restarted = build()
    restarted.restore(unpack_state(pack_state(engine.snapshot())))
    for resumed in (engine, restarted):
        resumed.replay(span.frames.rows(5, 9, first_seq=5).select(owned))
        taken = resumed.recent.take(columns, WINDOW_BARS)
        assert bits(taken) == bits(expected_windows(values, N_WARMUP + 8, columns)[:, owned])


async def test_both_engines_trade_alike_on_a_model_that_reads_windows(span: Span, model: ModelBundle) -> None:
    plan = dataclasses.replace(span.plan, lookback_bars=model.lookback_bars)
    names = plan.feature_set.names
    run = await run_in_process(plan, span.warmup, span.frames, BundlePredictor(model, feature_names=names))
    forecasts = forecast_frames(plan, model, span.warmup, span.frames, lambda step, done: None)
    fast = trade_forecasts(plan, make_tape(plan, span.warmup, span.frames), forecasts, lambda step, done: None)
    said = np.stack([outcome.forecast.probability for outcome in run.outcomes])
    np.testing.assert_array_equal(said, forecasts.probability)
    assert np.isfinite(said[-1]).all()
    recorded = RunLedger(
        tuple(run.ledger.orders),
        tuple(run.ledger.fills),
        {outcome.seq: outcome.book.equity for outcome in run.outcomes},
        tuple(run.ledger.events),
    )
    assert len(recorded.fills) > 20
    assert first_difference(recorded, fast.ledger()) is None
    assert isinstance(fast.ledger().equity[0], Decimal)


async def test_both_engines_trade_alike_on_a_combiner_that_learns(span: Span, tmp_path: Path) -> None:
    """Over prices with splits, whose closes go on across them."""
    features, weights = span.plan.feature_set, (0.5, 0.5)
    combiner = build_combiner(AdaptiveSpec(weights_frac=weights, horizon_bars=5, half_life_bars=10, temperature=0.1))
    path = write_random_bundle(tmp_path, features.names[3:40:5], features.hash, n_rounds=4, combiner=combiner)
    model = load_bundle(path, features.names, features.hash)
    predictor = BundlePredictor(model, feature_names=features.names)
    run = await run_in_process(span.plan, span.warmup, span.frames, predictor)
    forecasts = forecast_frames(span.plan, model, span.warmup, span.frames, lambda step, done: None)
    said = np.stack([outcome.forecast.probability for outcome in run.outcomes])
    np.testing.assert_array_equal(said, forecasts.probability)
    assert np.isfinite(said).all()


async def test_a_swap_to_windows_finds_the_rows_of_before(span: Span, model: ModelBundle, write_lag_bundle) -> None:
    """The frame of the swap is forecast from real rows, also from those before it."""
    names = span.plan.feature_set.names
    short = load_bundle(
        write_lag_bundle(model.path.parent, model.feature_names, span.plan.feature_set.hash, 2, seed=1), names
    )
    plan = dataclasses.replace(span.plan, lookback_bars=model.lookback_bars)
    swap = Input(30, InputKind.MODEL_SWAPPED, {"model_version": model.version})
    frames = span.frames.rows(0, 33, first_seq=0)
    predictor = BundlePredictor(short, model, feature_names=names, recorded=[swap])
    run = await run_in_process(plan, span.warmup, frames, predictor)
    said = np.stack([outcome.forecast.probability for outcome in run.outcomes])
    expected = [
        forecast_frames(plan, each, span.warmup, frames, lambda step, done: None).probability for each in (short, model)
    ]
    np.testing.assert_array_equal(said[:30], expected[0][:30])
    np.testing.assert_array_equal(said[30:], expected[1][30:])
