"""A sweep of the portfolio over the forecasts of an ensemble: trials as Ray tasks, into the journal."""

import os
import tempfile
import time
from pathlib import Path

from bench.harness import Result, result
from cli.grid import weigh
from cli.grid_trading import SweepRequest, trade_sweep
from configs.grid_settings import read_grid
from configs.loader import load_settings
from training.objective import read_objective
from training.search.asking import ListedSearch
from training.sweep import prepare_sweep

DATA_DIR = Path(os.environ.get("OUTCRY_TEST_DATA", "../shared/data"))
GRID = (
    "portfolio.target_volatility_per_year=0.05..0.50/10",
    "portfolio.entry_edge=0.02..0.11:0.01",
    "portfolio.rebalance_frac=0.01..0.10/10",
)


def run() -> list[Result]:
    """Trade 1,000 points on 80 stocks, 5-minute bars of nine months; the sample where the data folder is not there."""
    source = DATA_DIR / "us_equities_5min_2025_2026.parquet"
    market = {"source": str(source)} if source.is_file() else {}
    with tempfile.TemporaryDirectory(prefix="oc-bench-", ignore_cleanup_errors=True) as state_dir:
        settings = load_settings(
            assignments=[
                f"floor.state_dir={state_dir}", "training.max_rows=30000", "training.train_frac=0.1",
                "portfolio.exit_edge=0.01",
            ],
            options={"market": market},
        )  # fmt: skip
        Path(state_dir).chmod(0o755)  # the embedded database may run as another user
        grid = read_grid(GRID, settings, None)
        search, objective = ListedSearch(grid, grid.points(), {}), read_objective("sharpe")
        request = SweepRequest(search, None, {}, None, objective, True, None, True)
        started = time.perf_counter()
        prepared = prepare_sweep(settings, search, objective, None, {}, None, lambda step, fraction: None)
        prepared_at = time.perf_counter()
        swept = trade_sweep(settings, prepared, request)
        weigh(prepared, [swept.outcomes[place] for place in sorted(swept.outcomes)], request, swept)
        total_s = time.perf_counter() - started
    n_failed = sum(outcome.metrics is None for outcome in swept.outcomes.values())
    how = (
        f"{len(swept.outcomes)} trials, {n_failed} failed; {prepared.frames.n_symbols} symbols, {len(prepared.frames)} "
        f"frames, {swept.memory['n_workers']:.0f} workers"
    )
    prepare_s = prepared_at - started
    return [
        result("sweep.total_s", total_s, "s", f"{how}; {prepare_s:.0f} s of it data to forecasts", at_most=600.0),
        result("sweep.trials_per_s", len(swept.outcomes) / swept.seconds, "trials/s", how),
        result("sweep.worker_private_mb", swept.memory["private_mb"], "MB", "RSS less shared, the largest worker"),
        result("sweep.worker_growth_mb", swept.memory["growth_mb"], "MB", "from a worker's first chunk to its last"),
    ]
