"""Where networks are trained: section ``training.neural_job``."""

from pydantic import Field

from outcry.config import FrozenConfig


class NeuralJobConfig(FrozenConfig):
    """A job of Ray Train for each network that ``outcry train`` fits.

    ``n_workers`` 0 trains in the process of the command, which is quicker for a fit of less than a minute: workers take
    some ten seconds to start. Steps are of ``batch_rows`` rows of the family in all, whatever the number of workers.
    Each worker has ``cpus_per_worker`` cores, ``training.n_threads`` threads and ``gpus_per_worker`` GPUs.

    Every ``checkpoint_epochs`` epochs the first worker writes how far it is to ``storage_dir``, which all machines have
    to see; without one to a temporary folder of this machine. Where a worker dies, all of them go on from there, up to
    ``max_retries`` times. A fit that takes longer than ``timeout_s``, its retries and its wait for cores included, is
    ended; its last checkpoint stays in ``storage_dir``.
    """

    n_workers: int = Field(default=0, ge=0, le=64)
    cpus_per_worker: float = Field(default=1.0, gt=0)
    gpus_per_worker: float = Field(default=0.0, ge=0)
    max_retries: int = Field(default=3, ge=0)
    timeout_s: float = Field(default=21_600.0, gt=0)
    checkpoint_epochs: int = Field(default=1, gt=0)
    storage_dir: str | None = None
