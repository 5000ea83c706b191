"""The trials of a sweep: traded on a cluster, shown, and kept in the journal as they come."""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.cluster import cluster_address, ray_cluster
from cli.grid_view import SweepView
from cli.ledger import services_of
from configs.floor import RayConfig

if TYPE_CHECKING:
    from actors.trials import Point, TrialOutcome
    from configs.schema import Settings
    from outcry.backtest.strategy import StrategySource
    from training.objective import Objective
    from training.search.asking import Search
    from training.sweep import PreparedSweep

WRITE_EVERY_S = 1.0
STORE_SPARE_BYTES = 100 * 2**20


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What the command line asks for."""

    search: "Search"
    strategy: "StrategySource | None"
    parameters: Mapping[str, Any]
    bundle: Path | None
    objective: "Objective"
    is_fresh: bool
    report: Path | None
    as_json: bool


@dataclass(slots=True)
class SweepResult:
    """What came of a sweep; `sharpes` are of one session, of every trial known of the strategy on the market."""

    outcomes: dict[int, "TrialOutcome"] = field(default_factory=dict)
    n_reused: int = 0
    is_interrupted: bool = False
    seconds: float = 0.0
    memory: dict[str, float] = field(default_factory=dict)
    sharpes: dict[str, float] = field(default_factory=dict)


def trade_sweep(settings: "Settings", prepared: "PreparedSweep", request: SweepRequest) -> SweepResult:
    """Trade every trial that the journal does not hold yet, writing each as it comes.

    Raises
    ------
    StrategyError
        Where the objective of the user fails; what was traded is in the journal.
    """
    from training.search.loop import SearchLoop

    result = SweepResult()
    with services_of(settings) as services:
        known = asyncio.run(_open(services.database_url, prepared, request))
        with _Workers(settings, prepared, services.database_url) as workers:
            view = SweepView(prepared.trials, request.objective.name, prepared.n_trials, quiet=request.as_json)
            loop = SearchLoop(request.search, prepared.trials, request.objective, known, workers.trade)
            try:
                with view:
                    for traded in loop:
                        result.outcomes |= {outcome.index: outcome for outcome in traded.outcomes}
                        result.n_reused += len(traded.outcomes) if traded.is_reused else 0
                        view.show(traded.outcomes, is_reused=traded.is_reused)
            except KeyboardInterrupt:
                result.is_interrupted = True
            finally:
                workers.write()
            result.seconds, result.memory = workers.seconds, workers.memory
        result.sharpes = asyncio.run(_known_sharpes(services.database_url, prepared))
    return result


class _Workers:
    """A cluster that starts with the first trial to trade, and the journal of what comes back."""

    def __init__(self, settings: "Settings", prepared: "PreparedSweep", url: str) -> None:
        from actors.sweep import WorkerMemory

        self._settings, self._prepared, self._url = settings, prepared, url
        self._memory = WorkerMemory()
        self._cluster = ExitStack()
        self._workers: Any = None
        self._unwritten: list[TrialOutcome] = []
        self._written_at = self._started = 0.0

    def __enter__(self) -> "_Workers":
        return self

    def __exit__(self, *error: object) -> None:
        self._cluster.close()

    @property
    def seconds(self) -> float:
        """Since the cluster was there; 0 where none was needed."""
        return time.monotonic() - self._started if self._started else 0.0

    @property
    def memory(self) -> dict[str, float]:
        return self._memory.to_record() if self._memory.n_workers else {}

    def trade(self, points: "Sequence[tuple[int, Point]]") -> "Iterator[list[TrialOutcome]]":
        """Yield outcomes as they come; they are in the journal a second later, or when `write` is called."""
        from actors.sweep import TrialWorkers

        if self._workers is None:
            self._cluster.enter_context(ray_cluster(_cluster_for(self._settings.ray, self._prepared.market.n_bytes)))
            self._workers = TrialWorkers(self._prepared.market, self._memory)
            self._written_at = self._started = time.monotonic()
        for outcomes in self._workers.run(points):
            self._unwritten += outcomes
            if time.monotonic() - self._written_at > WRITE_EVERY_S:
                self.write()
            yield outcomes

    def write(self) -> None:
        """Bring the journal up to date."""
        _write(self._url, self._prepared, self._unwritten)
        self._unwritten, self._written_at = [], time.monotonic()


def _cluster_for(config: RayConfig, n_bytes: int) -> RayConfig:
    """Return the settings of a cluster with a worker a core, and a store that holds the market."""
    if cluster_address(config) is not None:
        return config
    store = max(config.object_store_bytes, n_bytes * 5 // 4 + STORE_SPARE_BYTES)
    return config.model_copy(update={"num_cpus": os.cpu_count() or 1, "object_store_bytes": store})


async def _open(url: str, prepared: "PreparedSweep", request: SweepRequest) -> "dict[str, TrialOutcome]":
    """Record the sweep, and return what it has finished before, by key."""
    from actors.trials import TrialOutcome
    from outcry.adapters.postgres.sweeps import SweepJournal, SweepRecord
    from training.objective import IC

    plan, closes = prepared.plan, prepared.frames.ts_close_ns
    async with SweepJournal.connect(url) as journal:
        await journal.create(
            SweepRecord(
                sweep_id=prepared.sweep_id,
                strategy_name=prepared.strategy_name,
                market=plan.fingerprint,
                source=plan.settings.market.source,
                symbols=plan.universe.symbols,
                span_ns=(int(closes[0]), int(closes[-1])),
                grid=request.search.grid.to_json(),
                configuration={**plan.settings.public(), "parameters": dict(request.parameters)},
                n_points=prepared.n_trials,
            )
        )
        records = {} if request.is_fresh else await journal.finished(prepared.sweep_id)
    # A trial is graded by its information coefficient only where a sweep asks for that.
    return {
        key: TrialOutcome(-1, dict(record.metrics or {}), record.returns, "", record.initial_cash)
        for key, record in records.items()
        if request.objective.name != IC or IC in (record.metrics or {})
    }


def _write(url: str, prepared: "PreparedSweep", outcomes: "Sequence[TrialOutcome]") -> None:
    from outcry.adapters.postgres.sweeps import SweepJournal, TrialRecord

    async def write() -> None:
        async with SweepJournal.connect(url) as journal:
            await journal.add(prepared.sweep_id, records)

    records = []
    for outcome in outcomes:
        trial = prepared.trials[outcome.index]
        records.append(
            TrialRecord(
                trial.key,
                trial.point,
                trial.configuration,
                outcome.initial_cash,
                outcome.metrics,
                outcome.returns,
                outcome.error,
            )
        )
    if records:
        asyncio.run(write())


async def _known_sharpes(url: str, prepared: "PreparedSweep") -> dict[str, float]:
    from outcry.adapters.postgres.sweeps import SweepJournal

    async with SweepJournal.connect(url) as journal:
        return await journal.known_sharpes(prepared.strategy_name, prepared.plan.fingerprint)
