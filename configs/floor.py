"""Sections of the shells: the floor's actors, storage and Ray."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from outcry.config import FrozenConfig

ActorName = Literal["feed", "shard", "desk", "portfolio", "risk", "execution", "journal", "supervisor"]


class ActorConfig(FrozenConfig):
    """Resources and restart policy of one kind of actor; ``max_restarts`` -1 is without limit."""

    num_cpus: float = Field(default=0.0, ge=0)
    max_restarts: int = Field(default=-1, ge=-1)
    resources: dict[str, float] = Field(default_factory=dict)


class FloorConfig(FrozenConfig):
    """Section ``floor``: how a run is laid out and supervised.

    Attributes
    ----------
    state_dir : Path
        Everything outcry keeps on this machine: databases, bundles, reports.
    n_shards : int
        Feature shards; the symbols are spread over them by a stable hash. One computes 500 symbols in 2 ms, and every
        further one costs a call a frame.
    warmup_frames : int or None
        Frames before the first traded one that bring the features to their state. None takes all there are: the run
        then goes on exactly where the features of the training span stopped.
    window_bars : int
        Rows of every symbol that are kept for models that read windows, at least; what the bundle of a run reads is
        kept in any case. More lets a later bundle with longer windows take its place without a restart.
    snapshot_every_frames : int
        A shard saves its state this often; a restart replays at most so many frames.
    speed : float or None
        Replay speed as a multiple of real time; None is as fast as the floor goes.
    recovery_deadline_s : float
        How long a caller waits for an actor that is being restarted.
    health_period_s, health_deadline_s : float
        How often the supervisor asks every actor, and after what silence it restarts one.
    restart_budget : int
        Restarts of one actor after which the supervisor halts trading.
    """

    state_dir: Path = Path(".outcry")
    n_shards: int = Field(default=1, ge=1, le=64)
    warmup_frames: int | None = Field(default=None, ge=0)
    window_bars: int = Field(default=1, ge=1, le=4096)
    snapshot_every_frames: int = Field(default=256, ge=1)
    speed: float | None = Field(default=None, gt=0)
    recovery_deadline_s: float = Field(default=60.0, gt=0)
    health_period_s: float = Field(default=2.0, gt=0)
    health_deadline_s: float = Field(default=20.0, gt=0)
    restart_budget: int = Field(default=10, ge=1)
    actors: dict[ActorName, ActorConfig] = Field(default_factory=dict)


class StorageConfig(FrozenConfig):
    """Section ``storage``: None starts the embedded server of that kind inside ``floor.state_dir``.

    ``mlflow_url`` is a database or a tracking server of MLflow; None keeps the model registry in a database ``mlflow``
    beside that of the journal.
    """

    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    mlflow_url: SecretStr | None = None


class RayConfig(FrozenConfig):
    """Section ``ray``: None as ``address`` starts a cluster on this machine for the length of the run."""

    address: str | None = None
    num_cpus: int = Field(default=4, ge=1)
    object_store_bytes: int = Field(default=300 * 2**20, ge=75 * 2**20)
    dashboard: bool = False
    dashboard_port: int = Field(default=8265, ge=1, le=65535)
