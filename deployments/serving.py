"""Start, swap and stop the served ensemble; call these from a process that is connected to Ray.

Every change is declared to Serve whole, so what it brings back after a crash is what was asked for last.
"""

import shutil
import socket
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ray import serve
from ray.exceptions import RayError
from ray.serve.context import _get_global_client
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import ApplicationStatus, ApplicationStatusOverview, LoggingConfig, ServeDeploySchema

from configs.serving import ServingConfig
from deployments.client import APP_NAME, DEPLOYMENT_NAME, find_ensemble
from deployments.ensemble import EnsembleArgs, EnsembleStatus, leave_redis_url
from deployments.environment import build_serve_environment
from outcry.errors import BundleError, PortInUseError, ServiceError
from outcry.features.feature_set import FeatureSet

_POLL_S = 0.05
_LOGGING: dict[str, Any] = {
    "enable_access_log": False,
    "log_level": "WARNING",
}  # a line a request is a tenth of its time


@dataclass(frozen=True, slots=True)
class SwapOutcome:
    """`refusal` is empty where the bundle asked for is in service, else why it is not."""

    model_version: str
    refusal: str


class EnsembleServer:
    """The ensemble on the Ray cluster this process is connected to.

    Parameters
    ----------
    config : ServingConfig
    features : FeatureSet
        Of the rows that are asked for; a bundle of another set is refused.
    redis_url : str, optional
        Where the floor leaves its latest features.
    has_environment : bool
        Ray itself was started with `build_serve_environment`. Else Serve's processes get it one by one, and cannot be
        those that Ray holds ready: the start takes some 3 s longer.
    """

    def __init__(
        self,
        config: ServingConfig,
        features: FeatureSet,
        redis_url: str | None = None,
        *,
        has_environment: bool = False,
    ) -> None:
        self._config = config
        self._has_environment = has_environment
        self._args = EnsembleArgs(serving=config, feature_names=features.names, features_hash=features.hash)
        self._redis_url = redis_url
        self._has_started_serve = False
        self._scratch: Path | None = None

    @property
    def url(self) -> str:
        return f"http://{self._config.host}:{self._config.port}"

    @cached_property
    def _handle(self) -> DeploymentHandle[Any]:
        return find_ensemble()

    def start(self, bundle: Path) -> EnsembleStatus:
        """Start Serve behind HAProxy, deploy the ensemble with `bundle`, and return when it answers over HTTP.

        Where Serve runs already, only the ensemble is deployed. Whatever is raised, `stop` cleans up.

        Raises
        ------
        PortInUseError
            Before anything is started.
        BundleError
            Where the replica refuses the bundle.
        ServiceError
            Where it does not answer within `start_deadline_s`.
        """
        deadline_s = time.monotonic() + self._config.start_deadline_s
        if _get_global_client(raise_if_no_controller_running=False) is None:
            check_port_free(self._config.host, self._config.port)
            self._start_serve()
        elif not self._has_started_serve and serve.status().applications:
            present = ", ".join(sorted(serve.status().applications))
            raise ServiceError(f"Serve on this cluster must run nothing when a floor starts, runs {present}")
        leave_redis_url(self._redis_url)
        bundle = bundle.resolve()
        self._declare(bundle, fallback=None)
        self._await_running(deadline_s)
        self._await_http(deadline_s)
        status = self.status()[0]
        if status.refused_path == bundle:  # an ensemble that ran before keeps its model
            raise BundleError(status.refused_reason)
        return status

    def swap(self, bundle: Path) -> SwapOutcome:
        """Put another bundle in service, or keep the present one and say why."""
        deadline_s = time.monotonic() + self._config.start_deadline_s
        bundle = bundle.resolve()
        before = self.status()
        present = before[0].bundle_path
        known = {(replica.pid, replica.refused_ts_ns) for replica in before}
        self._declare(bundle, fallback=present)
        while True:
            replicas = self.status()
            if all(replica.bundle_path == bundle for replica in replicas):
                return SwapOutcome(replicas[0].model_version, "")
            for replica in replicas:
                if replica.refused_path == bundle and (replica.pid, replica.refused_ts_ns) not in known:
                    self._declare(present, fallback=None)  # a replica to come must not meet the bad one
                    self._await_running(deadline_s)
                    return SwapOutcome(self.status()[0].model_version, replica.refused_reason)
            _wait(deadline_s, f"bundle {bundle} must be loaded")

    def status(self) -> list[EnsembleStatus]:
        """Return what each running replica serves; at least one."""
        deadline_s = time.monotonic() + self._config.start_deadline_s
        while True:
            try:
                replicas: list[EnsembleStatus] = self._handle.broadcast("status").results(timeout_s=5.0)
            except (RayError, RayServeException, TimeoutError):
                replicas = []  # one has just died; its successor will answer
            if replicas:
                return replicas
            _wait(deadline_s, "a replica of the ensemble must answer")

    def stop(self) -> None:
        """Take the ensemble out of service, and stop Serve where `start` started it."""
        if self._has_started_serve:
            serve.shutdown()  # type: ignore[no-untyped-call]  # Ray leaves it without annotations
        elif _get_global_client(raise_if_no_controller_running=False) is not None:
            serve.delete(APP_NAME)
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def _start_serve(self) -> None:
        self._has_started_serve = True
        variables = {}
        if not self._has_environment:
            folder = self._config.scratch_dir
            if folder is None:
                folder = self._scratch = Path(tempfile.mkdtemp(prefix="oc-"))
            variables = build_serve_environment(folder)
        try:
            serve.start(
                proxy_location="HeadOnly",
                http_options={"host": self._config.host, "port": self._config.port},
                controller_options={"runtime_env": {"env_vars": variables}},
                logging_config=LoggingConfig(**_LOGGING),
            )
        except (RayError, TimeoutError) as error:
            last_line = str(error).strip().splitlines()[-1]
            raise ServiceError(f"Serve must start behind HAProxy, did not: {last_line}") from error

    def _declare(self, bundle: Path, fallback: Path | None) -> None:
        choice = {"bundle_path": str(bundle), "fallback_path": None if fallback is None else str(fallback)}
        deployment = {"name": DEPLOYMENT_NAME, "user_config": choice}
        application = {
            "name": APP_NAME,
            "route_prefix": "/",
            "import_path": "deployments.ensemble:build_app",
            "args": self._args.model_dump(mode="json"),
            "deployments": [deployment],
            "logging_config": _LOGGING,
        }
        _deploy(ServeDeploySchema.model_validate({"applications": [application]}))

    def _await_running(self, deadline_s: float) -> None:
        while True:
            application = serve.status().applications.get(APP_NAME)
            if application is not None:
                if application.status is ApplicationStatus.RUNNING:
                    return
                if application.status is ApplicationStatus.DEPLOY_FAILED:
                    raise BundleError(_reason(application))
            _wait(deadline_s, f"application {APP_NAME} must be running")

    def _await_http(self, deadline_s: float) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            try:
                with opener.open(f"{self.url}/v1/health", timeout=5.0):
                    return
            except (urllib.error.URLError, OSError):
                _wait(deadline_s, f"{self.url} must answer")


def check_port_free(host: str, port: int) -> None:
    """Raise `PortInUseError` where somebody listens on the port."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection that lingers is no listener
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUseError(f"serving.port must be free on {host}, was {port}: {error.strerror}") from None


def _deploy(declaration: ServeDeploySchema) -> None:
    """Hand a declaration to Serve. Its REST API does the same but needs the dashboard; this call is not public."""
    client = _get_global_client()
    if client is None:
        raise ServiceError("Serve must be running, is not")
    client.deploy_apps(declaration)


def _reason(application: ApplicationStatusOverview) -> str:
    """Return what the replica raised, out of the traceback that Serve hands on."""
    told = "\n".join([application.message, *(d.message for d in application.deployments.values())])
    raised = [line.partition("Error: ")[2] for line in told.splitlines() if "Error: " in line]
    return raised[-1] if raised else told


def _wait(deadline_s: float, rule: str) -> None:
    if time.monotonic() > deadline_s:
        raise ServiceError(f"{rule} within serving.start_deadline_s, did not")
    time.sleep(_POLL_S)
