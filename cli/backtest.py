"""``outcry backtest``: the life of a frame with plain objects for ports."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.console import console, print_json_document
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

ReportPath = Annotated[Path | None, typer.Option("--report", help="Where to write report.html.", show_default=False)]


def backtest(
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    bundle: Bundle = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Train on the first part of the data and trade the rest in this process; same path as run, without actors."""
    from actors.history import history_of_local_run
    from actors.in_process import run_in_process
    from outcry.backtest.report.terminal import render_terminal
    from outcry.backtest.report.write import write_report
    from outcry.models.predictor import BundlePredictor
    from training.prepare import prepare_run

    settings = read_settings(
        source=source, symbols=symbols, start=start, end=end, bars=bars, config=config, assignments=assignments
    )
    with StepProgress(quiet=as_json) as progress:
        prepared = prepare_run(settings, bundle=bundle, on_progress=progress.show)
        n_frames = len(prepared.frames)
        run = asyncio.run(
            run_in_process(
                prepared.plan,
                prepared.warmup,
                prepared.frames,
                BundlePredictor(prepared.model, feature_names=prepared.plan.feature_set.names),
                on_frame=lambda outcome: progress.show("trade", (outcome.seq + 1) / n_frames),
            )
        )
    history = history_of_local_run(prepared.plan, prepared.model.manifest, prepared.warmup, prepared.frames, run)
    path = report or settings.floor.state_dir / "runs" / prepared.plan.run_id / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    summary = write_report(history, path)
    if as_json:
        print_json_document(summary.to_record() | {"report": str(path)})
        return
    console.print(render_terminal(summary))
    console.print(f"report  {path}", highlight=False, soft_wrap=True)
