"""Where a network is trained: in this process, or in workers of Ray Train."""

import sys
from functools import partial

from configs.neural_job import NeuralJobConfig
from outcry.models.family import TrainElsewhere


def workers_of(config: NeuralJobConfig) -> TrainElsewhere | None:
    """Return what trains networks in workers, for `FitSettings.train_elsewhere`; None where this process has to.

    It has to where no workers are asked for, no cluster is connected, or this is itself a task of one: a window of a
    walk-forward has a core of its own, and would wait for cores that its like have.
    """
    ray = sys.modules.get("ray")
    if not config.n_workers or ray is None or not ray.is_initialized():
        return None
    if ray.get_runtime_context().worker.mode != ray.SCRIPT_MODE:
        return None
    from training.neural_workers import train_on_workers  # noqa: PLC0415 - Ray Train and torch

    return partial(train_on_workers, config)
