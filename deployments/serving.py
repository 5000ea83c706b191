"""Start, swap and stop the served ensemble; call these from a process that is connected to Ray."""

import shutil
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent import futures
from pathlib import Path

from ray import serve
from ray.exceptions import RayError
from ray.serve.context import _get_global_client
from ray.serve.schema import LoggingConfig

from configs.serving import ServingConfig
from configs.uncertainty import NOTHING_BINDS, UncertaintyConfig
from deployments.client import APP_NAME
from deployments.ensemble import EnsembleArgs, EnsembleStatus, ModelChoice, leave_redis_url
from deployments.environment import build_serve_environment
from deployments.served import LOGGING, ServedEnsemble, SwapOutcome, wait
from outcry.errors import BundleError, PortInUseError, ServiceError
from outcry.features.feature_set import FeatureSet


class EnsembleServer:
    """The ensemble on the Ray cluster this process is connected to.

    Parameters
    ----------
    config : ServingConfig
    features : FeatureSet
        Of the rows that are asked for; a bundle of another set is refused.
    redis_url : str, optional
        Where the floor leaves its latest features.
    window_bars : int
        Rows that the floor keeps for windows; a bundle that reads longer ones is refused.
    has_environment : bool
        Ray itself was started with `build_serve_environment`. Else Serve's processes get it one by one, and cannot be
        those that Ray holds ready: the start takes some 3 s longer.
    uncertainty : UncertaintyConfig
        By which an answer over HTTP abstains.
    """

    def __init__(
        self,
        config: ServingConfig,
        features: FeatureSet,
        redis_url: str | None = None,
        *,
        window_bars: int = 1,
        has_environment: bool = False,
        uncertainty: UncertaintyConfig = NOTHING_BINDS,
    ) -> None:
        self._config = config
        self._has_environment = has_environment
        self._served = ServedEnsemble(
            EnsembleArgs(
                serving=config,
                feature_names=features.names,
                features_hash=features.hash,
                window_bars=window_bars,
                uncertainty=uncertainty,
            )
        )
        self._redis_url = redis_url
        self._serve_start: futures.Future[None] | None = None  # of Serve, where it was not there
        self._scratch: Path | None = None

    @property
    def url(self) -> str:
        return f"http://{self._config.host}:{self._config.port}"

    def start(self, bundle: Path) -> EnsembleStatus:
        """Start Serve behind HAProxy, deploy the ensemble with `bundle`, and return when it answers over HTTP.

        As `begin`, then `await_ready`.
        """
        self.begin(bundle)
        return self.await_ready(bundle)

    def begin(self, bundle: Path) -> None:
        """Declare the ensemble with `bundle` to Serve, and return while its processes start.

        Where Serve runs already, only the ensemble is deployed. Whatever is raised, `stop` cleans up.

        Raises
        ------
        PortInUseError
            Before anything is started.
        ServiceError
            Where Serve does not start, or runs something else.
        """
        if _get_global_client(raise_if_no_controller_running=False) is None:
            check_port_free(self._config.host, self._config.port)
            self._begin_serve()
        elif self._serve_start is None and serve.status().applications:
            present = ", ".join(sorted(serve.status().applications))
            raise ServiceError(f"Serve on this cluster must run nothing when a floor starts, runs {present}")
        leave_redis_url(self._redis_url)
        self._served.declare(ModelChoice(bundle_path=bundle.resolve()))

    def await_ready(self, bundle: Path) -> EnsembleStatus:
        """Return when the ensemble that `begin` declared answers over HTTP.

        Raises
        ------
        BundleError
            Where the replica refuses the bundle.
        ServiceError
            Where it does not answer within `start_deadline_s`.
        """
        deadline_s = self._served.deadline_s()
        if self._serve_start is not None:
            self._serve_start.result()
        self._served.await_running(deadline_s)
        self._await_http(deadline_s)
        status = self.status()[0]
        refused = status.champion.refused
        if refused is not None and refused.path == bundle.resolve():  # an ensemble that ran before keeps its model
            raise BundleError(refused.reason)
        return status

    def swap(self, bundle: Path) -> SwapOutcome:
        """Put another bundle in service, or keep the present one and say why."""
        return self._served.swap(bundle)

    def set_shadow(self, bundle: Path | None) -> SwapOutcome:
        """Have a shadow answer beside the model, or none; see `ServedEnsemble.set_shadow`."""
        return self._served.set_shadow(bundle)

    def status(self) -> list[EnsembleStatus]:
        """Return what each running replica serves; at least one."""
        return self._served.status()

    def stop(self) -> None:
        """Take the ensemble out of service, and stop Serve where `begin` started it."""
        if self._serve_start is not None:
            futures.wait([self._serve_start])
            serve.shutdown()  # type: ignore[no-untyped-call]  # Ray leaves it without annotations
        elif _get_global_client(raise_if_no_controller_running=False) is not None:
            serve.delete(APP_NAME)
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def _begin_serve(self) -> None:
        """Return when Serve takes declarations; its proxies start beside what is declared."""
        variables = {}
        if not self._has_environment:
            folder = self._config.scratch_dir
            if folder is None:
                folder = self._scratch = Path(tempfile.mkdtemp(prefix="oc-"))
            variables = build_serve_environment(folder)
        thread = futures.ThreadPoolExecutor(1, thread_name_prefix="serve")
        self._serve_start = thread.submit(self._start_serve, variables)
        thread.shutdown(wait=False)
        deadline_s = self._served.deadline_s()
        while _get_global_client(raise_if_no_controller_running=False) is None:
            if self._serve_start.done():
                self._serve_start.result()
            wait(deadline_s, "Serve must take declarations")

    def _start_serve(self, variables: Mapping[str, str]) -> None:
        try:
            serve.start(
                proxy_location="HeadOnly",
                http_options={"host": self._config.host, "port": self._config.port},
                controller_options={"runtime_env": {"env_vars": dict(variables)}},
                logging_config=LoggingConfig(**LOGGING),
            )
        except (RayError, TimeoutError) as error:
            last_line = str(error).strip().splitlines()[-1]
            raise ServiceError(f"Serve must start behind HAProxy, did not: {last_line}") from error

    def _await_http(self, deadline_s: float) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            try:
                with opener.open(f"{self.url}/v1/health", timeout=5.0):
                    return
            except (urllib.error.URLError, OSError):
                wait(deadline_s, f"{self.url} must answer")


def check_port_free(host: str, port: int) -> None:
    """Raise `PortInUseError` where somebody listens on the port."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection that lingers is no listener
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUseError(f"serving.port must be free on {host}, was {port}: {error.strerror}") from None
