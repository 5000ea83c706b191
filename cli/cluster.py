"""The Ray cluster of a run: one on this machine for its length, or the one that is there."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from configs.floor import RayConfig
from deployments.environment import build_serve_environment
from outcry.errors import ServiceError

# Read by Ray's processes when they start, so they are set before it does; what the user set stays.
_ENVIRONMENT = {
    "RAY_worker_niceness": "0",  # Ray's default of 15 lets the driver starve the actors of a small machine
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_metrics_report_interval_ms": "30000",
    "RAY_max_direct_call_object_size": str(4 * 2**20),  # features of a frame travel in the call, not through the store
}


def cluster_address(config: RayConfig) -> str | None:
    """Return the address of the cluster to use: that of the settings, or of the Ray job this is; None to start one."""
    return config.address or os.environ.get("RAY_ADDRESS") or None


@contextmanager
def ray_cluster(config: RayConfig) -> Iterator[bool]:
    """Connect to Ray for the length of a block; yield whether the cluster was started here, ready for `EnsembleServer`.

    A cluster that is there is used and left running. Else one starts on this machine and ends with the block; Ray's
    token authentication stays on.

    Raises
    ------
    ServiceError
        Where the cluster cannot be reached or started.
    """
    address = cluster_address(config)
    if address is not None:
        with _connected(f"at {address}", address=address):
            yield False
        return
    folder = Path(tempfile.mkdtemp(prefix="oc-"))
    try:
        with (
            _environment(_ENVIRONMENT | build_serve_environment(folder)),
            _connected(
                "on this machine",
                address="local",
                num_cpus=config.num_cpus,
                object_store_memory=config.object_store_bytes,
                include_dashboard=config.dashboard,
                dashboard_port=config.dashboard_port,
            ),
        ):
            yield True
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _connected(where: str, **options: Any) -> Iterator[None]:
    import ray

    logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)  # tells at each start that it is on
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    # Ray prints what it thinks of a worker that died into our stdout, and has no setting against it.
    ray._private.worker.print_to_stdstream = _log_ray_message  # type: ignore[assignment]  # Ray says it returns Any
    try:
        ray.init(log_to_driver=False, logging_level=logging.WARNING, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ServiceError(f"Ray must be reachable {where}, was not: {str(error).splitlines()[0]}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _log_ray_message(batch: dict[str, Any], ignore_prefix: bool) -> None:
    logging.getLogger("ray").info("%s", "\n".join(batch["lines"]))


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set what is not set yet, for the length of a block."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
