"""The ensemble that runs on a cluster: what its replicas serve, and how they are given another bundle."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ray import serve
from ray.exceptions import RayError
from ray.serve.context import _get_global_client
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import ApplicationStatus, ApplicationStatusOverview, ServeDeploySchema

from deployments.client import APP_NAME, DEPLOYMENT_NAME, find_ensemble
from deployments.ensemble import EnsembleArgs, EnsembleStatus, ModelChoice
from deployments.model_slot import SlotStatus
from outcry.errors import BundleError, ServiceError

LOGGING: dict[str, Any] = {
    "enable_access_log": False,
    "log_level": "WARNING",
}  # a line a request is a tenth of its time
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class SwapOutcome:
    """`model_version` is in service now, empty for no shadow; `refusal` is why that is not the bundle asked for."""

    model_version: str
    refusal: str


class ServedEnsemble:
    """The ensemble on the Ray cluster this process is connected to.

    Every change is declared to Serve whole, so what it brings back after a crash is what was asked for last.

    Parameters
    ----------
    args : EnsembleArgs
        What it was built from: with other ones, Serve would start its replicas anew.
    """

    def __init__(self, args: EnsembleArgs) -> None:
        self._args = args

    @cached_property
    def _handle(self) -> DeploymentHandle[Any]:
        return find_ensemble()

    def swap(self, bundle: Path) -> SwapOutcome:
        """Put another bundle in service on every replica, or keep the present one and say why; the shadow stays."""
        bundle, before = bundle.resolve(), self.status()
        present = _present_choice(before)
        wanted = present.model_copy(update={"bundle_path": bundle, "fallback_path": present.bundle_path})
        return self._change(before, wanted, bundle, lambda replica: replica.champion)

    def set_shadow(self, bundle: Path | None) -> SwapOutcome:
        """Have every replica answer with a shadow beside its model, with none, or keep the present one and say why."""
        bundle, before = None if bundle is None else bundle.resolve(), self.status()
        wanted = _present_choice(before).model_copy(update={"shadow_path": bundle})
        return self._change(before, wanted, bundle, lambda replica: replica.shadow)

    def _change(
        self,
        before: Sequence[EnsembleStatus],
        wanted: ModelChoice,
        path: Path | None,
        slot_of: Callable[[EnsembleStatus], SlotStatus],
    ) -> SwapOutcome:
        """Declare what is wanted, and wait until one slot of every replica has `path` or one refuses it."""
        deadline_s = self.deadline_s()
        known = {_refusal_of(replica, slot_of) for replica in before}
        self.declare(wanted)
        while True:
            replicas = self.status()
            if all(slot_of(replica).path == path for replica in replicas):
                return SwapOutcome(slot_of(replicas[0]).model_version, "")
            for replica in replicas:
                refused = slot_of(replica).refused
                if refused is not None and refused.path == path and _refusal_of(replica, slot_of) not in known:
                    self.declare(_present_choice(before))  # a replica to come must not meet the bad one
                    self.await_running(deadline_s)
                    return SwapOutcome(slot_of(self.status()[0]).model_version, refused.reason)
            wait(deadline_s, f"bundle {path} must be loaded")

    def status(self) -> list[EnsembleStatus]:
        """Return what each running replica serves; at least one."""
        deadline_s = self.deadline_s()
        while True:
            try:
                replicas: list[EnsembleStatus] = self._handle.broadcast("status").results(timeout_s=5.0)
            except (RayError, RayServeException, TimeoutError):
                replicas = []  # one has just died; its successor will answer
            if replicas:
                return replicas
            wait(deadline_s, "a replica of the ensemble must answer")

    def declare(self, choice: ModelChoice) -> None:
        """Hand the application to Serve, with the bundles it is to serve."""
        deployment = {"name": DEPLOYMENT_NAME, "user_config": choice.model_dump(mode="json")}
        application = {
            "name": APP_NAME,
            "route_prefix": "/",
            "import_path": "deployments.ensemble:build_app",
            "args": self._args.model_dump(mode="json"),
            "deployments": [deployment],
            "logging_config": LOGGING,
        }
        _serve_client().deploy_apps(ServeDeploySchema.model_validate({"applications": [application]}))

    def await_running(self, deadline_s: float) -> None:
        """Return once Serve says so; raise `BundleError` where it says that the replicas cannot start."""
        while True:
            application = serve.status().applications.get(APP_NAME)
            if application is not None:
                if application.status is ApplicationStatus.RUNNING:
                    return
                if application.status is ApplicationStatus.DEPLOY_FAILED:
                    raise BundleError(_reason(application))
            wait(deadline_s, f"application {APP_NAME} must be running")

    def deadline_s(self) -> float:
        """Return the monotonic time by which a change that begins now must be through."""
        return time.monotonic() + self._args.serving.start_deadline_s


def find_served() -> ServedEnsemble | None:
    """Return the ensemble that is deployed on the cluster, as whoever started it built it; None where none is."""
    if _get_global_client(raise_if_no_controller_running=False) is None:
        return None
    application = _serve_client().get_serve_details()["applications"].get(APP_NAME)
    if application is None:
        return None
    return ServedEnsemble(EnsembleArgs.model_validate(application["deployed_app_config"]["args"]))


def wait(deadline_s: float, rule: str) -> None:
    """Sleep a moment; raise `ServiceError` past the deadline, a monotonic time."""
    if time.monotonic() > deadline_s:
        raise ServiceError(f"{rule} within serving.start_deadline_s, did not")
    time.sleep(_POLL_S)


def _present_choice(replicas: Sequence[EnsembleStatus]) -> ModelChoice:
    """Return what is in service, as the choice that keeps it."""
    champion = replicas[0].champion.path
    assert champion is not None  # noqa: S101 - a replica without a model is not running
    shadow = next((replica.shadow.path for replica in replicas if replica.shadow.path is not None), None)
    return ModelChoice(bundle_path=champion, shadow_path=shadow)


def _refusal_of(replica: EnsembleStatus, slot_of: Callable[[EnsembleStatus], SlotStatus]) -> tuple[int, int]:
    refused = slot_of(replica).refused
    return replica.pid, 0 if refused is None else refused.ts_ns


def _serve_client() -> Any:
    """Return what hands declarations to Serve. Its REST API does the same but needs the dashboard; not public."""
    client = _get_global_client()
    if client is None:
        raise ServiceError("Serve must be running, is not")
    return client


def _reason(application: ApplicationStatusOverview) -> str:
    """Return what the replica raised, out of the traceback that Serve hands on."""
    told = "\n".join([application.message, *(d.message for d in application.deployments.values())])
    raised = [line.partition("Error: ")[2] for line in told.splitlines() if "Error: " in line]
    return raised[-1] if raised else told
