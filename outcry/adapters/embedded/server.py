"""The life of a server that several processes of this machine share."""

import fcntl
import hashlib
import os
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import orjson
import psutil

from outcry.errors import ServiceError

_SOCKET_SAFE = re.compile(r"[A-Za-z0-9_./-]{1,80}")  # sun_path has 107 bytes; other signs would need quoting in URLs

Holder = tuple[int, float, str]  # pid, start of that process as a pid may be used again, object in it


class EmbeddedServer(ABC):
    """Start a server for the first process that asks, stop it after the last one that used it.

    The holders of a directory are listed in a file under a lock. A holder that died without `stop` is struck off by the
    next `start` or `stop`, so a kill leaves at most a server that the next command finds, uses and then stops.

    Parameters
    ----------
    directory : Path
        Belongs to this server; made if it does not exist.
    """

    name: str

    def __init__(self, directory: Path) -> None:
        self._directory = directory.expanduser().resolve()
        self._holder: Holder = (os.getpid(), psutil.Process().create_time(), uuid4().hex)
        self._is_held = False

    @property
    def directory(self) -> Path:
        return self._directory

    @property
    def url(self) -> str:
        """Where clients of this machine reach the server."""
        return self._url(self._socket_directory())

    def start(self) -> str:
        """Make sure the server runs, and return its URL; a second call changes nothing.

        Raises
        ------
        ServiceError
            Where the directory cannot be used or the server does not come up.
        """
        self._is_held = True  # first: whoever is interrupted from here on may still call `stop`
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._directory.chmod(0o700)  # the servers trust whoever reaches their sockets
            self._socket_directory().mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked() as holders:
                if not self._is_running():
                    self._launch()
                holders.add(self._holder)
        except OSError as error:
            raise ServiceError(
                f"embedded {self.name} cannot use {self._directory}: {error.strerror or error}"
            ) from error
        return self.url

    def stop(self) -> None:
        """Give the server up; the last holder stops it and waits until it is gone."""
        if not self._is_held:
            return
        self._is_held = False
        with self._locked() as holders:
            holders.discard(self._holder)
            if not holders and self._is_running():
                self._shut_down()

    @abstractmethod
    def _url(self, socket_directory: Path) -> str:
        """Return the URL of the server behind a socket in this directory."""

    @abstractmethod
    def _is_running(self) -> bool:
        """Say whether the server of this directory answers or is about to."""

    @abstractmethod
    def _launch(self) -> None:
        """Start the server, detached from this process, and wait until it answers."""

    @abstractmethod
    def _shut_down(self) -> None:
        """Stop the server and wait until its processes are gone."""

    def _socket_directory(self) -> Path:
        if _SOCKET_SAFE.fullmatch(str(self._directory)):
            return self._directory
        digest = hashlib.sha256(str(self._directory).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"outcry-{os.getuid()}-{digest}"

    @contextmanager
    def _locked(self) -> Iterator[set[Holder]]:
        """Yield the living holders; what is left in the set is written back."""
        with (self._directory.parent / f".{self._directory.name}.holders").open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            try:
                listed = orjson.loads(file.read())
            except orjson.JSONDecodeError:
                listed = []  # first use, or a holder died while it wrote
            holders = {(pid, born, name) for pid, born, name in listed if is_alive(pid, born)}
            yield holders
            file.truncate(0)
            file.write(orjson.dumps(sorted(holders)))


def is_alive(pid: int, born: float) -> bool:
    """Say whether the process that was born at this second still runs; one that only waits to be reaped does not."""
    try:
        process = psutil.Process(pid)
        is_same = abs(process.create_time() - born) < 1.0
        return bool(is_same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
