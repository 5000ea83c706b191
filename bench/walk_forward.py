"""A walk-forward of daily bars: an ensemble retrained each quarter on a rolling year, one run that trades it all."""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from bench.harness import Result, result
from cli.cluster import ray_cluster
from configs.loader import load_settings
from training.retrain import trade_walk_forward
from training.window import WindowForecast, WindowJob, WindowMarket
from training.window_tasks import run_on_ray

DATA_DIR = Path(os.environ.get("OUTCRY_TEST_DATA", "../shared/data"))
FILE = "sp500_daily_2013_2018.parquet"
N_SYMBOLS = 50
N_SESSIONS = 1_259
N_WORKERS = 2
TEN_YEARS_WINDOWS = (2_520 - 252) // 63
GOAL_S = 90.0


def run() -> list[Result]:
    """Time a walk-forward through five years, the longest there is of so many symbols, and scale it to ten."""
    source = DATA_DIR / FILE
    if not source.is_file():
        return []
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="oc-bench-") as state_dir:
        settings = load_settings(
            assignments=[f"floor.state_dir={state_dir}"],
            options={"market": {"source": str(source), "symbols": complete_symbols(source)}},
        )

        def run_jobs(market: WindowMarket, jobs: Sequence[WindowJob]) -> list[WindowForecast]:
            seconds["before"] = time.perf_counter() - started
            with ray_cluster(settings.ray.model_copy(update={"num_cpus": N_WORKERS})):
                seconds["ray"] = time.perf_counter() - started - seconds["before"]
                begun = time.perf_counter()
                done = run_on_ray(market, jobs, lambda n_done, n: None, n_workers=N_WORKERS)
                seconds["windows"] = time.perf_counter() - begun
            return done

        started = time.perf_counter()
        done = trade_walk_forward(settings, run_jobs, lambda step, fraction: None)
        whole = time.perf_counter() - started
    n_windows = len(done.history.windows)
    each = seconds["windows"] / n_windows
    rest = whole - seconds["windows"] - seconds["ray"]
    ten_years = each * TEN_YEARS_WINDOWS + rest * 2_520 / N_SESSIONS + seconds["ray"]
    of = f"{N_SYMBOLS} symbols, {N_SESSIONS} daily frames, all features, {n_windows} windows, {N_WORKERS} workers"
    split = (
        f"load and features {seconds['before']:.0f} s, Ray {seconds['ray']:.0f} s, windows {seconds['windows']:.0f} s"
    )
    return [
        result("walk_forward.five_years", whole, "s", f"{of}; {split}"),
        result("walk_forward.window", each, "s", f"{of}; fit, forecast, trade the training span; wall clock"),
        result(
            "walk_forward.ten_years",
            ten_years,
            "s",
            f"scaled: {TEN_YEARS_WINDOWS} windows, Ray once, all else twice; no ten years of {N_SYMBOLS} symbols here",
            at_most=GOAL_S,
        ),
    ]


def complete_symbols(source: Path) -> tuple[str, ...]:
    """Return the first symbols, by name, that have every session and no bar that a load refuses."""
    prices = pl.col("open"), pl.col("close")
    is_bad = (
        pl.any_horizontal(pl.col("open", "high", "low").is_null())
        | (pl.col("high") < pl.max_horizontal(*prices))
        | (pl.col("low") > pl.min_horizontal(*prices))
        | (pl.col("volume") <= 0)
    )
    counted = pl.read_parquet(source).group_by("symbol").agg(n=pl.len(), is_bad=is_bad.any())
    whole = counted.filter((pl.col("n") == N_SESSIONS) & ~pl.col("is_bad"))
    return tuple(whole.get_column("symbol").sort().head(N_SYMBOLS).to_list())
