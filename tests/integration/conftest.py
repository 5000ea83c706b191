"""One real PostgreSQL and one real Redis for the whole session, from their wheels."""

import asyncio
import shutil
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
