import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from deployments import haproxy_launcher
from deployments.haproxy_launcher import bind_to_loopback

PARENT = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:])
print(child.pid, flush=True)
child.wait()
"""


def test_only_the_status_pages_are_bound_to_loopback(tmp_path: Path) -> None:
    config = tmp_path / "haproxy.cfg"
    config.write_text(
        "frontend stats\n    bind *:8404\nfrontend metrics\n bind :8405\nfrontend http\n    bind *:8000\n"
    )
    bind_to_loopback(config, {"8404", "8405"})
    assert config.read_text() == (
        "frontend stats\n    bind 127.0.0.1:8404\nfrontend metrics\n bind 127.0.0.1:8405\n"
        "frontend http\n    bind *:8000\n"
    )


def test_the_proxy_ends_with_a_parent_that_is_killed() -> None:
    binary = [sys.executable, "-c", "import time; time.sleep(600)"]
    launched = [sys.executable, "-I", "-S", haproxy_launcher.__file__, "1", "2", *binary]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *launched], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    with parent:
        while child.cmdline()[1:2] != ["-c"]:  # it has become what it launches
            assert parent.poll() is None
        os.kill(parent.pid, signal.SIGKILL)
    psutil.wait_procs([child], timeout=30)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
