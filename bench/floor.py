"""The floor: frame to order through every actor and Serve, and its cold start.

Machines drift, and a shared one by half within an hour. So the same calls are measured right after the run with empty
actors, one call after another: what Ray and the machine take for themselves at that moment.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import ray

from actors.desk import FRAME_TO_ORDER, FRAME_TO_ORDER_SENT, DeskStatus
from bench.harness import Result, result
from cli.cluster import RayStart
from cli.ledger import services_of
from cli.session import floor_of, record_run, watch
from configs.loader import load_settings
from deployments.client import EnsembleClient, find_ensemble
from outcry.adapters.services import Services
from outcry.market.frame import PRICE_FIELDS, FloatArray
from outcry.messages import FeatureFrame
from training.prepare import PreparedRun, prepare_run

DATA_DIR = Path(os.environ.get("OUTCRY_TEST_DATA", "../shared/data"))
N_SYMBOLS = 100
N_WARM_FRAMES = 50  # the first calls load code and fill caches
N_WARM_ORDERS = 10
N_EMPTY_FRAMES = 350
EMPTY = "a yardstick: the seven calls of a frame in a row to empty actors and the ensemble, in the same session"


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
        with RayStart(settings.ray) as ray:
            ray.begin()  # as `outcry run` does, once it has loaded the market
            with services_of(settings) as services:
                return asyncio.run(_measure(prepared, services, ray, started))


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


async def _measure(prepared: PreparedRun, services: Services, ray: RayStart, started: float) -> list[Result]:
    latency_ms, cold_start_s, empty_ms = await _trade(prepared, services, ray, started)
    sent = latency_ms[FRAME_TO_ORDER_SENT][N_WARM_ORDERS:]
    every = latency_ms[FRAME_TO_ORDER][N_WARM_FRAMES:]
    n_symbols = len(prepared.plan.universe)
    how = f"{n_symbols} symbols, {len(sent)} frames that sent orders; all actors and Serve on this machine"
    results = [
        result("floor.frame_to_order_p50", _percentile(sent, 50), "ms", how, at_most=18.0),
        result("floor.frame_to_order_p99", _percentile(sent, 99), "ms", how, at_most=50.0),
        result("floor.every_frame_p50", _percentile(every, 50), "ms", f"all {len(every)} frames, with orders or not"),
        result("floor.every_frame_p99", _percentile(every, 99), "ms", f"all {len(every)} frames, with orders or not"),
        result("floor.empty_actors_p50", _percentile(empty_ms, 50), "ms", EMPTY),
        result("floor.empty_actors_p99", _percentile(empty_ms, 99), "ms", EMPTY),
        result("floor.cold_start", cold_start_s, "s", "services to first frame; bundle trained", at_most=30.0),
    ]
    for step, samples in sorted(latency_ms.items()):
        if step not in {FRAME_TO_ORDER, FRAME_TO_ORDER_SENT}:
            median = _percentile(samples[N_WARM_FRAMES:], 50)
            results.append(result(f"floor.step.{step}_p50", median, "ms", "as the desk waits for it; steps overlap"))
    return results


def _percentile(samples: FloatArray, q: int) -> float:
    return float(np.percentile(samples, q))


async def _trade(
    prepared: PreparedRun, services: Services, ray_start: RayStart, started: float
) -> tuple[Mapping[str, FloatArray], float, FloatArray]:
    first_frame_s = 0.0

    def notice_first_frame(status: DeskStatus) -> None:
        nonlocal first_frame_s
        if first_frame_s == 0.0 and status.last_seq >= 0:
            first_frame_s = time.perf_counter() - started

    await record_run(services, prepared)
    async with floor_of(prepared.plan, services, ray_start, lambda step, fraction: None) as floor:
        finished = await watch(floor, notice_first_frame)
        empty_ms = await _trade_with_empty_actors(len(prepared.plan.universe), prepared.plan.feature_set.names)
    if finished.status.state != "completed":
        raise RuntimeError(f"the run must complete, is {finished.status.state}: {finished.status.detail}")
    return finished.latency_ms, first_frame_s, empty_ms


class _Empty:
    """An actor that has nothing to do."""

    def answer(self, message: FloatArray) -> FloatArray:
        return message


class _EmptyDesk:
    """Ask empty actors and the ensemble in turn, as a desk that overlaps nothing but the journal."""

    async def trade(self, n_symbols: int, names: tuple[str, ...], actors: list[Any]) -> FloatArray:
        journal, router, portfolio, shard, risk = actors
        client = EnsembleClient(find_ensemble, names, deadline_s=60.0)
        values = np.random.default_rng(0).standard_normal((n_symbols, len(names)))
        bars = values[:, :4].copy()
        spent_ms = np.empty(N_EMPTY_FRAMES)
        for seq in range(N_EMPTY_FRAMES):
            started = time.perf_counter()
            durable = journal.answer.remote(bars)
            await router.answer.remote(bars)
            await portfolio.answer.remote(bars)
            features = FeatureFrame(seq, seq, await shard.answer.remote(values), np.zeros(n_symbols, dtype=np.bool_))
            await client.predict(features)
            await portfolio.answer.remote(bars)
            await risk.answer.remote(bars)
            await durable
            await router.answer.remote(bars)
            spent_ms[seq] = (time.perf_counter() - started) * 1e3
        return spent_ms


async def _trade_with_empty_actors(n_symbols: int, names: tuple[str, ...]) -> FloatArray:
    actors = [ray.remote(num_cpus=0)(_Empty).remote() for _ in range(5)]
    own_loop = {"env_vars": {"RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "0"}}  # as the desk of the floor has it
    desk: Any = ray.remote(num_cpus=0, runtime_env=own_loop)(_EmptyDesk).remote()
    spent_ms: FloatArray = await desk.trade.remote(n_symbols, names, actors)
    for actor in (desk, *actors):
        ray.kill(actor)
    return spent_ms[N_WARM_FRAMES:]
