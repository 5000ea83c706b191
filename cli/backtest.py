"""``outcry backtest``: a run over recorded bars, in one compiled loop or through the desk."""

import asyncio
import os
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from cli.console import console, print_json_document
from cli.grid import trade_grid
from cli.grid_trading import SweepRequest
from cli.options import (
    AsJson,
    Assignments,
    Bars,
    Benchmark,
    Bundle,
    ConfigFile,
    End,
    Source,
    Start,
    Symbols,
    read_settings,
)
from cli.progress import StepProgress
from cli.report_file import make_report_path
from configs.search import Acquisition, SearchName

if TYPE_CHECKING:
    from actors.fast import Progress
    from configs.schema import Settings
    from outcry.backtest.history import RunHistory
    from outcry.backtest.strategy import AnyStrategy
    from outcry.errors import StrategyError

ReportPath = Annotated[Path | None, typer.Option("--report", help="Where to write report.html.", show_default=False)]


class EngineName(StrEnum):
    """Which of two engines trades; orders, fills and equity are the same."""

    FAST = "fast"
    DESK = "desk"


Engine = Annotated[
    EngineName, typer.Option("--engine", help="fast: one compiled loop. desk: frame by frame, as a live floor does.")
]
StrategyFile = Annotated[
    Path | None,
    typer.Option("--strategy", help="Trade the strategy of this Python file instead of the ensemble's forecasts."),
]
Parameters = Annotated[
    list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="One parameter of it; may be repeated.")
]
GridTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--grid",
        metavar="KEY=VALUES",
        help="Trade many combinations, over Ray; may be repeated. KEY: a setting of portfolio, risk or broker, or "
        "param.NAME. VALUES: a,b,c or first..last/count or first..last:step, or first..last for everything between.",
    ),
]
Searched = Annotated[
    SearchName | None,
    typer.Option(
        "--search",
        help="Which combinations of --grid: all of them (grid, the default), N drawn (random), or N chosen by the "
        "results so far, with a Gaussian process (bayes) or a genetic algorithm; see search.… of the settings.",
        show_default=False,
    ),
]
NTrials = Annotated[
    int | None, typer.Option("--trials", metavar="N", help="Combinations to trade with random, bayes or genetic.")
]
Seed = Annotated[int, typer.Option("--seed", help="Of random, bayes and genetic.")]
Acquired = Annotated[
    Acquisition | None,
    typer.Option(
        "--acquisition",
        help="What bayes looks for: expected improvement (ei, the default) or an upper confidence bound (ucb).",
        show_default=False,
    ),
]
BestBy = Annotated[
    str,
    typer.Option(
        "--objective",
        metavar="NAME",
        help="What the best trial is the best in: sharpe, sortino, calmar, total_return, ic (rank correlation of a "
        "strategy's weights with the next returns), or FILE.py:FUNCTION.",
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Trade again what the journal has of the same grid.")]


def backtest(
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    strategy: StrategyFile = None,
    parameters: Parameters = None,
    engine: Engine = EngineName.FAST,
    grid: GridTexts = None,
    search: Searched = None,
    n_trials: NTrials = None,
    seed: Seed = 0,
    acquisition: Acquired = None,
    objective: BestBy = "sharpe",
    fresh: Fresh = False,
    bundle: Bundle = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    benchmark: Benchmark = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Trade recorded bars in this process, with the decisions, limits and fills of a live floor.

    Without --strategy an ensemble is trained on the first part of the data, and trades the rest. With --grid each
    combination of settings and parameters is a trial, all of them or those that --search chooses; they are kept in the
    journal, and the best one is reported with how far it can be told from luck.
    """
    from configs.grid_settings import read_grid
    from outcry.backtest.report.terminal import render_terminal
    from outcry.backtest.report.write import write_report
    from outcry.backtest.strategy import StrategySource, load_strategy, parameters_of
    from outcry.errors import ConfigurationError, StrategyError
    from training.objective import read_objective
    from training.search.build import build_search

    settings = read_settings(
        source=source,
        symbols=symbols,
        start=start,
        end=end,
        bars=bars,
        config=config,
        assignments=assignments,
        benchmark=benchmark,
    )
    given = read_parameters(parameters)
    if grid:
        if engine is not EngineName.FAST:
            raise ConfigurationError(f"--grid must go with --engine fast, was {engine.value}")
        file = None if strategy is None else StrategySource.read(strategy)
        found = read_grid(grid, settings, None if file is None else parameters_of(file.load()))
        points = build_search(
            search or SearchName.GRID, found, n_trials, seed, acquisition, settings.search, os.cpu_count() or 1
        )
        request = SweepRequest(points, file, given, bundle, read_objective(objective), fresh, report, as_json)
        raise typer.Exit(trade_grid(settings, request))
    for option, value in (("--search", search), ("--trials", n_trials), ("--acquisition", acquisition)):
        if value is not None:
            raise ConfigurationError(f"{option} must go with --grid, which says what is searched")
    chosen = None if strategy is None else load_strategy(strategy, given)
    with StepProgress(quiet=as_json) as progress:
        history, failure = _trade(settings, chosen, engine, bundle, progress.show)
    if strategy is not None:
        named = {"strategy": strategy.name, **{f"strategy.{key}": value for key, value in given.items()}}
        history = replace(history, settings={**{key: str(value) for key, value in named.items()}, **history.settings})
    path = make_report_path(settings, history.run_id, report)
    summary = write_report(history, path)
    if as_json:
        print_json_document(summary.to_record() | {"report": str(path)})
    else:
        console.print(render_terminal(summary))
        console.print(f"report  {path}", highlight=False, soft_wrap=True)
    if failure is not None:
        raise StrategyError(f"{failure}; the report is of the {len(history.ts_close_ns)} frames before it")


def read_parameters(assignments: list[str] | None) -> dict[str, Any]:
    """Return parameters of a strategy; values are read as YAML.

    Raises
    ------
    typer.BadParameter
        Where one is not of the form NAME=VALUE.
    """
    found: dict[str, Any] = {}
    for assignment in assignments or ():
        name, equals, value = assignment.partition("=")
        if not equals or not name.isidentifier():
            raise typer.BadParameter(f"--param must be NAME=VALUE, was {assignment}")
        found[name] = yaml.safe_load(value)
    return found


def _trade(
    settings: "Settings", strategy: "AnyStrategy | None", engine: EngineName, bundle: Path | None, show: "Progress"
) -> "tuple[RunHistory, StrategyError | None]":
    from actors.fast import forecast_frames, trade_frames
    from actors.history import history_of_fast_run, history_of_local_run
    from actors.in_process import run_in_process
    from outcry.models.predictor import BundlePredictor, NoPredictor
    from training.prepare import prepare_backtest

    plan, model, warmup, frames = prepare_backtest(settings, strategy, bundle, show)
    manifest = None if model is None else model.manifest
    if engine is EngineName.DESK:
        names = plan.feature_set.names
        run = asyncio.run(
            run_in_process(
                plan,
                warmup,
                frames,
                NoPredictor()
                if model is None
                else BundlePredictor(
                    model, feature_names=names, build_abstention=settings.uncertainty.build_abstention
                ),
                strategy=strategy,
                on_frame=lambda outcome: show("trade", (outcome.seq + 1) / len(frames)),
            )
        )
        return history_of_local_run(plan, manifest, warmup, frames, run), None
    columns = () if strategy is None else strategy.columns
    forecasts = forecast_frames(plan, model, warmup, frames, show, keep=columns)
    result, failure = trade_frames(plan, strategy, warmup, frames, forecasts, show)
    return history_of_fast_run(plan, manifest, warmup, frames, forecasts, result), failure
