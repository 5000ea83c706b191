"""The ensemble that a floor of this machine serves: found by what the floor left, and given another bundle."""

import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from configs.schema import Settings

if TYPE_CHECKING:
    from deployments.served import ServedEnsemble, SwapOutcome

Answer = TypeVar("Answer")

_PROBE_S = 2.0
_AUTH_MODE = "RAY_AUTH_MODE"


@contextmanager
def leave_address(state_dir: Path, run_id: str) -> Iterator[None]:
    """Leave a run, and the address of the Ray cluster this process is connected to, in the state folder for a block."""
    import ray

    file = _file(state_dir)
    address = ray.get_runtime_context().gcs_address
    auth_mode = os.environ.get(_AUTH_MODE, "disabled")
    file.write_text(json.dumps({"run_id": run_id, "ray_address": address, "auth_mode": auth_mode}))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def swap_served(settings: Settings, bundle: Path) -> "SwapOutcome | None":
    """Hand a bundle to the ensemble that is served, and wait until every replica has it or one refuses it.

    The cluster is the one that a floor with this state folder runs on, or that of ``ray.address``. Nothing is started:
    None where no ensemble is served.

    Raises
    ------
    ServiceError
        Where the cluster of ``ray.address`` cannot be reached, or its replicas do not answer.
    """
    return _at_served(settings, _find_address(settings), lambda served: served.swap(bundle))


def swap_served_of_run(settings: Settings, run_id: str, bundle: Path) -> "SwapOutcome | None":
    """As `swap_served`, of the floor that trades this run alone; None where another floor runs, or none."""
    address = _read_address(settings.floor.state_dir, run_id)
    return _at_served(settings, address, lambda served: served.swap(bundle))


def serve_shadow(settings: Settings, bundle: Path) -> "SwapOutcome | None":
    """As `swap_served`, of the shadow that is asked beside the model in service."""
    return _at_served(settings, _find_address(settings), lambda served: served.set_shadow(bundle))


def end_served_shadow(settings: Settings, model_version: str | None) -> str:
    """Take the shadow out of every replica where it is this version, or any; return which it was, empty for none."""

    def end(served: "ServedEnsemble") -> str:
        present = next((found for replica in served.status() if (found := replica.shadow.model_version)), "")
        if not present or model_version not in (None, present):
            return ""
        served.set_shadow(None)
        return present

    return _at_served(settings, _find_address(settings), end) or ""


def _at_served(
    settings: Settings, address: str | None, change: "Callable[[ServedEnsemble], Answer]"
) -> "Answer | None":
    """Change the ensemble that is served at an address of Ray; one change at a time, as each keeps all else."""
    if address is None:
        return None
    from cli.cluster import ray_cluster
    from deployments.served import find_served

    with ray_cluster(settings.ray.model_copy(update={"address": address})), _turn(settings.floor.state_dir):
        served = find_served()
        return None if served is None else change(served)


def _find_address(settings: Settings) -> str | None:
    from cli.cluster import cluster_address

    return _read_address(settings.floor.state_dir) or cluster_address(settings.ray)


@contextmanager
def _turn(state_dir: Path) -> Iterator[None]:
    """Wait until no other process of this machine changes what a floor with this state folder serves."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "floor.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read_address(state_dir: Path, run_id: str | None = None) -> str | None:
    """Return the address a floor left; None where it was killed since, or trades another run.

    Whether its cluster asks for the token of this user is not to be found out by Ray: it reads the mode from the
    environment, when it is imported.
    """
    try:
        left = json.loads(_file(state_dir).read_text())
        address, auth_mode = str(left["ray_address"]), str(left["auth_mode"])
        if run_id is not None and left["run_id"] != run_id:
            return None
        host, _, port = address.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_PROBE_S):
            os.environ.setdefault(_AUTH_MODE, auth_mode)
            return address
    except (OSError, ValueError, KeyError):
        return None


def _file(state_dir: Path) -> Path:
    return state_dir / "floor.json"
