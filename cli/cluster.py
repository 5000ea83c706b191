"""The Ray cluster of a run: one on this machine for its length, or the one that is there."""

import logging
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from configs.floor import RayConfig
from configs.schema import Settings
from deployments.environment import build_serve_environment
from outcry.errors import ServiceError

# Read by Ray's processes when they start, so they are set before it does; what the user set stays.
_ENVIRONMENT = {
    "RAY_worker_niceness": "0",  # Ray's default of 15 lets the driver starve the actors of a small machine
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_metrics_report_interval_ms": "30000",
    "RAY_max_direct_call_object_size": str(2**20),  # features of a frame travel in the call; windows, if larger, do not
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
    with RayStart(config) as start:
        yield start.wait()


class RayStart:
    """Connect to Ray as `ray_cluster` does, beside what else is done in the block.

    A cluster takes seconds to start, in processes of its own for the most part: time to load data in.

    Parameters
    ----------
    config : RayConfig
    """

    def __init__(self, config: RayConfig) -> None:
        self._config = config
        self._address = cluster_address(config)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ray")
        self._started: Future[None] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> "RayStart":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The thread ends last: the kernel kills the processes that Ray started with the thread that started them.
        with self._thread, self._stack:
            if self._started is not None:
                wait([self._started])  # there is no way to break it off

    def begin(self) -> None:
        """Start, and return at once."""
        if self._started is not None:
            return
        if self._address is not None:
            where, options = f"at {self._address}", {"address": self._address}
        else:
            where, options = "on this machine", self._prepare()
        self._stack.callback(_disconnect)
        self._started = self._thread.submit(_connect, where, options)

    def wait(self) -> bool:
        """Return, once Ray is there, whether it was started here.

        Raises
        ------
        ServiceError
            Where the cluster cannot be reached or started.
        """
        self.begin()
        assert self._started is not None  # noqa: S101 - begun above
        self._started.result()
        return self._address is None

    def _prepare(self) -> dict[str, Any]:
        """Set the environment of a cluster that starts here, and return the options of `ray.init`."""
        config, folder = self._config, Path(tempfile.mkdtemp(prefix="oc-"))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        self._stack.enter_context(_environment(_ENVIRONMENT | build_serve_environment(folder)))
        return {
            "address": "local",
            "num_cpus": config.num_cpus,
            "object_store_memory": config.object_store_bytes,
            "include_dashboard": config.dashboard,
            "dashboard_port": config.dashboard_port,
        }


@contextmanager
def training_cluster(settings: Settings) -> Iterator[None]:
    """Connect to Ray as `ray_cluster` does, where ``training.neural_job`` has workers and a member needs them."""
    from outcry.models.families import find_family
    from outcry.models.neural.family import NeuralFamily

    job = settings.training.neural_job
    if not job.n_workers or not any(isinstance(find_family(name), NeuralFamily) for name in settings.training.families):
        yield
        return
    n_cpus = max(settings.ray.num_cpus, math.ceil(job.n_workers * job.cpus_per_worker))
    with ray_cluster(settings.ray.model_copy(update={"num_cpus": n_cpus})):
        yield


def _connect(where: str, options: Mapping[str, Any]) -> None:
    import ray

    logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)  # tells at each start that it is on
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    logging.getLogger("ray._private.worker").addFilter(_is_not_about_signals)
    # Ray prints what it thinks of a worker that died into our stdout, and has no setting against it.
    ray._private.worker.print_to_stdstream = _log_ray_message  # type: ignore[assignment]  # Ray says it returns Any
    try:
        ray.init(log_to_driver=False, logging_level=logging.WARNING, **options)
    except Exception as error:  # Ray raises no narrower one where a node takes too long to start
        raise ServiceError(f"Ray must be reachable {where}, was not: {str(error).splitlines()[0]}") from error


def _disconnect() -> None:
    import ray

    ray.shutdown()


def _is_not_about_signals(record: logging.LogRecord) -> bool:
    """Drop what Ray says of SIGTERM where it starts in a thread: the command line handles it."""
    return "SIGTERM handler is not set" not in record.getMessage()


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
