"""Windows of a market as tasks of Ray: the only place of them that knows it."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import ray
from ray.exceptions import RayTaskError

from training.window import WindowJob, WindowMarket

Answer = TypeVar("Answer")

OnWindow = Callable[[int, int], None]
"""Called with the number of windows that are done, and of all."""


def run_on_ray(
    run: Callable[[WindowMarket, WindowJob], Answer],
    market: WindowMarket,
    jobs: Sequence[WindowJob],
    on_window: OnWindow,
    *,
    n_workers: int,
) -> list[Answer]:
    """Do jobs on the cluster that is connected, `n_workers` at a time; return what came of them, in their order.

    Raises
    ------
    OutcryError
        The first that a job raises.

    Notes
    -----
    What all jobs share is put in the object store once. A task has a core, and its libraries a thread. One whose
    process dies is done again.
    """
    task = ray.remote(num_cpus=1)(run)
    shared = ray.put(market)
    waiting, done = list(reversed(jobs)), dict[int, Answer]()
    running: dict[ray.ObjectRef[Answer], int] = {}
    on_window(0, len(jobs))
    try:
        while waiting or running:
            while waiting and len(running) < n_workers:
                job = waiting.pop()
                running[task.remote(shared, job)] = job.number
            (ready,), _ = ray.wait(list(running))
            done[running.pop(ready)] = ray.get(ready)
            on_window(len(done), len(jobs))
    except RayTaskError as error:
        raise error.cause from None
    return [done[job.number] for job in jobs]
