"""Trials of a sweep as Ray tasks: one market in the object store, chunks of points, outcomes as they come."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psutil
import ray

from actors.trials import Point, SweepMarket, TrialOutcome, TrialRunner

SECONDS_A_CHUNK = 1.0
"""About what a chunk takes: long beside the millisecond of a call, short beside the patience of who watches."""
MOST_A_CHUNK = 64
CHUNKS_A_WORKER = 2  # one runs, and one is there when it ends

Numbered = tuple[int, Point]


@dataclass(frozen=True, slots=True, eq=False)
class ChunkReport:
    """What a task answers.

    Attributes
    ----------
    outcomes : list of TrialOutcome
    seconds : float
        That the trials took.
    worker : str
        Node and process.
    private_bytes : int
        Resident memory of the process less what it shares with others, the market among it.
    shared_bytes : int
    """

    outcomes: list[TrialOutcome]
    seconds: float
    worker: str
    private_bytes: int
    shared_bytes: int


class WorkerMemory:
    """Remember the memory of every worker after its first and its last chunk."""

    def __init__(self) -> None:
        self.first_bytes: dict[str, int] = {}
        self.last_bytes: dict[str, int] = {}
        self.most_bytes = 0
        self.shared_bytes = 0

    def update(self, report: ChunkReport) -> None:
        self.first_bytes.setdefault(report.worker, report.private_bytes)
        self.last_bytes[report.worker] = report.private_bytes
        self.most_bytes = max(self.most_bytes, report.private_bytes)
        self.shared_bytes = max(self.shared_bytes, report.shared_bytes)

    @property
    def n_workers(self) -> int:
        return len(self.last_bytes)

    @property
    def growth_bytes(self) -> int:
        """The most that a worker grew by between its first chunk and its last one."""
        return max((self.last_bytes[worker] - first for worker, first in self.first_bytes.items()), default=0)

    def to_record(self) -> dict[str, float]:
        """Return plain values, megabytes of 10⁶ bytes."""
        return {
            "n_workers": self.n_workers,
            "private_mb": self.most_bytes / 1e6,
            "growth_mb": self.growth_bytes / 1e6,
            "shared_mb": self.shared_bytes / 1e6,
        }


class TrialWorkers:
    """Trade points on the connected cluster, a core a task.

    Parameters
    ----------
    market : SweepMarket
        Put into the object store once; workers read it there.
    memory : WorkerMemory
        Updated with every chunk.
    """

    def __init__(self, market: SweepMarket, memory: WorkerMemory) -> None:
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        self._n_workers = max(int(resources.get("CPU", 1)), 1)
        self._shared = ray.put(market)
        self._memory = memory
        self._seconds_a_trial = SECONDS_A_CHUNK  # until one was measured, a trial is a chunk

    def run(self, points: Sequence[Numbered]) -> Iterator[list[TrialOutcome]]:
        """Yield outcomes as they come, in no fixed order.

        Closing the iterator cancels what is not finished. A task whose process dies is tried again by Ray; where that
        does not help, its trials fail with what Ray says.

        Parameters
        ----------
        points : sequence of (int, mapping)
            With the place of each in the sweep.
        """
        waiting = list(reversed(points))
        running: dict[Any, list[Numbered]] = {}
        try:
            while waiting or running:
                n = _chunk_size(self._seconds_a_trial, len(waiting), self._n_workers)
                while waiting and len(running) < CHUNKS_A_WORKER * self._n_workers:
                    chunk = [waiting.pop() for _ in range(min(n, len(waiting)))]
                    running[_trade_chunk.remote(self._shared, chunk)] = chunk
                done, _ = ray.wait(list(running), num_returns=1)
                chunk = running.pop(done[0])
                try:
                    report: ChunkReport = ray.get(done[0])
                except ray.exceptions.RayError as error:
                    reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
                    yield [TrialOutcome(index, None, None, reason, 0.0) for index, _ in chunk]
                    continue
                self._seconds_a_trial = report.seconds / len(report.outcomes)
                self._memory.update(report)
                yield report.outcomes
        finally:
            for reference in running:
                ray.cancel(reference, force=True)


def _chunk_size(seconds_a_trial: float, n_waiting: int, n_workers: int) -> int:
    """Return how many trials to give a task: a second of them, and at the end less, so that all cores end together."""
    by_time = int(SECONDS_A_CHUNK / max(seconds_a_trial, 1e-6))
    return max(min(by_time, MOST_A_CHUNK, n_waiting // (2 * n_workers)), 1)


# Of a task with one core Ray sets OMP_NUM_THREADS to 1, and the kernels have no threads.
@ray.remote(num_cpus=1, max_retries=2)
def _trade_chunk(market: SweepMarket, points: list[Numbered]) -> ChunkReport:
    started = time.perf_counter()
    runner = TrialRunner(market)
    outcomes = [runner.outcome(index, point) for index, point in points]
    memory = psutil.Process().memory_info()
    return ChunkReport(
        outcomes,
        time.perf_counter() - started,
        f"{ray.get_runtime_context().get_node_id()[:8]}:{os.getpid()}",
        memory.rss - memory.shared,
        memory.shared,
    )
