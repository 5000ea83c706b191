"""``outcry sweep``: search the parameters of the models with Ray Tune, and fit the winner."""

import asyncio
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from cli.console import console, print_json_document
from cli.options import (
    AsJson,
    Assignments,
    Bars,
    ConfigFile,
    End,
    Families,
    Horizon,
    Source,
    Start,
    Symbols,
    read_settings,
)
from cli.progress import StepProgress
from cli.sweep_view import best_table, describe, told_lines, told_score
from outcry.errors import ConfigurationError
from outcry.models.parameter_space import Choices

if TYPE_CHECKING:
    from outcry.adapters.postgres.sweeps import TrialRecord
    from training.model_sweep.market import SearchMarket
    from training.model_sweep.search import FinishedSearch, PreparedSearch
    from training.model_sweep.tuner import SearchPlan, TrialReport

TRIALS_STEP = "search"


_FIGURES = ("n_folds", "score", "log_loss", "base_log_loss", "sharpe", "max_drawdown_frac")


class Algorithm(StrEnum):
    """How the next point is proposed."""

    OPTUNA = "optuna"
    RANDOM = "random"
    GRID = "grid"


class ModelObjective(StrEnum):
    """What the best trial is the best in."""

    SHARPE = "sharpe"
    LOG_LOSS = "log_loss"


def sweep(
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    families: Families = None,
    horizon: Horizon = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            "--space",
            metavar="FAMILY.PARAMETER=LOW..HIGH",
            help="What is searched; may be repeated. Behind a range :log, :int or both, or VALUE,VALUE,… in its place. "
            "Without it, what each family says of itself.",
        ),
    ] = None,
    wide: Annotated[bool, typer.Option("--wide", help="Search the wide ranges of families that have some.")] = False,
    trials: Annotated[
        int, typer.Option("--trials", min=1, help="In all, those of an interrupted command included.")
    ] = 30,
    algorithm: Annotated[
        Algorithm, typer.Option("--algorithm", help="Who proposes the next point; grid takes every combination.")
    ] = Algorithm.OPTUNA,
    objective: Annotated[
        ModelObjective, typer.Option("--objective", help="Judged out of sample; the Sharpe ratio after costs.")
    ] = ModelObjective.LOG_LOSS,
    max_drawdown: Annotated[
        float, typer.Option("--max-drawdown", min=0.0, max=1.0, help="What a fold loses beyond it counts ten times.")
    ] = 0.15,
    stop_early: Annotated[
        bool, typer.Option(help="Stop a trial after a fold that leaves it in the lower two thirds (ASHA).")
    ] = True,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Trials at a time; one a core without it.", show_default=False),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run the trials that the journal has, too.")] = False,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Search the parameters of the members with Ray Tune, judged fold by fold out of sample, and fit the winner.

    Every trial is written to the journal, those that were stopped or failed too; the same command goes on where it was
    interrupted. Trials see the training span (training.train_frac) without its last fold: that one is for the winner.
    """
    settings = read_settings(
        source=source,
        symbols=symbols,
        start=start,
        end=end,
        bars=bars,
        config=config,
        assignments=assignments,
        horizon=horizon,
        families=families,
    )
    from training.model_sweep.search import prepare_search
    from training.model_sweep.space import space_of
    from training.model_sweep.tuner import SearchPlan

    searched = space_of(settings.training, space or (), is_wide=wide)
    if algorithm is Algorithm.GRID:
        if ranges := [name for name, each in searched.items() if not isinstance(each, Choices)]:
            raise ConfigurationError(
                f"--algorithm grid needs values, {ranges[0]} is a range: use --space {ranges[0]}=A,B"
            )
        trials = 1
        for each in searched.values():
            trials *= len(each.values) if isinstance(each, Choices) else 1
    plan = SearchPlan(
        searched, algorithm.value, trials, objective.value, max_drawdown, stop_early, settings.training.seed
    )
    n_workers = workers or os.cpu_count() or 1
    with StepProgress(quiet=as_json) as progress:
        prepared = prepare_search(settings, plan, progress.show)
        done = _Search(prepared, n_workers, progress, is_fresh=fresh).run()
    if as_json:
        print_json_document(describe(prepared, done))
        return
    console.print(best_table(done, prepared.plan))
    for line in told_lines(prepared, done):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


class _Search:
    """The trials of a search on a cluster, each in the journal when it has ended."""

    def __init__(self, prepared: "PreparedSearch", n_workers: int, progress: StepProgress, *, is_fresh: bool) -> None:
        self._prepared, self._n_workers, self._progress = prepared, n_workers, progress
        self._is_fresh = is_fresh
        self._url = ""
        self._reports: list[TrialReport] = []

    def run(self) -> "FinishedSearch":
        from cli.ledger import services_of
        from training.model_sweep.search import search

        with services_of(self._prepared.settings) as services:
            self._url = services.database_url
            return search(self._prepared, self._run_trials, self._known_sharpes, self._progress.show)

    def _run_trials(self, market: "SearchMarket", plan: "SearchPlan") -> "Sequence[TrialReport]":
        from cli.cluster import ray_cluster
        from training.model_sweep.tuner import run_trials

        known = asyncio.run(self._open())
        self._reports = [] if self._is_fresh else known
        self._show()
        if len(self._reports) < plan.n_trials:
            ray = self._prepared.settings.ray.model_copy(update={"num_cpus": self._n_workers})
            with ray_cluster(ray), tempfile.TemporaryDirectory(prefix="outcry-tune-") as folder:
                run_trials(
                    market, plan, tuple(self._reports), self._on_report, n_workers=self._n_workers, folder=Path(folder)
                )
        return self._reports

    def _on_report(self, report: "TrialReport", is_end: bool) -> None:
        if is_end:
            self._reports.append(report)
            asyncio.run(self._write(report))
        self._show()

    def _show(self) -> None:
        plan = self._prepared.plan
        scores = [report.score for report in self._reports if report.score is not None and not report.error]
        best = f", best {plan.objective} {told_score(max(scores), plan)}" if scores else ""
        n_done = min(len(self._reports), plan.n_trials)
        self._progress.show(TRIALS_STEP, n_done / plan.n_trials, f"{n_done} of {plan.n_trials} trials{best}")

    async def _open(self) -> "list[TrialReport]":
        from outcry.adapters.postgres.sweeps import SweepJournal, SweepRecord
        from training.model_sweep.space import to_json

        prepared, closes = self._prepared, self._prepared.training.ts_close_ns
        async with SweepJournal.connect(self._url) as journal:
            await journal.create(
                SweepRecord(
                    sweep_id=prepared.sweep_id,
                    strategy_name=prepared.name,
                    market=prepared.loaded.fingerprint,
                    source=prepared.settings.market.source,
                    symbols=prepared.loaded.universe.symbols,
                    span_ns=(int(closes[0]), int(closes[-1])),
                    grid=to_json(prepared.plan.space),
                    configuration=prepared.settings.public(),
                    n_points=prepared.plan.n_trials,
                )
            )
            found = await journal.finished(prepared.sweep_id)
        return [_report_of(found[key]) for key in sorted(found)]

    async def _write(self, report: "TrialReport") -> None:
        from outcry.adapters.postgres.sweeps import SweepJournal

        async with SweepJournal.connect(self._url) as journal:
            await journal.add(self._prepared.sweep_id, [_record_of(report, self._prepared)])

    def _known_sharpes(self) -> list[float]:
        from outcry.adapters.postgres.sweeps import SweepJournal

        async def ask() -> dict[str, float]:
            async with SweepJournal.connect(self._url) as journal:
                return await journal.known_sharpes(self._prepared.name, self._prepared.loaded.fingerprint)

        return list(asyncio.run(ask()).values())


def _record_of(report: "TrialReport", prepared: "PreparedSearch") -> "TrialRecord":
    from outcry.adapters.postgres.sweeps import TrialRecord
    from outcry.backtest.analytics.return_metrics import sharpe_ratio
    from training.model_sweep.space import settings_at

    config = settings_at(prepared.settings.training, report.point)
    metrics: dict[str, Any] | None = None
    if report.score is not None and not report.error:
        metrics = {name: getattr(report, name) for name in _FIGURES} | {
            "max_drawdown": report.max_drawdown_frac,
            "session_sharpe": sharpe_ratio(report.returns, per_year=1.0),
        }
    return TrialRecord(
        trial_key=_trial_key(prepared, report.point),
        point=report.point,
        configuration={name: getattr(config, name).model_dump(mode="json") for name in config.families},
        initial_cash=float(prepared.settings.broker.initial_cash),
        metrics=metrics,
        returns=report.returns,
        error=report.error,
    )


def _report_of(record: "TrialRecord") -> "TrialReport":
    from training.model_sweep.tuner import TrialReport

    metrics = record.metrics or {}
    returns = np.empty(0) if record.returns is None else record.returns
    return TrialReport(record.point, returns=returns, **{name: metrics[name] for name in _FIGURES})


def _trial_key(prepared: "PreparedSearch", point: Mapping[str, Any]) -> str:
    facts = [prepared.sweep_id, sorted(point.items())]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
