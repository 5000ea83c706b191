"""``outcry stress``: the same run through scenarios in which the market does worse."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import yaml
from pydantic import ValidationError
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from cli.backtest import Parameters, StrategyFile, read_parameters
from cli.console import console, errors, print_json_document
from cli.options import (
    AsJson,
    Assignments,
    Bars,
    Bundle,
    ConfigFile,
    End,
    Source,
    Start,
    Symbols,
    read_settings,
)
from cli.progress import StepProgress
from outcry.errors import ConfigurationError
from outcry.exit_status import EXIT_FAILED

if TYPE_CHECKING:
    from outcry.backtest.stress.run import StressResult
    from outcry.backtest.stress.scenario import StressScenario

DAY_S = 86_400

ScenarioTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        metavar="NAME={…}",
        help="One of your own: 'flash={market_shock_frac: -0.2, shock_sessions: 5}'; may be repeated.",
    ),
]
At = Annotated[
    datetime | None,
    typer.Option(
        "--at", formats=["%Y-%m-%d"], help="Last day before the shock; without it, the first with a position."
    ),
]
PagePath = Annotated[Path | None, typer.Option("--report", help="Where to write stress.html.", show_default=False)]


def stress(
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    strategy: StrategyFile = None,
    parameters: Parameters = None,
    scenario: ScenarioTexts = None,
    at: At = None,
    bundle: Bundle = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    page: PagePath = None,
    as_json: AsJson = False,
) -> None:
    """Trade recorded bars made worse: a crash, a sudden shock, high volatility, symbols that move together.

    Features, forecasts and orders are computed anew on the bars of each scenario, with the same model or strategy.
    """
    from actors.stress import join_frames, stress_run
    from outcry.backtest.report.stress_page import render_stress, stress_record
    from outcry.backtest.strategy import load_strategy
    from outcry.backtest.stress.scenario import SCENARIOS
    from training.prepare import prepare_backtest

    settings = read_settings(
        source=source, symbols=symbols, start=start, end=end, bars=bars, config=config, assignments=assignments
    )
    scenarios = (*SCENARIOS, *settings.stress.scenarios, *(read_scenario(text) for text in scenario or ()))
    chosen = None if strategy is None else load_strategy(strategy, read_parameters(parameters))
    with StepProgress(quiet=as_json) as progress:
        plan, model, warmup, frames = prepare_backtest(settings, chosen, bundle, progress.show)
        results = stress_run(
            plan,
            model,
            chosen,
            warmup,
            frames,
            scenarios,
            starts_after_ns=None if at is None else int(at.replace(tzinfo=UTC).timestamp() + DAY_S) * 10**9,
            on_progress=lambda done, n, _: progress.show("stress", done / n),
        )
    path = page or settings.floor.state_dir / "runs" / plan.run_id / "stress.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    name = f"{plan.bundle_version} on {settings.market.source}"
    path.write_text(render_stress(name, join_frames(warmup, frames).ts_close_ns, results), encoding="utf-8")
    if as_json:
        print_json_document({"run_id": plan.run_id, **stress_record(results), "report": str(path)})
    else:
        _show(results)
        console.print(f"report  {path}", highlight=False, soft_wrap=True)
    if any(each.failure is not None for each in results):
        raise typer.Exit(EXIT_FAILED)


def read_scenario(text: str) -> "StressScenario":
    """Return a scenario written as NAME={field: value, …}.

    Raises
    ------
    ConfigurationError
        Where it is not one.
    """
    from outcry.backtest.stress.scenario import StressScenario

    name, _, fields = text.partition("=")
    try:
        return StressScenario(**{"name": name.strip(), **yaml.safe_load(fields)})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "value"
        raise ConfigurationError(f"--scenario {name}: {where}: {first['msg']}") from error
    except (yaml.YAMLError, TypeError) as error:
        raise ConfigurationError(f"--scenario must be NAME={{field: value, …}}, was {text}") from error


def _show(results: "tuple[StressResult, ...]") -> None:
    from outcry.backtest.report.stress_page import SCORE_NOTE, STRESS_HEADS, rest_note, stress_rows, stress_verdict

    console.print(f"[bold]{escape(stress_verdict(results))}[/]", highlight=False, soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column, head in enumerate(STRESS_HEADS[:-1]):  # all of them are wider than a terminal
        table.add_column(head.lower(), justify="right" if column else "left", no_wrap=not column)
    for row in stress_rows(results):
        table.add_row(*(escape(text) for text in row[:-1]))
    console.print(table)
    console.print(SCORE_NOTE, style="dim", highlight=False)
    if note := rest_note(results):
        console.print(f"[bold yellow]![/] {escape(note)}", highlight=False, soft_wrap=True)
    for each in results:
        if each.failure is not None:
            errors.print(f"{each.scenario.name}: {escape(str(each.failure))}", highlight=False, soft_wrap=True)
