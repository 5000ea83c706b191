"""Jobs as tables on the terminal, and as JSON."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from cli.console import console
from outcry.adapters.postgres.jobs import JobRecord, JobState
from training.jobs.dispatcher import describe_resources, describe_state

_ENDED = [state for state in JobState if state not in (JobState.QUEUED, JobState.RUNNING)]


def as_document(job: JobRecord) -> dict[str, Any]:
    """Return JSON values of a job."""
    return asdict(job)


def count_document(counts: Mapping[JobState, int]) -> dict[str, int]:
    """Return how many jobs run, wait and have ended, and how these did."""
    ended = {state.value: counts[state] for state in _ENDED}
    head = {"active": counts[JobState.RUNNING], "queued": counts[JobState.QUEUED], "completed": sum(ended.values())}
    return head | ended


def show_jobs(counts: Mapping[str, int] | None, jobs: Sequence[JobRecord]) -> None:
    """Print the counts of `count_document`, and a row a job."""
    if counts is not None:
        head = ", ".join(f"{counts[name]} {name}" for name in ("active", "queued", "completed"))
        how = [f"{counts[state]} {describe_state(state)}" for state in _ENDED if counts[state]]
        console.print(f"{head}: {', '.join(how)}" if how else head, highlight=False)
    if not jobs:
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("job", "prio", "state", "tries", "ran", "command"):
        is_number = name in ("job", "prio", "tries")
        table.add_column(name, justify="right" if is_number else "left", overflow="fold", no_wrap=name != "command")
    for job in jobs:
        table.add_row(
            str(job.job_id),
            str(job.priority),
            describe_standing(job),
            str(job.n_tries),
            _describe_duration(job),
            escape(shlex.join(job.arguments)),
        )
    console.print(table)
    for job in jobs:
        if job.detail:
            console.print(escape(f"{job.job_id}: {job.detail}"), highlight=False, soft_wrap=True)


def show_job(job: JobRecord) -> None:
    """Print what is known of a job."""
    facts = {
        "command": shlex.join(job.arguments),
        "folder": job.working_dir,
        "state": describe_standing(job),
        "detail": job.detail,
        "priority": str(job.priority),
        "tries": f"{job.n_tries}, failed {job.n_failures}; tried again after {job.max_retries} failures at most",
        "asks for": describe_resources(job),
        "limit": f"{job.timeout_s:g} s a try",
        "with Ray": job.submission_id or "not yet",
        "submitted": _describe_time(job.created_at),
        "started": _describe_time(job.started_at),
        "ended": _describe_time(job.ended_at),
    }
    table = Table(show_header=False, title=f"job {job.job_id}", title_justify="left")
    for key, value in facts.items():
        if value:
            table.add_row(key, escape(value))
    console.print(table)


def describe_standing(job: JobRecord) -> str:
    """Return in a word or two how a job stands."""
    if job.state is JobState.RUNNING and job.stop_as is not None:
        return "stopping"
    if job.state is JobState.RUNNING and job.started_at is None:
        return "starting"
    if job.not_before is not None and job.state is JobState.QUEUED:
        left_s = (job.not_before - datetime.now(UTC)).total_seconds()
        return f"again in {left_s:.0f} s" if left_s > 0 else "queued"
    return describe_state(job.state)


def _describe_duration(job: JobRecord) -> str:
    if job.started_at is None:
        return "-"
    seconds = ((job.ended_at or datetime.now(UTC)) - job.started_at).total_seconds()
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def _describe_time(time: datetime | None) -> str:
    return "" if time is None else time.astimezone().isoformat(sep=" ", timespec="seconds")
