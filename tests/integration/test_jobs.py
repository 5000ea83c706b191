"""The queue of jobs: order, limit, retries, time limits and cancellation, whoever is killed in between."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from configs.jobs import JobsConfig
from outcry.adapters.postgres.database import Database
from outcry.adapters.postgres.jobs import JobQueue, JobRecord, JobRequest, JobState
from outcry.errors import ClusterError, ConfigurationError, RecoveryError
from training.jobs.dispatcher import Dispatcher, Submission, SubmissionStatus

S = SubmissionStatus
REQUEST = JobRequest(
    ("features", "list"), "/w", 10, max_retries=2, timeout_s=100, num_cpus=1, num_gpus=0, memory_bytes=0
)
CONFIG = JobsConfig(max_concurrent=2, backoff_s=10, poll_s=0.001)


@dataclass
class FakeCluster:
    """Knows what it was asked to start; how a try stands is set by the test."""

    tries: dict[str, Submission] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    refusal: str = ""
    n_refused: int = 0
    has_started: asyncio.Event = field(default_factory=asyncio.Event)
    is_killed_after_submit: bool = False

    async def submit(self, job: JobRecord) -> None:
        self.check()
        if self.refusal:
            raise ConfigurationError(self.refusal)
        if job.submission_id not in self.tries:
            self.tries[str(job.submission_id)] = Submission(S.PENDING)
            self.order.append(job.job_id)
            self.has_started.set()
        if self.is_killed_after_submit:
            raise KeyboardInterrupt

    async def look(self, submission_id: str) -> Submission | None:
        self.check()
        return self.tries.get(submission_id)

    async def stop(self, submission_id: str) -> None:
        self.check()
        self.stopped.append(submission_id)

    def check(self) -> None:
        if self.n_refused:
            self.n_refused -= 1
            raise ClusterError("Ray must answer, did not")

    def stand(self, job: JobRecord, status: SubmissionStatus, detail: str = "") -> None:
        self.tries[str(job.submission_id)] = Submission(status, detail)


@dataclass
class Desk:
    """A queue, a cluster, a clock that stands still, and who works it off."""

    queue: JobQueue
    cluster: FakeCluster = field(default_factory=FakeCluster)
    now: datetime = datetime(2030, 1, 1, tzinfo=UTC)
    config: JobsConfig = CONFIG
    told: list[str] = field(default_factory=list)

    def dispatcher(self) -> Dispatcher:
        """Return one that knows nothing of those before it."""
        return Dispatcher(self.queue, self.cluster, self.config, self.told.append, lambda: self.now)

    async def step(self) -> bool:
        return await self.dispatcher().step()

    async def start(self, **changes: object) -> JobRecord:
        """Submit a job and bring it to run."""
        job = await self.queue.submit(replace(REQUEST, **changes))  # type: ignore[arg-type]
        await self.step()
        return await self.run(job)

    async def run(self, job: JobRecord) -> JobRecord:
        job = await self.queue.get(job.job_id)
        self.cluster.stand(job, S.RUNNING)
        await self.step()
        return await self.queue.get(job.job_id)


@pytest.fixture
async def desk(postgres_url: str) -> AsyncIterator[Desk]:
    async with Database.connect(postgres_url) as database:
        await database.execute("TRUNCATE jobs RESTART IDENTITY")
    async with JobQueue.connect(postgres_url) as queue:
        yield Desk(queue)


async def test_jobs_start_by_priority_then_by_age_up_to_the_limit_and_one_waits_for_its_place(desk: Desk) -> None:
    for priority in (2, 1, 2, 1):
        await desk.queue.submit(replace(REQUEST, priority=priority))
    waiting = [(await desk.step(), list(desk.cluster.order)) for _ in range(2)]
    assert waiting == [(True, [2]), (True, [2])]  # it is pending, and no other is started
    await desk.run(await desk.queue.get(2))
    assert desk.cluster.order == [2, 4]
    await desk.run(await desk.queue.get(4))
    assert desk.cluster.order == [2, 4]  # two run
    assert [job.job_id for job in await desk.queue.recent(0)] == [2, 4, 1, 3]
    desk.cluster.stand(await desk.queue.get(2), S.SUCCEEDED)
    await desk.step()
    assert desk.cluster.order == [2, 4, 1]
    counts = await desk.queue.count()
    assert (counts[JobState.RUNNING], counts[JobState.QUEUED], counts[JobState.SUCCEEDED]) == (2, 1, 1)


async def test_a_failed_job_waits_twice_as_long_each_time_and_lets_others_by(desk: Desk) -> None:
    job = await desk.start()
    waited = []
    for n_failures in (1, 2):
        desk.cluster.stand(job, S.FAILED, f"reason {n_failures}")
        await desk.step()
        job = await desk.queue.get(job.job_id)
        assert (job.state, job.n_failures, job.detail) == (JobState.QUEUED, n_failures, f"reason {n_failures}")
        assert job.not_before is not None
        waited.append((job.not_before - desk.now).total_seconds())
        other = await desk.queue.submit(REQUEST)
        await desk.step()
        assert desk.cluster.order[-1] == other.job_id
        desk.cluster.stand(await desk.queue.get(other.job_id), S.SUCCEEDED)
        desk.now = job.not_before - timedelta(seconds=1)
        await desk.step()
        assert (await desk.queue.get(job.job_id)).state is JobState.QUEUED
        desk.now = job.not_before
        await desk.step()
        job = await desk.run(job)
        assert job.n_tries == n_failures + 1
    assert waited == [10, 20]
    desk.cluster.stand(job, S.FAILED, "reason 3")
    assert not await desk.step()
    job = await desk.queue.get(job.job_id)
    assert (job.state, job.detail, job.n_tries) == (JobState.FAILED, "reason 3", 3)
    assert len({name for name in desk.cluster.tries if name.startswith(f"outcry-{job.job_id}-")}) == 3


async def test_what_is_misused_is_not_tried_again(desk: Desk) -> None:
    job = await desk.start()
    desk.cluster.stand(job, S.MISUSED, "exit status 2: source must be a file")
    assert not await desk.step()
    job = await desk.queue.get(job.job_id)
    assert (job.state, job.n_tries, job.detail) == (JobState.FAILED, 1, "exit status 2: source must be a file")


async def test_whoever_is_killed_between_asking_ray_and_its_answer_starts_nothing_twice(desk: Desk) -> None:
    job = await desk.queue.submit(REQUEST)
    desk.cluster.is_killed_after_submit = True
    with pytest.raises(KeyboardInterrupt):
        await desk.step()
    desk.cluster.is_killed_after_submit = False
    await desk.step()
    assert desk.cluster.order == [job.job_id]
    assert (await desk.run(job)).n_tries == 1


async def test_whoever_is_killed_between_the_claim_and_ray_is_replaced(desk: Desk) -> None:
    job = await desk.queue.submit(REQUEST)
    claimed = await desk.queue.claim(job)
    assert claimed is not None
    assert await desk.queue.claim(job) is None
    assert desk.cluster.order == []
    await desk.step()
    assert list(desk.cluster.tries) == [claimed.submission_id]


async def test_a_cluster_that_is_away_is_told_once_and_waited_for(desk: Desk) -> None:
    job = await desk.queue.submit(REQUEST)
    desk.cluster.n_refused = 3
    work = asyncio.create_task(desk.dispatcher().work(asyncio.Event(), until_empty=True))
    await asyncio.wait_for(desk.cluster.has_started.wait(), 60)
    assert desk.cluster.n_refused == 0
    assert [line for line in desk.told if "must answer" in line] == [desk.told[0]]
    desk.cluster.stand(await desk.queue.get(job.job_id), S.SUCCEEDED)
    await asyncio.wait_for(work, 60)
    assert (await desk.queue.get(job.job_id)).state is JobState.SUCCEEDED


async def test_a_job_beyond_its_time_is_stopped_and_not_tried_again(desk: Desk) -> None:
    job = await desk.queue.submit(REQUEST)
    await desk.step()
    desk.now += timedelta(seconds=1_000)  # without a place its time does not count
    job = await desk.run(job)
    desk.now += timedelta(seconds=99)
    await desk.step()
    assert desk.cluster.stopped == []
    desk.now += timedelta(seconds=1)
    await desk.step()
    assert desk.cluster.stopped == [job.submission_id]
    desk.cluster.stand(job, S.STOPPED)
    assert not await desk.step()
    assert (await desk.queue.get(job.job_id)).state is JobState.TIMED_OUT


@pytest.mark.parametrize(
    ("end", "state"),
    [(S.STOPPED, JobState.CANCELLED), (S.FAILED, JobState.CANCELLED), (S.SUCCEEDED, JobState.SUCCEEDED)],
)
async def test_a_cancelled_job_that_runs_is_stopped_unless_it_was_done(desk: Desk, end: S, state: JobState) -> None:
    job = await desk.start(max_retries=0)
    await desk.queue.cancel(job.job_id, desk.now)
    await desk.step()
    assert desk.cluster.stopped == [job.submission_id]
    desk.cluster.stand(job, end)
    assert not await desk.step()
    assert (await desk.queue.get(job.job_id)).state is state


async def test_a_cancelled_job_that_waits_is_never_started(desk: Desk) -> None:
    waiting, claimed = await desk.queue.submit(REQUEST), await desk.queue.submit(REQUEST)
    assert (await desk.queue.cancel(waiting.job_id, desk.now)).state is JobState.CANCELLED
    await desk.queue.claim(claimed)
    await desk.queue.cancel(claimed.job_id, desk.now)
    assert not await desk.step()
    assert desk.cluster.order == []
    assert [job.state for job in await desk.queue.recent(5)] == [JobState.CANCELLED, JobState.CANCELLED]
    with pytest.raises(RecoveryError, match="job 99 is not in the queue"):
        await desk.queue.cancel(99, desk.now)


async def test_what_is_stopped_without_the_queue_is_cancelled(desk: Desk) -> None:
    job = await desk.start()
    desk.cluster.stand(job, S.STOPPED)
    await desk.step()
    job = await desk.queue.get(job.job_id)
    assert (job.state, job.detail) == (JobState.CANCELLED, "stopped through Ray")


async def test_a_job_without_a_place_waits_again_and_none_of_its_retries_are_used(desk: Desk) -> None:
    job = await desk.queue.submit(REQUEST)
    await desk.step()
    for n_tries in range(2, 6):
        desk.cluster.stand(await desk.queue.get(job.job_id), S.UNPLACED)
        await desk.step()
        found = await desk.queue.get(job.job_id)
        assert (found.state, found.n_tries, found.n_failures) == (JobState.RUNNING, n_tries, 0)


async def test_a_job_whose_cluster_is_gone_has_failed_and_one_it_never_had_has_not(desk: Desk) -> None:
    ran = await desk.start()
    never = await desk.queue.submit(REQUEST)
    await desk.step()
    desk.cluster.tries.clear()
    await desk.step()
    ran, never = await desk.queue.get(ran.job_id), await desk.queue.get(never.job_id)
    assert (ran.state, ran.n_failures, ran.detail) == (JobState.QUEUED, 1, "the cluster that ran it is gone")
    assert (never.state, never.n_failures, never.n_tries) == (JobState.RUNNING, 0, 1)
    assert list(desk.cluster.tries) == [never.submission_id]


async def test_what_ray_refuses_has_failed(desk: Desk) -> None:
    desk.cluster.refusal = "the folder of job 1 must be there, /w is not"
    job = await desk.queue.submit(replace(REQUEST, max_retries=0))
    assert not await desk.step()
    job = await desk.queue.get(job.job_id)
    assert (job.state, job.detail) == (JobState.FAILED, desk.cluster.refusal)


async def test_two_that_work_at_once_start_each_job_once(desk: Desk, postgres_url: str) -> None:
    for _ in range(4):
        await desk.queue.submit(REQUEST)
    async with JobQueue.connect(postgres_url) as other_queue:
        other = Desk(other_queue, desk.cluster, desk.now, desk.config)
        for _ in range(20):
            await asyncio.gather(desk.step(), other.step())
            for job in await desk.queue.running():
                desk.cluster.stand(job, S.SUCCEEDED if job.started_at else S.RUNNING)
    assert sorted(desk.cluster.order) == [1, 2, 3, 4]
    assert [job.n_tries for job in await desk.queue.recent(9)] == [1] * 4


async def test_one_at_a_time_holds_the_queue(desk: Desk) -> None:
    async with desk.queue.hold_dispatch() as is_first:
        async with desk.queue.hold_dispatch() as is_second:
            assert (is_first, is_second) == (True, False)
        assert await desk.queue.is_dispatched()
    assert not await desk.queue.is_dispatched()


async def test_a_job_that_is_cancelled_while_ray_refuses_it_is_not_tried_again(desk: Desk) -> None:
    job = await desk.queue.submit(REQUEST)
    claimed = await desk.queue.claim(job)
    assert claimed is not None
    await desk.queue.cancel(job.job_id, desk.now)
    await desk.queue.requeue(claimed, desk.now, "refused", wait=timedelta(hours=1), has_failed=True)
    ended = await desk.queue.get(job.job_id)
    assert (ended.state, ended.ended_at) == (JobState.CANCELLED, desk.now)
