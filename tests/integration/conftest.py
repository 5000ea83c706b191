"""One real PostgreSQL, Redis and Ray for the whole session."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from outcry.adapters.embedded.postgres import EmbeddedPostgres
from outcry.adapters.embedded.redis import EmbeddedRedis
from outcry.adapters.postgres.migrate import migrate


def make_state_dir() -> Iterator[Path]:
    """Not under pytest's temporary directory: another session closes that to the user PostgreSQL runs as."""
    directory = Path(tempfile.mkdtemp(prefix="outcry-test-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


state_dir = pytest.fixture(make_state_dir, name="state_dir")
session_dir = pytest.fixture(make_state_dir, name="session_dir", scope="session")


@pytest.fixture(scope="session")
def postgres_url(session_dir: Path) -> Iterator[str]:
    """A migrated database of a server that ends with the session."""
    server = EmbeddedPostgres(session_dir / "postgres")
    url = server.start()
    try:
        asyncio.run(migrate(url))
        yield url
    finally:
        server.stop()


@pytest.fixture(scope="session")
def redis_url(session_dir: Path) -> Iterator[str]:
    """A Redis that ends with the session."""
    server = EmbeddedRedis(session_dir / "redis")
    url = server.start()
    try:
        yield url
    finally:
        server.stop()


CLUSTER = """
import sys, ray
options = {"num_cpus": 2, "object_store_memory": 200 * 2**20, "include_dashboard": False, "log_to_driver": False}
print(ray.init(address="local", **options).address_info["gcs_address"], flush=True)
sys.stdin.read()  # until the other end is closed, by whatever way it ends
ray.shutdown()
"""


@pytest.fixture(scope="session")
def ray_address() -> Iterator[str]:
    """A Ray that was there before a command is given, and stays after it; it ends with the session."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address, "Ray must start, did not"
    yield address
    process.stdin.close()
    process.wait(timeout=120)
