"""A walk-forward of daily bars: an ensemble retrained each quarter on a rolling year, one run that trades it all."""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import exchange_calendars
import polars as pl

from bench.harness import Result, result
from cli.cluster import RayStart
from configs.loader import load_settings
from training.retrain import trade_walk_forward
from training.window import WindowForecast, WindowJob, WindowMarket, run_window
from training.window_tasks import run_on_ray

DATA_DIR = Path(os.environ.get("OUTCRY_TEST_DATA", "../shared/data"))
FILE = "sp500_daily_2013_2018.parquet"
N_SYMBOLS = 50
N_SESSIONS = 1_259
N_WORKERS = 2
GOAL_S = 90.0


def run() -> list[Result]:
    """Time a walk-forward through ten years: the five there are of so many symbols, twice."""
    source = DATA_DIR / FILE
    if not source.is_file():
        return []
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="oc-bench-") as folder:
        bars = Path(folder) / "ten_years.parquet"
        repeat_backwards(source, complete_symbols(source)).write_parquet(bars)
        settings = load_settings(
            assignments=[f"floor.state_dir={folder}/state"], options={"market": {"source": str(bars)}}
        )

        def run_jobs(market: WindowMarket, jobs: Sequence[WindowJob]) -> list[WindowForecast]:
            seconds["before"] = time.perf_counter() - started
            ray.wait()
            seconds["ray"] = time.perf_counter() - started - seconds["before"]
            begun = time.perf_counter()
            done = run_on_ray(run_window, market, jobs, lambda n_done, n: None, n_workers=N_WORKERS)
            seconds["windows"] = time.perf_counter() - begun
            return done

        started = time.perf_counter()
        with RayStart(settings.ray.model_copy(update={"num_cpus": N_WORKERS})) as ray:
            done = trade_walk_forward(settings, run_jobs, lambda step, fraction: None, on_loaded=ray.begin)
        whole = time.perf_counter() - started
    n_windows = len(done.history.windows)
    of = f"{N_SYMBOLS} symbols, {2 * N_SESSIONS} daily frames, all features, {n_windows} windows, {N_WORKERS} workers"
    split = (
        f"load and features {seconds['before']:.0f} s, Ray {seconds['ray']:.0f} s longer, "
        f"windows {seconds['windows']:.0f} s"
    )
    return [
        result("walk_forward.ten_years", whole, "s", f"{of}; {split}", at_most=GOAL_S),
        result(
            "walk_forward.window",
            seconds["windows"] / n_windows,
            "s",
            f"{of}; fit, forecast, trade the training span; wall clock",
        ),
    ]


def repeat_backwards(source: Path, symbols: Sequence[str]) -> pl.DataFrame:
    """Return the bars of symbols, and the same before them in as many earlier sessions, at prices that lead to them."""
    bars = pl.read_parquet(source).filter(pl.col("symbol").is_in(symbols)).sort("symbol", "ts")
    real = bars.get_column("ts").unique().sort()
    opens = exchange_calendars.get_calendar("XNYS", start="1995-01-01").opens
    before = opens[opens < real[0]][-len(real) :]
    utc = (
        pl.Series("earlier", before.dt.tz_convert(None).to_numpy()).dt.cast_time_unit("us").dt.replace_time_zone("UTC")
    )
    moved = pl.DataFrame([utc, real.alias("ts")])
    scale = pl.col("open").first().over("symbol") / pl.col("close").last().over("symbol")
    earlier = (
        bars.with_columns(pl.col("open", "high", "low", "close") * scale)
        .join(moved, on="ts")
        .with_columns(ts="earlier")
        .select(bars.columns)
    )
    return pl.concat((earlier, bars)).sort("ts", "symbol")


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
