"""A sweep on a real cluster and a real database: every trial is kept, counted once, and not traded twice."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cli.grid import trade_grid
from cli.grid_trading import SweepRequest
from configs.grid_settings import read_grid
from configs.loader import load_settings
from configs.search import SearchName
from outcry.backtest.strategy import StrategySource, parameters_of
from training.objective import read_objective
from training.search.build import build_search

STRATEGY = """
import numpy as np
from outcry.backtest.strategy import Strategy

class Riser(Strategy):
    columns = ("returns_1m",)

    def __init__(self, edge: float = 0.0, size: float = 0.1) -> None:
        self.edge, self.size = edge, size

    def weights(self, view):
        if self.size > 0.3:
            raise RuntimeError("too much")
        past = view.features["returns_1m"]
        return np.where(np.isnan(past), np.nan, np.where(past > self.edge, self.size, 0.0))
"""


@pytest.fixture
def strategy(tmp_path: Path) -> StrategySource:
    path = tmp_path / "riser.py"
    path.write_text(STRATEGY)
    return StrategySource.read(path)


def run_sweep(
    url: str,
    redis_url: str,
    ray_address: str,
    folder: Path,
    strategy: StrategySource,
    *grid: str,
    search: SearchName = SearchName.GRID,
    n_trials: int | None = None,
    objective: str = "sortino",
) -> dict[str, Any]:
    settings = load_settings(
        assignments=[
            f"storage.database_url={url}", f"storage.redis_url={redis_url}", f"floor.state_dir={folder}",
            f"ray.address={ray_address}", "search.batch=3", "search.n_initial=6",
        ]
    )  # fmt: skip
    found = read_grid(grid, settings, parameters_of(strategy.load()))
    report = folder / "report.html"
    points = build_search(search, found, n_trials, 1, None, settings.search, 2)
    request = SweepRequest(points, strategy, {}, None, read_objective(objective), False, report, True)
    assert trade_grid(settings, request) == 0
    assert "<html" in report.read_text()
    return json.loads((folder / "sweep.json").read_text())


async def read_trials(url: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch("SELECT * FROM sweep_trials ORDER BY sweep_id, trial_key")
    finally:
        await connection.close()


def test_trials_are_kept_counted_once_and_resumed(
    postgres_url: str, redis_url: str, ray_address: str, tmp_path: Path, strategy
):
    grid = ("param.edge=0,0.01", "param.size=0.1,0.2,0.5", "portfolio.rebalance_frac=0.01,0.1")
    first = run_sweep(postgres_url, redis_url, ray_address, tmp_path, strategy, *grid)
    assert (first["n_points"], first["n_finished"], first["n_failed"], first["n_reused"]) == (12, 8, 4, 0)
    assert list(first["errors"].values()) == [4]
    assert "RuntimeError" in next(iter(first["errors"]))
    assert "too much" in next(iter(first["errors"]))
    assert first["evidence"]["n_trials"] == first["evidence"]["deflated"]["n_trials"] == 8
    assert first["worker_memory"]["n_workers"] >= 1
    by_place = {trial["trial"]: trial for trial in first["trials"]}
    assert first["best"]["metrics"]["sortino"] == max(
        trial["metrics"]["sortino"] for trial in first["trials"] if trial["metrics"]
    )

    rows = asyncio.run(read_trials(postgres_url))
    assert len(rows) == 12
    assert sorted(row["total_trades"] for row in rows if not row["error"]) == sorted(
        trial["metrics"]["n_trades"] for trial in first["trials"] if trial["metrics"]
    )
    assert all(row["metrics"] is None and row["sharpe_ratio"] is None for row in rows if row["error"])

    # Fewer points are another sweep, but no new trials: the count of what was tried stays.
    less = (grid[0], "param.size=0.1,0.2", grid[2])
    second = run_sweep(postgres_url, redis_url, ray_address, tmp_path, strategy, *less)
    assert (second["n_finished"], second["n_reused"], second["evidence"]["n_trials"]) == (8, 0, 8)
    results = {json.dumps(trial["point"]): trial["metrics"] for trial in by_place.values()}
    assert all(results[json.dumps(trial["point"])] == trial["metrics"] for trial in second["trials"])

    again = run_sweep(
        postgres_url, redis_url, ray_address, tmp_path, strategy, *less
    )  # nothing is left to do: Ray is not asked
    assert (again["n_reused"], again["sweep_id"], again["worker_memory"]) == (8, second["sweep_id"], {})
    assert again["trials"] == second["trials"]
    assert again["best"] == second["best"]
    assert again["evidence"] == second["evidence"]


def test_search_goes_on_from_the_journal_with_the_same_trials(
    postgres_url: str, redis_url: str, ray_address: str, tmp_path: Path, strategy
):
    objective = tmp_path / "mine.py"
    objective.write_text("def score(trial):\n    return trial.metrics['sharpe'] - trial.metrics['max_drawdown']\n")
    grid = ("param.edge=0..0.02", "param.size=0.05,0.1,0.2,0.5")
    whole = run_sweep(
        postgres_url, redis_url, ray_address, tmp_path, strategy, *grid,
        search=SearchName.BAYES, n_trials=12, objective=f"{objective}:score",
    )  # fmt: skip
    assert (whole["n_points"], whole["n_reused"], len(whole["trials"])) == (12, 0, 12)
    scores = [trial["metrics"]["mine.py:score"] for trial in whole["trials"] if trial["metrics"]]
    assert whole["best"]["metrics"]["mine.py:score"] == max(scores)
    assert whole["n_failed"] == sum(trial["point"]["param.size"] == 0.5 for trial in whole["trials"])
    assert "no grid" in whole["evidence"]["cautions"][-1]
    assert whole["evidence"]["sensitivity"]["effects"] == []

    # What a kill leaves is a part of the trials, whichever ended first.
    asyncio.run(forget_trials(postgres_url, whole["sweep_id"]))
    again = run_sweep(
        postgres_url, redis_url, ray_address, tmp_path, strategy, *grid,
        search=SearchName.BAYES, n_trials=12, objective=f"{objective}:score",
    )  # fmt: skip
    assert 0 < again["n_reused"] < whole["n_finished"]
    assert again["trials"] == whole["trials"]
    assert again["sweep_id"] == whole["sweep_id"]


async def forget_trials(url: str, sweep_id: str) -> None:
    """Delete every other trial of a sweep."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            """
            DELETE FROM sweep_trials WHERE sweep_id = $1 AND trial_key IN (
                SELECT trial_key FROM (
                    SELECT trial_key, row_number() OVER (ORDER BY trial_key) AS n FROM sweep_trials WHERE sweep_id = $1
                ) AS numbered WHERE n % 2 = 0
            )
            """,
            sweep_id,
        )
    finally:
        await connection.close()
