"""Settings of the served ensemble."""

from pathlib import Path

from pydantic import Field

from outcry.config import FrozenConfig


class ServingConfig(FrozenConfig):
    """Section `serving`.

    Attributes
    ----------
    host : str
        Address the proxy and the replicas listen on; loopback by default, since predictions carry no login.
    port : int
        Of the HTTP API.
    num_replicas, num_cpus : int, float
        Copies of the ensemble, and the logical CPUs Ray reserves for each.
    max_rows : int
        Rows in one request.
    max_body_bytes : int
        Of one request.
    max_ongoing_requests, max_queued_requests : int
        A replica works on at most so many; a caller may have so many waiting before it is refused.
    replay_deadline_s : float
        The desk takes the fallback when a forecast has not come by then: long, so that a replica that is replaced
        changes no forecast of a replay.
    health_period_s : float
        Between two health checks of a replica.
    start_deadline_s : float
        For Serve and its first model to answer; also for a swap.
    scratch_dir : Path, optional
        Where the proxy keeps its configuration and sockets; a fresh private folder where absent.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    num_replicas: int = Field(default=1, ge=1, le=64)
    num_cpus: float = Field(default=0.1, ge=0.0)
    max_rows: int = Field(default=10_000, ge=1)
    max_body_bytes: int = Field(default=32 * 2**20, ge=1024)
    max_ongoing_requests: int = Field(default=64, ge=1)
    max_queued_requests: int = Field(default=1024, ge=1)
    replay_deadline_s: float = Field(default=60.0, gt=0.0)
    health_period_s: float = Field(default=1.0, gt=0.0)
    start_deadline_s: float = Field(default=180.0, gt=0.0)
    scratch_dir: Path | None = None
