"""What is decided before Serve starts."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from deployments.environment import build_serve_environment
from deployments.serving import check_port_free
from outcry.errors import PortInUseError


def test_port_somebody_listens_on_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=rf"serving\.port must be free on 127\.0\.0\.1, was {port}"):
            check_port_free("127.0.0.1", port)
    check_port_free("127.0.0.1", port)


def test_launcher_moves_the_status_pages_to_loopback_and_leaves_the_api_where_it_was(tmp_path: Path) -> None:
    variables = build_serve_environment(tmp_path / "scratch")
    stats, metrics = (variables[f"RAY_SERVE_HAPROXY_{name}_PORT"] for name in ("STATS", "METRICS"))
    config = tmp_path / "haproxy.cfg"
    config.write_text(
        "defaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n    timeout connect 5s\n"
        f"frontend prometheus\n    bind :{metrics}\nfrontend api\n    bind *:9\nlisten stats\n  bind *:{stats}\n"
    )
    launched = subprocess.run(
        [variables["RAY_SERVE_HAPROXY_BINARY_PATH"], "-c", "-f", str(config)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert launched.returncode == 0, launched.stderr  # HAProxy itself found the rewritten file valid
    binds = [line.strip() for line in config.read_text().splitlines() if "bind" in line]
    assert binds == [f"bind 127.0.0.1:{metrics}", "bind *:9", f"bind 127.0.0.1:{stats}"]
    assert os.stat(tmp_path / "scratch").st_mode & 0o077 == 0
