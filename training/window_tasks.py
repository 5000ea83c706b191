"""The windows of a walk-forward as tasks of Ray: the only place of them that knows it."""

from collections.abc import Callable, Sequence

import ray
from ray.exceptions import RayTaskError

from training.window import WindowForecast, WindowJob, WindowMarket, run_window

OnWindow = Callable[[int, int], None]
"""Called with the number of windows that are done, and of all."""


def run_on_ray(
    market: WindowMarket, jobs: Sequence[WindowJob], on_window: OnWindow, *, n_workers: int
) -> list[WindowForecast]:
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
    task = ray.remote(num_cpus=1)(run_window)
    shared = ray.put(market)
    waiting, done = list(reversed(jobs)), list[WindowForecast]()
    running: set[ray.ObjectRef[WindowForecast]] = set()
    on_window(0, len(jobs))
    try:
        while waiting or running:
            while waiting and len(running) < n_workers:
                running.add(task.remote(shared, waiting.pop()))
            (ready,), rest = ray.wait(list(running))
            running = set(rest)
            done.append(ray.get(ready))
            on_window(len(done), len(jobs))
    except RayTaskError as error:
        raise error.cause from None
    return sorted(done, key=lambda forecast: forecast.number)
