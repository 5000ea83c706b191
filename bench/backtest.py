"""The event-driven backtest: `trade_frame` in one process, with features, ensemble, limits and the simulated broker."""

import asyncio
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from actors.in_process import run_in_process
from bench.harness import Result, result
from configs.loader import load_settings
from outcry.models.predictor import BundlePredictor
from training.prepare import prepare_run

DATA_DIR = Path(os.environ.get("OUTCRY_TEST_DATA", "../shared/data"))
N_SYMBOLS = 20
N_FRAMES = 2_000
N_REPEATS = 3


def run() -> list[Result]:
    """Trade 5-minute bars of 20 stocks, or the sample where the data folder is not there."""
    source = DATA_DIR / "us_equities_5min_2025_2026.parquet"
    market = {"source": str(source), "symbols": N_SYMBOLS} if source.is_file() else {}
    with tempfile.TemporaryDirectory(prefix="oc-bench-") as state_dir:
        settings = load_settings(
            assignments=[f"floor.state_dir={state_dir}", "training.max_rows=30000"], options={"market": market}
        )
        prepared = prepare_run(settings, bundle=None, on_progress=lambda step, fraction: None)
    frames = prepared.frames.rows(0, min(N_FRAMES, len(prepared.frames)), first_seq=0)
    rates = []
    for _ in range(N_REPEATS):
        started = time.perf_counter()
        predictor = BundlePredictor(prepared.model, feature_names=prepared.plan.feature_set.names)
        asyncio.run(run_in_process(prepared.plan, prepared.warmup, frames, predictor))
        rates.append(len(frames) / (time.perf_counter() - started))
    how = f"{frames.n_symbols} symbols, {len(frames)} frames, {len(prepared.warmup)} of warm-up; median of {N_REPEATS}"
    return [result("backtest.frames_per_s", float(np.median(rates)), "frames/s", how, at_least=400.0)]
