"""Work a queue of jobs off: who starts, who is tried again, who is stopped."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Protocol

from configs.jobs import JobsConfig
from outcry.adapters.postgres.jobs import JobQueue, JobRecord, JobState
from outcry.errors import ClusterError, ConfigurationError

Tell = Callable[[str], None]


class SubmissionStatus(Enum):
    """How a cluster says that a try stands.

    `UNPLACED` has ended without a start, as there was no place for it; `MISUSED` has failed, and would again.
    """

    PENDING = auto()
    RUNNING = auto()
    SUCCEEDED = auto()
    FAILED = auto()
    STOPPED = auto()
    UNPLACED = auto()
    MISUSED = auto()


@dataclass(frozen=True, slots=True)
class Submission:
    """What a cluster knows of a try; `detail` says why it failed."""

    status: SubmissionStatus
    detail: str = ""


class ClusterJobs(Protocol):
    """Where tries run. Every method raises `ClusterError` where the cluster does not answer."""

    async def submit(self, job: JobRecord) -> None:
        """Start a try under its `submission_id`; one that is there already is left as it is.

        Raises
        ------
        ConfigurationError
            Where it can not be started as it is.
        """
        ...

    async def look(self, submission_id: str) -> Submission | None:
        """Return how a try stands; None where the cluster does not know it."""
        ...

    async def stop(self, submission_id: str) -> None:
        """Have a try stopped, if it runs, and return at once."""
        ...


class Dispatcher:
    """Start the jobs of a queue on a cluster in their order, and follow them to their end.

    It holds nothing: what is to be done follows from the queue and from what the cluster says, so that one that was
    killed at any moment is replaced by another.

    Parameters
    ----------
    queue : JobQueue
    cluster : ClusterJobs
    config : JobsConfig
    tell : callable
        Called with a line for whoever watches.
    clock : callable
        Returns the time, with its zone.
    """

    def __init__(
        self,
        queue: JobQueue,
        cluster: ClusterJobs,
        config: JobsConfig,
        tell: Tell,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._queue = queue
        self._cluster = cluster
        self._config = config
        self._tell = tell
        self._clock = clock

    async def work(self, is_over: asyncio.Event, *, until_empty: bool) -> None:
        """Take steps until it is over, or until nothing runs or waits; a cluster that is away is waited for."""
        was_away = False
        while not is_over.is_set():
            try:
                is_empty = not await self.step()
            except ClusterError as error:
                if not was_away:
                    self._tell(f"{error}; asking again every {self._config.poll_s:g} s")
                was_away, is_empty = True, False
            else:
                was_away = False
            if is_empty and until_empty:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(is_over.wait(), self._config.poll_s)

    async def step(self) -> bool:
        """See how every job stands, and start at most one; return whether anything runs or waits.

        Notes
        -----
        While a job waits for a place on the cluster no other is started: Ray gives places in an order of its own, and
        one that is more urgent may come.
        """
        for job in await self._queue.running():
            await self._follow(job)
        running = await self._queue.running()
        is_place_left = len(running) < self._config.max_concurrent and all(job.started_at for job in running)
        if is_place_left and (first := await self._queue.next_queued(self._clock())) is not None:
            claimed = await self._queue.claim(first)
            if claimed is not None:
                await self._submit(claimed)
        counts = await self._queue.count()
        return bool(counts[JobState.QUEUED] or counts[JobState.RUNNING])

    async def _follow(self, job: JobRecord) -> None:
        seen = await self._cluster.look(str(job.submission_id))
        match seen.status if seen is not None else None:
            case None:
                await self._follow_unknown(job)
            case SubmissionStatus.PENDING | SubmissionStatus.RUNNING as status:
                await self._follow_living(job, is_placed=status is SubmissionStatus.RUNNING)
            case SubmissionStatus.SUCCEEDED:
                await self._finish(job, JobState.SUCCEEDED)
            case SubmissionStatus.STOPPED:
                by_others = "" if job.stop_as else "stopped through Ray"
                await self._finish(job, JobState(job.stop_as or "cancelled"), by_others)
            case SubmissionStatus.FAILED | SubmissionStatus.MISUSED | SubmissionStatus.UNPLACED if job.stop_as:
                await self._finish(job, JobState(job.stop_as))
            case SubmissionStatus.UNPLACED:
                self._tell(f"job {job.job_id} found no place: it asks for {describe_resources(job)}")
                await self._queue.requeue(job, self._clock(), "no place on the cluster", has_failed=False)
            case SubmissionStatus.FAILED:
                assert seen is not None  # noqa: S101 - None is the first case
                await self._fail(job, seen.detail)
            case SubmissionStatus.MISUSED:
                assert seen is not None  # noqa: S101 - as above
                await self._give_up(job, seen.detail)

    async def _follow_unknown(self, job: JobRecord) -> None:
        if job.stop_as is not None:
            await self._finish(job, JobState(job.stop_as))
        elif job.started_at is None:  # whoever claimed it was killed, or Ray was away
            await self._submit(job)
        else:
            await self._fail(job, "the cluster that ran it is gone")

    async def _follow_living(self, job: JobRecord, *, is_placed: bool) -> None:
        now = self._clock()
        if is_placed and job.started_at is None:
            await self._queue.mark_started(job, now)
            self._tell(f"job {job.job_id} runs as {job.submission_id}")
        is_late = job.started_at is not None and now - job.started_at >= timedelta(seconds=job.timeout_s)
        if is_late and job.stop_as is None:
            await self._queue.mark_stopping(job, "timed_out")
            self._tell(f"job {job.job_id} took its {job.timeout_s:g} s, and is stopped")
        if is_late or job.stop_as is not None:
            await self._cluster.stop(str(job.submission_id))

    async def _submit(self, job: JobRecord) -> None:
        try:
            await self._cluster.submit(job)
        except ConfigurationError as error:
            await self._fail(job, str(error))

    async def _finish(self, job: JobRecord, state: JobState, detail: str = "") -> None:
        await self._queue.finish(job, state, self._clock(), detail)
        self._tell(f"job {job.job_id} {describe_state(state)}")

    async def _fail(self, job: JobRecord, why: str) -> None:
        if job.n_failures >= job.max_retries:
            await self._give_up(job, why)
            return
        wait_s = self._config.backoff_s * 2**job.n_failures
        await self._queue.requeue(job, self._clock(), why, wait=timedelta(seconds=wait_s), has_failed=True)
        again = f"try {job.n_failures + 2} of {job.max_retries + 1} in {wait_s:g} s"
        self._tell(f"job {job.job_id} failed: {why}; {again}")

    async def _give_up(self, job: JobRecord, why: str) -> None:
        await self._queue.finish(job, JobState.FAILED, self._clock(), why)
        self._tell(f"job {job.job_id} failed: {why}")


def describe_resources(job: JobRecord) -> str:
    """Return what a job asks of a machine: ``1 CPU, 0.25 GPU``."""
    asked = [(job.num_cpus, "CPU"), (job.num_gpus, "GPU"), (job.memory_bytes / 2**30, "GiB")]
    return ", ".join(f"{amount:g} {name}" for amount, name in asked if amount) or "nothing"


def describe_state(state: JobState) -> str:
    """Return a state in words."""
    return state.value.replace("_", " ")
