"""``outcry run``: the whole floor, from bars to a ledger and a report."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import console, errors, print_json_document
from cli.options import (
    AsJson,
    Assignments,
    Bars,
    Benchmark,
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
from cli.report_file import make_report_path
from configs.loader import restore_settings
from configs.schema import Settings
from outcry.errors import ConfigurationError, ServiceError
from outcry.exit_status import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from cli.cluster import RayStart
    from outcry.adapters.postgres.runs import RunRecord
    from outcry.adapters.services import Services
    from outcry.backtest.history import RunHistory
    from training.prepare import PreparedRun

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
    benchmark: Benchmark = None,
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
        benchmark=benchmark,
    )
    if resume is not None:
        _check_resumable(
            resume,
            {
                "--source": source,
                "--symbols": symbols,
                "--from": start,
                "--to": end,
                "--bars": bars,
                "--mode": mode,
                "--bundle": bundle,
                "--config": config,
            },
            assignments or [],
        )
    from cli.cluster import RayStart, cluster_address
    from cli.ledger import services_of
    from cli.session import check_free
    from outcry.backtest.report.terminal import render_terminal
    from outcry.backtest.report.write import write_report
    from outcry.models.member import check_one_horizon
    from training.prepare import prepare_run

    if cluster_address(settings.ray) is None:
        check_free(settings)
    with services_of(settings) as services, RayStart(settings.ray) as ray:
        record = None
        if resume is not None:
            record = asyncio.run(_find(services, resume))
            chosen = None if benchmark is None else settings.report.benchmark
            settings, bundle = _recorded_settings(record, settings, chosen), Path(record.bundle_path)
        if settings.online.enabled and bundle is None:
            check_one_horizon(settings.training.ensemble_members)
        with StepProgress(quiet=as_json) as progress:
            prepared = prepare_run(
                settings, bundle=bundle, on_progress=progress.show, run_id=resume, on_loaded=ray.begin
            )
            if record is not None and prepared.plan.fingerprint != record.fingerprint:
                raise ConfigurationError(f"market data of run {resume} must be as it was recorded, has changed")
            if settings.online.enabled:
                check_one_horizon(member.member for member in prepared.model.manifest.members)
            history, state = asyncio.run(_trade(services, ray, prepared, progress, as_json))
    run_id = prepared.plan.run_id
    resume_hint = f"stopped; outcry run --resume {run_id}"
    if history is None:
        errors.print(resume_hint, highlight=False)
        raise typer.Exit(EXIT_INTERRUPTED)
    path = make_report_path(settings, run_id)
    summary = write_report(history, path)
    if as_json:
        print_json_document(summary.to_record() | {"report": str(path), "state": state})
    else:
        console.print(render_terminal(summary))
        console.print(f"report  {path}", highlight=False, soft_wrap=True)
    if state == "interrupted":
        errors.print(resume_hint, highlight=False)
        raise typer.Exit(EXIT_INTERRUPTED)


async def _trade(
    services: "Services", ray: "RayStart", prepared: "PreparedRun", progress: StepProgress, as_json: bool
) -> tuple["RunHistory | None", str]:
    """Trade a prepared run to its end; return its history, None without a complete frame, and the state of the desk."""
    from actors.history import history_of_recorded_run
    from cli.learner_process import learner_beside
    from cli.live import LiveView
    from cli.session import floor_of, record_run, watch
    from outcry.adapters.postgres.runs import RunRegistry, RunStatus

    plan = prepared.plan
    serving = plan.settings.serving
    async with (
        RunRegistry.claim(services.database_url, plan.run_id),
        RunRegistry.connect(services.database_url) as registry,
    ):
        await record_run(services, prepared)
        try:
            async with floor_of(plan, services, ray, progress.show) as floor:
                progress.close()
                if not as_json:
                    console.print(
                        f"run {plan.run_id}: {len(plan.universe)} symbols, {plan.last_seq + 1} frames, "
                        f"API on http://{serving.host}:{serving.port}",
                        highlight=False,
                    )
                async with learner_beside(plan):
                    with LiveView(plan.run_id, plan.last_seq + 1, quiet=as_json) as view:
                        finished = await watch(floor, view.show)
        except BaseException as error:
            is_stop = isinstance(error, asyncio.CancelledError | KeyboardInterrupt)
            await registry.set_status(plan.run_id, RunStatus.INTERRUPTED if is_stop else RunStatus.FAILED, str(error))
            errors.print(f"the ledger is whole: outcry run --resume {plan.run_id}", highlight=False)
            raise
    status = finished.status
    if status.state == "failed":
        raise ServiceError(f"run {plan.run_id} failed: {status.detail}; outcry run --resume {plan.run_id}")
    if status.last_seq < 0 and status.state == "interrupted":
        return None, status.state
    history = await history_of_recorded_run(
        plan, prepared.model.manifest, services.database_url, finished.latency_ms, finished.feature_quality
    )
    return history, status.state


async def _find(services: "Services", run_id: str) -> "RunRecord":
    from outcry.adapters.postgres.runs import RunRegistry

    async with RunRegistry.connect(services.database_url) as registry:
        return await registry.get(run_id)


def _check_resumable(run_id: str, options: dict[str, object], assignments: list[str]) -> None:
    """Refuse what would make a resumed run another one: only the machine it runs on may differ."""
    given = [name for name, value in options.items() if value is not None]
    given += [
        f"--set {assignment.partition('=')[0]}"
        for assignment in assignments
        if not assignment.startswith(("storage.", "ray.", "serving.", "floor.state_dir=", "floor.speed="))
    ]
    if given:
        raise ConfigurationError(
            f"--resume {run_id} goes on with the settings of the run, {given[0]} must not be given"
        )


def _recorded_settings(record: "RunRecord", today: Settings, benchmark: str | None) -> Settings:
    """Return the settings of a run on the machine of today, measured against another benchmark where one is given."""
    recorded = restore_settings(record.config)
    floor = recorded.floor.model_copy(update={"state_dir": today.floor.state_dir, "speed": today.floor.speed})
    report = recorded.report if benchmark is None else recorded.report.model_copy(update={"benchmark": benchmark})
    machine = {"floor": floor, "storage": today.storage, "ray": today.ray, "serving": today.serving}
    return recorded.model_copy(update=machine | {"report": report})
