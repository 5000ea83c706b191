"""Backtests: a frame at a time through the desk, and whole in the compiled loop, with features, ensemble and limits."""

import asyncio
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from actors.fast import forecast_frames, make_tape, predict_frames, trade_forecasts
from actors.in_process import run_in_process
from bench.features import TECHNICAL
from bench.harness import Result, result
from configs.loader import load_settings
from outcry.backtest.fast.engine import FastBacktest, FastConfig
from outcry.market.frame import FloatArray
from outcry.models.predictor import BundlePredictor
from training.prepare import PreparedRun, prepare_run

DATA_DIR = Path(os.environ.get("OUTCRY_TEST_DATA", "../shared/data"))
N_SYMBOLS = 20
N_DESK_FRAMES = 1_000
N_TREE_FRAMES = 500
N_REPEATS = 3
TURN_BARS = 78
"""A forecast keeps its side for so many bars in the run that measures the loop alone."""


def run() -> list[Result]:
    """Trade 5-minute bars of 20 stocks, or the sample where the data folder is not there."""
    source = DATA_DIR / "us_equities_5min_2025_2026.parquet"
    market = {"source": str(source), "symbols": N_SYMBOLS} if source.is_file() else {}
    with tempfile.TemporaryDirectory(prefix="oc-bench-") as state_dir:
        assignments = [f"floor.state_dir={state_dir}", "training.max_rows=30000", "features.n_threads=1"]

        def prepare(**options: dict[str, object]) -> PreparedRun:
            settings = load_settings(assignments=assignments, options={"market": market, **options})
            return prepare_run(settings, bundle=None, on_progress=_silent)

        every_group = prepare()
        technical = prepare(features={"groups": list(TECHNICAL)}, training={"selection": []})
    return [
        _measure_desk(every_group),
        _measure_whole("backtest.ensemble_bars_per_s", technical, at_least=100e3),
        _measure_whole("backtest.every_group_ensemble_bars_per_s", every_group, at_least=None),
        _measure_loop(every_group),
    ]


def _measure_desk(prepared: PreparedRun) -> Result:
    frames = prepared.frames.rows(0, min(N_DESK_FRAMES, len(prepared.frames)), first_seq=0)
    no_warmup = prepared.warmup.rows(0, 0, first_seq=0)
    rates = []
    for _ in range(N_REPEATS):
        started = time.perf_counter()
        predictor = BundlePredictor(prepared.model, feature_names=prepared.plan.feature_set.names)
        asyncio.run(run_in_process(prepared.plan, no_warmup, frames, predictor))
        rates.append(len(frames) / (time.perf_counter() - started))
    how = f"{frames.n_symbols} symbols, {len(frames)} frames, no warm-up; median of {N_REPEATS}"
    return result("backtest.desk_frames_per_s", float(np.median(rates)), "frames/s", how, at_least=400.0)


def _measure_whole(name: str, prepared: PreparedRun, *, at_least: float | None) -> Result:
    """Measure features, forecasts and trades, and what each part takes of a symbol-bar: time of the processor."""
    plan, frames, model = prepared.plan, prepared.frames, prepared.model
    n_bars = frames.close.size
    warmup = prepared.warmup.rows(0, 0, first_seq=0)
    few = frames.rows(0, min(N_TREE_FRAMES, len(frames)), first_seq=0)
    features = plan.build_features(model.feature_names)
    values = features.replay(few)
    parts = []
    for _ in range(N_REPEATS):
        started = time.process_time()
        predict_frames(model, values, features.features.names)
        of_trees = (time.process_time() - started) * len(frames) / len(few)
        started = time.process_time()
        forecasts = forecast_frames(plan, model, warmup, frames, _silent)
        of_forecasts = time.process_time() - started
        started = time.process_time()
        trade_forecasts(plan, make_tape(plan, warmup, frames), forecasts, _silent)
        parts.append((of_trees, of_forecasts, time.process_time() - started))
    trees, forecasting, trading = np.median(parts, axis=0)
    how = f"{frames.n_symbols} symbols, {len(frames)} frames, processor time; median of {N_REPEATS}"
    split = f"{len(model.feature_names)} columns read of {len(plan.feature_set.names)}, " + ", ".join(
        f"{part} {1e6 * seconds / n_bars:.2f} µs"
        for part, seconds in (("features", forecasting - trees), ("trees", trees), ("trading", trading))
    )
    rate = n_bars / (forecasting + trading)
    return result(name, rate, "symbol-bars/s", f"{how}; {split}", at_least=at_least)


def _measure_loop(prepared: PreparedRun) -> Result:
    """Measure accounting, sizing, limits, matching and fills alone, on forecasts that turn now and then."""
    plan, frames = prepared.plan, prepared.frames
    config = FastConfig(plan.settings.broker, plan.settings.portfolio, plan.settings.risk)
    tape = make_tape(plan, prepared.warmup, frames)
    probability, volatility = _turning_forecasts(frames.close.shape)
    rates = []
    for _ in range(N_REPEATS + 1):  # the first loads the code
        started = time.perf_counter()
        run = FastBacktest("bench", plan.universe, config, tape).trade_forecasts(probability, volatility)
        rates.append(frames.close.size / (time.perf_counter() - started))
    how = f"{frames.n_symbols} symbols, {len(frames)} frames, {len(run.order_rows)} orders, {len(run.fill_rows)} fills"
    return result("backtest.loop_bars_per_s", float(np.median(rates[1:])), "symbol-bars/s", how, at_least=5e6)


def _turning_forecasts(shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    n_frames, n_symbols = shape
    rng = np.random.default_rng(0)
    edge = rng.uniform(-1, 1, (n_frames // TURN_BARS + 1, n_symbols)).repeat(TURN_BARS, axis=0)[:n_frames]
    return np.stack([(1 + edge) / 2, np.zeros_like(edge), (1 - edge) / 2], axis=2), np.full(shape, 0.3)


def _silent(step: str, fraction: float) -> None:
    """Show no progress."""
