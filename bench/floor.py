"""The floor: frame to order through every actor and Serve, and its cold start."""

import asyncio
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from actors.desk import FRAME_TO_ORDER, DeskStatus
from bench.harness import Result, result
from cli.ledger import services_of
from cli.session import floor_of, record_run, watch
from configs.loader import load_settings
from outcry.adapters.services import Services
from outcry.market.frame import PRICE_FIELDS, FloatArray
from training.prepare import PreparedRun, prepare_run

DATA_DIR = Path(os.environ.get("OUTCRY_TEST_DATA", "../shared/data"))
N_SYMBOLS = 100
N_WARM_FRAMES = 50  # the first calls load code and fill caches


def run() -> list[Result]:
    """Trade the last two years of 100 daily stocks, or the sample where the data folder is not there."""
    source = DATA_DIR / "sp500_daily_2013_2018.parquet"
    market = {"source": str(source), "symbols": _clean_symbols(source)} if source.is_file() else {}
    with tempfile.TemporaryDirectory(prefix="oc-bench-") as state_dir:
        settings = load_settings(
            assignments=[f"floor.state_dir={state_dir}", "serving.port=8437", "training.max_rows=30000"],
            options={"market": market},
        )
        prepared = prepare_run(settings, bundle=None, on_progress=lambda step, fraction: None)
        started = time.perf_counter()  # the bundle is trained, the caches are warm
        with services_of(settings) as services:
            return asyncio.run(_measure(prepared, services, started))


def _clean_symbols(source: Path) -> tuple[str, ...]:
    """Return the first symbols by name whose every bar can be loaded: the file keeps what its source got wrong."""
    prices = pl.concat_list("open", "high", "low", "close")
    is_clean = (
        (prices.list.drop_nulls().list.len() == len(PRICE_FIELDS))
        & (pl.col("high") == prices.list.max())
        & (pl.col("low") == prices.list.min())
    )
    symbols = pl.scan_parquet(source).group_by("symbol").agg(is_clean.all().alias("clean"), pl.len()).collect()
    complete = symbols.filter(pl.col("clean") & (pl.col("len") == pl.col("len").max()))
    return tuple(complete.get_column("symbol").sort().head(N_SYMBOLS))


async def _measure(prepared: PreparedRun, services: Services, started: float) -> list[Result]:
    latency_ms, cold_start_s = await _trade(prepared, services, started)
    frame_to_order = latency_ms[FRAME_TO_ORDER][N_WARM_FRAMES:]
    p50, p99 = np.percentile(frame_to_order, [50, 99])
    how = f"{len(prepared.plan.universe)} symbols, {len(frame_to_order)} frames, all actors and Serve on this machine"
    results = [
        result("floor.frame_to_order_p50", float(p50), "ms", how, at_most=18.0),
        result("floor.frame_to_order_p99", float(p99), "ms", how, at_most=50.0),
        result("floor.cold_start", cold_start_s, "s", "services to first frame; bundle trained", at_most=30.0),
    ]
    for step, samples in sorted(latency_ms.items()):
        if step != FRAME_TO_ORDER:
            median = float(np.median(samples[N_WARM_FRAMES:]))
            results.append(result(f"floor.step.{step}_p50", median, "ms", "as the desk waits for it; steps overlap"))
    return results


async def _trade(prepared: PreparedRun, services: Services, started: float) -> tuple[Mapping[str, FloatArray], float]:
    first_frame_s = 0.0

    def notice_first_frame(status: DeskStatus) -> None:
        nonlocal first_frame_s
        if first_frame_s == 0.0 and status.last_seq >= 0:
            first_frame_s = time.perf_counter() - started

    await record_run(services, prepared)
    async with floor_of(prepared.plan, services, lambda step, fraction: None) as floor:
        finished = await watch(floor, notice_first_frame)
    if finished.status.state != "completed":
        raise RuntimeError(f"the run must complete, is {finished.status.state}: {finished.status.detail}")
    return finished.latency_ms, first_frame_s
