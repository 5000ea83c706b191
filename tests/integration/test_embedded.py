"""The servers of the wheels: shared, stopped by the last one, and back after a kill."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis
from pydantic import SecretStr

from outcry.adapters.embedded.postgres import EmbeddedPostgres
from outcry.adapters.embedded.redis import EmbeddedRedis
from outcry.adapters.embedded.server import EmbeddedServer
from outcry.adapters.services import Services
from outcry.errors import ServiceError

KINDS = [EmbeddedPostgres, EmbeddedRedis]

_HOLD = """
import sys
from pathlib import Path
from outcry.adapters.embedded.{module} import {kind}
server = {kind}(Path(sys.argv[1]))
print(server.start(), flush=True)
sys.stdin.readline()
server.stop()
"""


def server_pid(url: str) -> int:
    """The process that answers."""
    if url.startswith("unix:"):
        return int(redis.Redis.from_url(url).info("server")["process_id"])

    async def ask() -> int:
        connection = await asyncpg.connect(url)
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        parent = psutil.Process(backend).ppid()
        await connection.close()
        return parent

    return asyncio.run(ask())


def is_gone(pid: int) -> bool:
    """Whether a process has ended, reaped by its parent or not."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def hold_elsewhere(server: EmbeddedServer) -> subprocess.Popen[str]:
    """Start the same server from another process."""
    kind = type(server)
    script = _HOLD.format(module=kind.__module__.rsplit(".", 1)[1], kind=kind.__name__)
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(server.directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert other.stdout is not None
    assert other.stdout.readline().strip() == server.url
    return other


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["plain", "with 'signs' and späce", "long-" + 150 * "x"])
def test_server_starts_anywhere_and_leaves_no_process(
    kind: Callable[[Path], EmbeddedServer], name: str, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    monkeypatch.setenv("PGPORT", "1")  # settings meant for another server
    server = kind(state_dir / name / "data")
    url = server.start()
    pid = server_pid(url)
    assert server.start() == url
    server.stop()
    server.stop()
    assert is_gone(pid)


@pytest.mark.parametrize("kind", KINDS)
def test_server_killed_without_warning_starts_again(kind: Callable[[Path], EmbeddedServer], state_dir: Path) -> None:
    server = kind(state_dir / "data")
    killed = server_pid(server.start())
    os.kill(killed, signal.SIGKILL)
    again = server_pid(server.start())
    assert again != killed
    server.stop()
    assert is_gone(again)


@pytest.mark.parametrize("kind", KINDS)
def test_last_holder_stops_the_server(kind: Callable[[Path], EmbeddedServer], state_dir: Path) -> None:
    server = kind(state_dir / "data")
    other = hold_elsewhere(server)
    pid = server_pid(server.start())
    server.stop()
    assert not is_gone(pid)
    other.communicate("\n", timeout=30)
    assert is_gone(pid)


@pytest.mark.parametrize("kind", KINDS)
def test_another_process_stops_the_server_of_a_busy_one(
    kind: Callable[[Path], EmbeddedServer], state_dir: Path
) -> None:
    server = kind(state_dir / "data")
    pid = server_pid(server.start())
    other = hold_elsewhere(server)
    server.stop()
    _, complaint = other.communicate("\n", timeout=30)  # this process reaps nothing meanwhile
    assert (other.returncode, complaint) == (0, None)
    assert is_gone(pid)


@pytest.mark.parametrize("kind", KINDS)
def test_two_holders_of_one_process_count_as_two(kind: Callable[[Path], EmbeddedServer], state_dir: Path) -> None:
    outer, inner = kind(state_dir / "data"), kind(state_dir / "data")
    pid = server_pid(outer.start())
    inner.start()
    inner.stop()
    assert not is_gone(pid)
    outer.stop()
    assert is_gone(pid)


@pytest.mark.parametrize("kind", KINDS)
def test_holder_that_was_killed_does_not_keep_the_server(
    kind: Callable[[Path], EmbeddedServer], state_dir: Path
) -> None:
    server = kind(state_dir / "data")
    other = hold_elsewhere(server)
    pid = server_pid(server.url)
    other.kill()
    other.communicate()
    assert not is_gone(pid)
    server.start()
    assert server_pid(server.url) == pid
    server.stop()
    assert is_gone(pid)


@pytest.mark.parametrize("kind", KINDS)
def test_directory_that_cannot_be_used_is_named(kind: Callable[[Path], EmbeddedServer], state_dir: Path) -> None:
    (state_dir / "file").write_text("")
    with pytest.raises(ServiceError, match=f"cannot use {state_dir}/file/data"):
        kind(state_dir / "file" / "data").start()


def test_committed_rows_survive_a_kill(state_dir: Path) -> None:
    server = EmbeddedPostgres(state_dir / "data")

    async def execute(statement: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(server.start())
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    asyncio.run(execute("CREATE TABLE kept AS SELECT 42 AS answer"))
    os.kill(server_pid(server.url), signal.SIGKILL)
    assert [row["answer"] for row in asyncio.run(execute("SELECT answer FROM kept"))] == [42]
    server.stop()


def test_services_start_what_is_not_given_and_stop_it(state_dir: Path) -> None:
    async def look(url: str) -> tuple[int, int]:
        connection = await asyncpg.connect(url)
        try:
            n_runs = await connection.fetchval("SELECT count(*) FROM runs")
            return n_runs, psutil.Process(await connection.fetchval("SELECT pg_backend_pid()")).ppid()
        finally:
            await connection.close()

    with Services(state_dir) as services:
        n_runs, pid = asyncio.run(look(services.database_url))
        assert n_runs == 0
        assert redis.Redis.from_url(services.redis_url).ping()
    assert is_gone(pid)


def test_given_url_wins_and_its_server_is_left_running(state_dir: Path, postgres_url: str, redis_url: str) -> None:
    given = SecretStr(postgres_url), SecretStr(redis_url)
    with Services(state_dir, database_url=given[0], redis_url=given[1]) as services:
        assert (services.database_url, services.redis_url) == (postgres_url, redis_url)
    assert not (state_dir / "postgres").exists()
    assert redis.Redis.from_url(redis_url).ping()


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        ({"database_url": "postgresql://trader:hunter2@127.0.0.1:1/book"}, "host 127.0.0.1 port 1 database book"),
        ({"database_url": "mysql://trader:hunter2@127.0.0.1/book"}, "a URL that does not begin with postgresql://"),
        ({"database_url": "postgresql://trader:hunter2@127.0.0.1:port/book"}, "a URL that is not one"),
        ({"redis_url": "redis://trader:hunter2@127.0.0.1:1/2"}, "host 127.0.0.1 port 1 database 2"),
        ({"redis_url": "http://trader:hunter2@127.0.0.1:1"}, "host 127.0.0.1 port 1 database 0"),
    ],
)
def test_unreachable_server_is_named_without_its_password_and_nothing_is_left_running(
    state_dir: Path, postgres_url: str, urls: dict[str, str], expected: str
) -> None:
    given = {"database_url": SecretStr(postgres_url)} | {name: SecretStr(url) for name, url in urls.items()}
    with pytest.raises(ServiceError) as caught, Services(state_dir, **given):
        pass
    assert expected in str(caught.value)
    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert not any(
        process.info["cmdline"] and str(state_dir) in " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline"])
    )
