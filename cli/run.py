"""``outcry run``: the whole floor, from bars to a ledger and a report."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from cli.console import EXIT_INTERRUPTED, console, print_json_document
from cli.options import (
    AsJson,
    Assignments,
    Bars,
    Bundle,
    ConfigFile,
    End,
    Mode,
    Source,
    Start,
    Symbols,
    read_settings,
)
from cli.progress import StepProgress
from configs.loader import restore_settings
from configs.schema import Settings
from outcry.errors import ConfigurationError, ServiceError

Speed = Annotated[float | None, typer.Option("--speed", help="Times real time; without it, as fast as it goes.")]
Resume = Annotated[str | None, typer.Option("--resume", metavar="RUN", help="Go on with a run after its last frame.")]


def run(
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    speed: Speed = None,
    mode: Mode = None,
    bundle: Bundle = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    resume: Resume = None,
    as_json: AsJson = False,
) -> None:
    """Train on the first part of the data, then trade the rest frame by frame through actors, Serve and PostgreSQL."""
    settings = read_settings(
        source=source,
        symbols=symbols,
        start=start,
        end=end,
        bars=bars,
        mode=mode,
        config=config,
        assignments=assignments,
        speed=speed,
    )
    if resume is not None and any(option is not None for option in (source, symbols, start, end, bars, mode, bundle)):
        raise ConfigurationError(f"--resume must stand without options that choose data, mode or bundle, was {resume}")
    asyncio.run(_run(settings, bundle, resume, as_json))


async def _run(settings: Settings, bundle: Path | None, resume: str | None, as_json: bool) -> None:
    from actors.history import history_of_recorded_run
    from cli.live import LiveView
    from cli.session import check_free, floor_of, record_run, report_path, services_of, watch
    from outcry.adapters.postgres.runs import RunRegistry
    from outcry.backtest.report.terminal import render_terminal
    from outcry.backtest.report.write import write_report
    from outcry.models.bundle import load_bundle
    from training.prepare import prepare_run

    if settings.ray.address is None and "RAY_ADDRESS" not in os.environ:
        check_free(settings)
    async with services_of(settings) as services:
        with StepProgress(quiet=as_json) as progress:
            if resume is not None:
                async with RunRegistry.connect(services.database_url) as registry:
                    record = await registry.get(resume)
                machine = {name: getattr(settings, name) for name in ("floor", "storage", "ray", "serving")}
                settings = restore_settings(record.config).model_copy(update=machine)
                bundle = Path(record.bundle_path)
            prepared = prepare_run(settings, bundle=bundle, on_progress=progress.show, run_id=resume)
            if resume is not None and prepared.plan.fingerprint != record.fingerprint:
                raise ConfigurationError(f"market data of run {resume} must be as it was recorded, has changed")
            await record_run(services, prepared)
            plan = prepared.plan
            async with floor_of(plan, services, progress.show) as floor:
                progress.close()
                if not as_json:
                    console.print(
                        f"run {plan.run_id}: {len(plan.universe)} symbols, {plan.last_seq + 1} frames, "
                        f"API on http://{settings.serving.host}:{settings.serving.port}",
                        highlight=False,
                    )
                with LiveView(plan.run_id, plan.last_seq + 1, quiet=as_json) as view:
                    finished = await watch(floor, view.show)
        if finished.status.state == "failed":
            raise ServiceError(f"run {plan.run_id} failed: {finished.status.detail}; outcry run --resume {plan.run_id}")
        manifest = load_bundle(plan.bundle_path).manifest
        history = await history_of_recorded_run(plan, manifest, services.database_url, finished.latency_ms)
    path = report_path(settings, plan.run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    summary = write_report(history, path)
    if as_json:
        print_json_document(summary.to_record() | {"report": str(path), "state": finished.status.state})
    else:
        console.print(render_terminal(summary))
        console.print(f"report  {path}", highlight=False, soft_wrap=True)
    if finished.status.state == "stopped":
        console.print(f"stopped; outcry run --resume {plan.run_id}", highlight=False)
        raise typer.Exit(EXIT_INTERRUPTED)
