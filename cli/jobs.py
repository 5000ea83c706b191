"""``outcry jobs``: commands that wait for a place on a Ray cluster that stays."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.markup import escape
from typer.exceptions import TyperException

from cli.console import console, errors, print_json_document
from cli.options import AsJson, Assignments, ConfigFile, read_settings
from outcry.errors import ConfigurationError
from outcry.exit_status import EXIT_FAILED, EXIT_INTERRUPTED

if TYPE_CHECKING:
    from configs.schema import Settings
    from outcry.adapters.postgres.jobs import JobQueue, JobRecord
    from training.jobs.ray_jobs import RayJobs

Answer = TypeVar("Answer")

app = typer.Typer(
    help="A queue of commands for a Ray cluster that stays: submit, work, list, wait, cancel.", no_args_is_help=True
)

JobId = Annotated[int, typer.Argument(metavar="ID", help="The number that submit printed.")]
_NOT_RECORDED = ("storage.", "--set=storage.")  # hold passwords


@app.command(context_settings={"allow_interspersed_args": False})
def submit(
    arguments: Annotated[list[str], typer.Argument(metavar="COMMAND…", help="Of outcry: train --family lstm.")],
    priority: Annotated[
        int | None, typer.Option("--priority", min=1, help="1 starts first. jobs.priority without it.")
    ] = None,
    timeout_s: Annotated[
        float | None, typer.Option("--timeout", min=0.001, help="Seconds a try may run. jobs.timeout_s without it.")
    ] = None,
    retries: Annotated[
        int | None, typer.Option("--retries", min=0, max=10, help="After failures. jobs.max_retries without it.")
    ] = None,
    cpus: Annotated[
        float | None,
        typer.Option("--cpus", min=0.0, help="For the command itself; 0 where workers of its own do the work."),
    ] = None,
    gpus: Annotated[float | None, typer.Option("--gpus", min=0.0, help="For the command itself.")] = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Queue a command, and print the number of the job.

    It runs in a copy of this folder, as the folder is when it starts. What the command writes it writes where its own
    arguments say: give it --set floor.state_dir=PATH, a place that stays.
    """
    from outcry.adapters.postgres.jobs import JobRequest

    check_command(arguments)
    settings = read_settings(config=config, assignments=assignments)
    defaults = settings.jobs
    request = JobRequest(
        arguments=tuple(arguments),
        working_dir=str(Path.cwd()),
        priority=defaults.priority if priority is None else priority,
        max_retries=defaults.max_retries if retries is None else retries,
        timeout_s=defaults.timeout_s if timeout_s is None else timeout_s,
        num_cpus=defaults.num_cpus if cpus is None else cpus,
        num_gpus=defaults.num_gpus if gpus is None else gpus,
        memory_bytes=defaults.memory_bytes,
    )

    async def add(queue: "JobQueue") -> "JobRecord":
        await _say_if_nobody_works(queue)
        return await queue.submit(request)

    job = _ask(settings, add)
    if as_json:
        from cli.jobs_view import as_document

        print_json_document(as_document(job))
    else:
        console.print(job.job_id, highlight=False)


@app.command()
def work(
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="End when nothing runs or waits, instead of on Ctrl-C.")
    ] = False,
    config: ConfigFile = None,
    assignments: Assignments = None,
) -> None:
    """Start the jobs of the queue on the cluster, in their order, and follow them; Ctrl-C leaves them running.

    One at a time does so. Killed at any moment, the next one goes on from the queue and from what Ray says.
    """
    settings = read_settings(config=config, assignments=assignments)
    cluster = _reach(settings)
    if not _ask(settings, lambda queue: _work(queue, cluster, settings, until_empty=until_empty)):
        errors.print("interrupted: what runs goes on, and outcry jobs work follows it again", highlight=False)
        raise typer.Exit(EXIT_INTERRUPTED)


@app.command("list")
def list_jobs(
    ended: Annotated[int, typer.Option("--ended", min=0, help="How many of those that have ended.")] = 20,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """List what runs, what waits in the order it starts, and what ended last."""
    from cli.jobs_view import as_document, count_document, show_jobs

    async def read(queue: "JobQueue") -> "tuple[dict[str, int], list[JobRecord]]":
        if not as_json:
            await _say_if_nobody_works(queue)
        return count_document(await queue.count()), await queue.recent(ended)

    counts, jobs = _ask(read_settings(config=config, assignments=assignments), read)
    if as_json:
        print_json_document(counts | {"jobs": [as_document(job) for job in jobs]})
    else:
        show_jobs(counts, jobs)


@app.command()
def show(job_id: JobId, config: ConfigFile = None, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Show a job: what it asks for, how often it was tried, and what it failed of."""
    from cli.jobs_view import as_document, show_job

    job = _ask(read_settings(config=config, assignments=assignments), lambda queue: queue.get(job_id))
    print_json_document(as_document(job)) if as_json else show_job(job)


@app.command()
def logs(job_id: JobId, config: ConfigFile = None, assignments: Assignments = None) -> None:
    """Print what the last try of a job has printed, as Ray kept it."""
    settings = read_settings(config=config, assignments=assignments)
    job = _ask(settings, lambda queue: queue.get(job_id))
    if job.submission_id is None:
        raise ConfigurationError(f"job {job_id} must have been started to have a log, is {job.state.value}")
    printed = asyncio.run(_reach(settings).logs(job.submission_id))
    if printed is None:
        raise ConfigurationError(f"the cluster must know {job.submission_id} to have its log, knows nothing of it")
    typer.echo(printed, nl=False)


@app.command()
def cancel(job_id: JobId, config: ConfigFile = None, assignments: Assignments = None) -> None:
    """Cancel a job that waits, or have one that runs stopped."""
    from outcry.adapters.postgres.jobs import JobState

    async def ask(queue: "JobQueue") -> "tuple[JobRecord, JobRecord, bool]":
        before = await queue.get(job_id)
        return before, await queue.cancel(job_id, datetime.now(UTC)), await queue.is_dispatched()

    before, job, is_dispatched = _ask(read_settings(config=config, assignments=assignments), ask)
    if before.ended_at is not None:
        raise ConfigurationError(f"job {job_id} must wait or run to be cancelled, {_describe(job)}")
    if job.state is not JobState.RUNNING:
        told = f"job {job_id} {_describe(job)}"
    elif is_dispatched:
        told = f"job {job_id} is being stopped"
    else:
        told = f"job {job_id} is stopped as soon as outcry jobs work runs; at once: ray job stop {job.submission_id}"
    console.print(told, highlight=False, soft_wrap=True)


@app.command()
def wait(
    job_ids: Annotated[list[int], typer.Argument(metavar="ID…", help="The numbers that submit printed.")],
    timeout_s: Annotated[
        float | None, typer.Option("--timeout", min=0.0, help="Seconds to wait at most.", show_default=False)
    ] = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Wait until jobs have ended. Exit status 1: one of them did not succeed, or has not ended in time."""
    from cli.jobs_view import as_document, show_jobs
    from outcry.adapters.postgres.jobs import JobState

    settings = read_settings(config=config, assignments=assignments)
    give_up_at = None if timeout_s is None else time.monotonic() + timeout_s

    async def look(queue: "JobQueue") -> "list[JobRecord]":
        await _say_if_nobody_works(queue)
        while True:
            jobs = [await queue.get(job_id) for job_id in job_ids]
            left_s = settings.jobs.poll_s if give_up_at is None else give_up_at - time.monotonic()
            if all(job.ended_at for job in jobs) or left_s <= 0:
                return jobs
            await asyncio.sleep(min(settings.jobs.poll_s, left_s))

    jobs = _ask(settings, look)
    print_json_document([as_document(job) for job in jobs]) if as_json else show_jobs(None, jobs)
    if any(job.state is not JobState.SUCCEEDED for job in jobs):
        raise typer.Exit(EXIT_FAILED)


def check_command(arguments: list[str]) -> None:
    """Raise `ConfigurationError` where the words are no command line of outcry, or hold what is not to be recorded."""
    from cli.__main__ import app as outcry

    if any(word.startswith(_NOT_RECORDED) for word in arguments):
        raise ConfigurationError(
            "a job must not name storage.…, for its arguments are recorded: "
            "set OUTCRY_DATABASE_URL and the like where the cluster is started"
        )
    command: Any = typer.main.get_command(outcry)  # of a package that Typer keeps to itself
    names, words = ["outcry"], list(arguments)
    while (known := getattr(command, "commands", None)) is not None:
        name = words.pop(0) if words else ""
        if name not in known:
            raise ConfigurationError(f"a job must be a command of {' '.join(names)}: {', '.join(known)}; was {name!r}")
        command, names = known[name], [*names, name]
    try:
        command.make_context(" ".join(names), words)
    except typer.Exit:  # --help
        raise ConfigurationError(f"a job must do something, {' '.join(arguments)} does not") from None
    except TyperException as error:
        raise ConfigurationError(f"a job must be a command line of outcry: {error.format_message()}") from None


def _ask(settings: "Settings", question: "Callable[[JobQueue], Awaitable[Answer]]") -> Answer:
    from cli.ledger import services_of
    from outcry.adapters.postgres.jobs import JobQueue

    async def connect(url: str) -> Answer:
        async with JobQueue.connect(url) as queue:
            return await question(queue)

    with services_of(settings) as services:
        return asyncio.run(connect(services.database_url))


def _reach(settings: "Settings") -> "RayJobs":
    from training.jobs.ray_jobs import RayJobs

    return RayJobs(settings.jobs.address or settings.ray.address)


async def _work(queue: "JobQueue", cluster: "RayJobs", settings: "Settings", *, until_empty: bool) -> bool:
    """Return whether the queue became empty, and not somebody ended it."""
    from training.jobs.dispatcher import Dispatcher

    is_over = asyncio.Event()

    def end() -> None:
        if is_over.is_set():
            raise KeyboardInterrupt
        is_over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end)
    async with queue.hold_dispatch() as is_ours:
        if not is_ours:
            raise ConfigurationError("outcry jobs work must run once for a queue, and another one works already")
        console.print(f"jobs start at {cluster.address}; Ctrl-C leaves them running", highlight=False, soft_wrap=True)
        await Dispatcher(queue, cluster, settings.jobs, _tell).work(is_over, until_empty=until_empty)
    return not is_over.is_set()


async def _say_if_nobody_works(queue: "JobQueue") -> None:
    if not await queue.is_dispatched():
        errors.print("nothing starts before outcry jobs work runs", highlight=False)


def _tell(line: str) -> None:
    console.print(f"{datetime.now().astimezone():%H:%M:%S} {escape(line)}", highlight=False, soft_wrap=True)


def _describe(job: "JobRecord") -> str:
    from cli.jobs_view import describe_standing

    return f"is {describe_standing(job)}"
