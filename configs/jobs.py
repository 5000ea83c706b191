"""The queue of jobs on a Ray cluster that stays: section ``jobs``."""

from pydantic import Field

from outcry.config import FrozenConfig


class JobsConfig(FrozenConfig):
    """Section ``jobs``: how the queue is worked off, and what a job has that was submitted without saying otherwise.

    Attributes
    ----------
    address : str or None
        Where the cluster takes jobs: its dashboard (``http://127.0.0.1:8265``) or its address. None takes
        ``ray.address``, else what ``RAY_API_SERVER_ADDRESS`` or ``RAY_ADDRESS`` say.
    max_concurrent : int
        Jobs that run at once, at most. Fewer do where the cluster has no place for what they ask.
    poll_s : float
        How often Ray is asked how the jobs stand.
    backoff_s : float
        How long a job waits after its first failure; twice as long after each further one.
    priority : int
        1 starts first; of one priority, what was submitted first.
    max_retries : int
        Failures after which a job is started again.
    timeout_s : float
        How long a try may run before it is stopped; what it waits for a place does not count.
    num_cpus, num_gpus, memory_bytes : float, float, int
        What Ray sets aside for the command itself, on whichever machine has it. Workers and tasks that the command
        starts ask for their own. All 0: the command runs on the head.
    """

    address: str | None = None
    max_concurrent: int = Field(default=8, ge=1)
    poll_s: float = Field(default=2.0, gt=0)
    backoff_s: float = Field(default=30.0, ge=0)
    priority: int = Field(default=10, ge=1)
    max_retries: int = Field(default=3, ge=0, le=10)
    timeout_s: float = Field(default=21_600.0, gt=0)
    num_cpus: float = Field(default=1.0, ge=0)
    num_gpus: float = Field(default=0.0, ge=0)
    memory_bytes: int = Field(default=0, ge=0)
