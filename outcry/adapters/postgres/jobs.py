"""The queue of jobs in the database: every step from one state to the next, and none twice."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import uuid4

from pydantic import SecretStr

from outcry.adapters.postgres.database import Database
from outcry.adapters.postgres.locks import hold, is_held
from outcry.errors import RecoveryError

DISPATCHER = "dispatcher of jobs"

StopState = Literal["cancelled", "timed_out"]


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What is asked for: a command of outcry, and what it may take.

    Attributes
    ----------
    arguments : tuple of str
        Of the command line: ``("train", "--family", "lstm")``.
    working_dir : str
        The folder that holds the program, sent to the cluster.
    priority : int
        1 starts first.
    max_retries : int
    timeout_s : float
        Of a try.
    num_cpus, num_gpus, memory_bytes : float, float, int
    """

    arguments: tuple[str, ...]
    working_dir: str
    priority: int
    max_retries: int
    timeout_s: float
    num_cpus: float
    num_gpus: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class JobRecord(JobRequest):
    """A job, and how it stands.

    Attributes
    ----------
    job_id : int
    state : JobState
        Running from the moment Ray is asked to start it.
    n_tries, n_failures : int
        How often Ray was asked, and how many of those tries ran and failed.
    submission_id : str or None
        Of the last try, with Ray; None before the first.
    stop_as : str or None
        The state that it gets when it has been stopped.
    detail : str
        What the last try failed of.
    not_before : datetime or None
        When it may be tried again.
    created_at, started_at, ended_at : datetime or None
        The start is that of the last try; None while Ray has no place for it.
    """

    job_id: int
    state: JobState
    n_tries: int
    n_failures: int
    submission_id: str | None
    stop_as: StopState | None
    detail: str
    not_before: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class JobQueue:
    """Submit jobs, read them, and take them from state to state.

    A step names the state, and the try, that it goes out from: where another process was there first, it does nothing.
    Times are those of who takes the step.
    """

    def __init__(self, database: Database, url: SecretStr | str) -> None:
        self._database = database
        self._url = url

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: SecretStr | str) -> AsyncIterator["JobQueue"]:
        """Yield the queue on one connection; raise `ServiceError` where the server cannot be reached."""
        async with Database.connect(url) as database:
            yield cls(database, url)

    def hold_dispatch(self) -> AbstractAsyncContextManager[bool]:
        """Work the queue off alone, for the length of a block; yields whether nobody else does."""
        return hold(self._url, DISPATCHER)

    async def is_dispatched(self) -> bool:
        """Whether a process works the queue off."""
        return await is_held(self._database, DISPATCHER)

    async def submit(self, request: JobRequest) -> JobRecord:
        """Add a job, and return it."""
        values = [getattr(request, each.name) for each in fields(JobRequest)]
        row = await self._database.fetch_one(
            """
            INSERT INTO jobs (request_id, arguments, working_dir, priority, max_retries, timeout_s, num_cpus, num_gpus,
                              memory_bytes)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (request_id) DO UPDATE SET request_id = excluded.request_id RETURNING *
            """,
            uuid4(),  # drawn once, however often the statement is sent
            list(values[0]),
            *values[1:],
        )
        assert row is not None  # noqa: S101 - a row is added or found
        return _read(row)

    async def get(self, job_id: int) -> JobRecord:
        """Return a job; raise `RecoveryError` where the queue has none of this number."""
        row = await self._database.fetch_one("SELECT * FROM jobs WHERE job_id = $1", job_id)
        if row is None:
            raise RecoveryError(f"job {job_id} is not in the queue")
        return _read(row)

    async def recent(self, n_ended: int) -> list[JobRecord]:
        """Return what runs, what waits in the order it starts, and the last `n_ended` that ended, newest first."""
        rows = await self._database.fetch(
            """
            (SELECT * FROM jobs WHERE ended_at IS NULL ORDER BY state = 'queued', priority, job_id)
            UNION ALL
            (SELECT * FROM jobs WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, job_id DESC LIMIT $1)
            """,
            n_ended,
        )
        return [_read(row) for row in rows]

    async def count(self) -> dict[JobState, int]:
        """Return how many jobs are in each state."""
        rows = await self._database.fetch("SELECT state, count(*) AS n FROM jobs GROUP BY state")
        return dict.fromkeys(JobState, 0) | {JobState(row["state"]): int(row["n"]) for row in rows}

    async def running(self) -> list[JobRecord]:
        """Return the jobs that Ray has, or was to be given."""
        return [
            _read(row)
            for row in await self._database.fetch("SELECT * FROM jobs WHERE state = 'running' ORDER BY job_id")
        ]

    async def next_queued(self, now: datetime) -> JobRecord | None:
        """Return the job that starts next: lowest priority, then lowest number, of those that need not wait."""
        row = await self._database.fetch_one(
            """
            SELECT * FROM jobs WHERE state = 'queued' AND (not_before IS NULL OR not_before <= $1)
            ORDER BY priority, job_id LIMIT 1
            """,
            now,
        )
        return None if row is None else _read(row)

    async def claim(self, job: JobRecord) -> JobRecord | None:
        """Take a queued job to be started, under the name that Ray will know it by; None where it is queued no more.

        The name follows from the job and the try. Ray starts nothing twice of the same name, so whoever finds the job
        claimed may ask Ray again.
        """
        row = await self._database.fetch_one(
            """
            UPDATE jobs SET state = 'running', n_tries = n_tries + 1, not_before = NULL, started_at = NULL,
                submission_id = format('outcry-%s-%s-%s', job_id, left(request_id::text, 8), n_tries + 1)
            WHERE job_id = $1 AND state = 'queued' AND n_tries = $2 RETURNING *
            """,
            job.job_id,
            job.n_tries,
        )
        return None if row is None else _read(row)

    async def mark_started(self, job: JobRecord, now: datetime) -> None:
        """Say that Ray has a place for it, from when on its time is counted."""
        await self._step(job, "started_at = $3", "started_at IS NULL", now)

    async def mark_stopping(self, job: JobRecord, state: StopState) -> None:
        """Say that it is to be stopped, and what it will then be."""
        await self._step(job, "stop_as = $3", "stop_as IS NULL", state)

    async def finish(self, job: JobRecord, state: JobState, now: datetime, detail: str = "") -> None:
        """End it."""
        await self._step(
            job, "state = $3, ended_at = $4, started_at = coalesce(started_at, $4), detail = $5", "TRUE", state.value,
            now, detail,
        )  # fmt: skip

    async def requeue(
        self, job: JobRecord, now: datetime, detail: str, *, wait: timedelta = timedelta(0), has_failed: bool
    ) -> None:
        """Let it wait for another try; one that was cancelled meanwhile ends."""
        await self._step(
            job,
            """
            state = coalesce(stop_as, 'queued'), ended_at = CASE WHEN stop_as IS NOT NULL THEN $3::timestamptz END,
            not_before = $4, detail = $5, started_at = NULL, n_failures = n_failures + $6
            """,
            "TRUE",
            now,
            now + wait,
            detail,
            int(has_failed),
        )

    async def cancel(self, job_id: int, now: datetime) -> JobRecord:
        """Cancel a job that waits, or have one that runs stopped; one that has ended stays as it is.

        Raises
        ------
        RecoveryError
            Where the queue has none of this number.
        """
        await self._database.execute(
            """
            UPDATE jobs SET stop_as = coalesce(stop_as, 'cancelled'),
                state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
                ended_at = CASE state WHEN 'queued' THEN $2::timestamptz END
            WHERE job_id = $1 AND state IN ('queued', 'running')
            """,
            job_id,
            now,
        )
        return await self.get(job_id)

    async def _step(self, job: JobRecord, change: str, rule: str, *values: object) -> None:
        await self._database.execute(
            f"UPDATE jobs SET {change} WHERE job_id = $1 AND n_tries = $2 AND state = 'running' AND {rule}",  # noqa: S608 - the texts above
            job.job_id,
            job.n_tries,
            *values,
        )


def _read(row: Mapping[str, Any]) -> JobRecord:
    values = {each.name: row[each.name] for each in fields(JobRecord)}
    return JobRecord(**(values | {"arguments": tuple(row["arguments"]), "state": JobState(row["state"])}))
