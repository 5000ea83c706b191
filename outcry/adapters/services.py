"""PostgreSQL and Redis for a command: the user's servers by URL, or ours from their wheels."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from pydantic import SecretStr

from outcry.adapters.embedded.postgres import EmbeddedPostgres
from outcry.adapters.embedded.redis import EmbeddedRedis
from outcry.adapters.embedded.server import EmbeddedServer
from outcry.adapters.postgres.migrate import migrate
from outcry.adapters.redis_cache import FloorCache, describe_redis
from outcry.errors import ServiceError


class Services:
    """Reach or start both servers for the length of a block, with the schema up to date.

    Parameters
    ----------
    state_dir : Path
        Embedded servers keep their directories ``postgres`` and ``redis`` in it.
    database_url, redis_url : SecretStr or None
        A server of the user; None starts the embedded one of that kind.

    Raises
    ------
    ServiceError
        On entry, where a server cannot be reached or started, or the schema cannot be brought up to date. The message
        names host, port and database, never the password.
    """

    def __init__(
        self, state_dir: Path, *, database_url: SecretStr | None = None, redis_url: SecretStr | None = None
    ) -> None:
        self._state_dir = state_dir
        self._given_database_url = database_url
        self._given_redis_url = redis_url
        self._started: list[EmbeddedServer] = []
        self._database_url = ""
        self._redis_url = ""

    @property
    def database_url(self) -> str:
        """Of the database, password included: pass it on, never print it."""
        return self._database_url

    @property
    def redis_url(self) -> str:
        """Of Redis, password included: pass it on, never print it."""
        return self._redis_url

    def __enter__(self) -> "Services":
        try:
            self._database_url = self._reach(self._given_database_url, EmbeddedPostgres(self._state_dir / "postgres"))
            self._redis_url = self._reach(self._given_redis_url, EmbeddedRedis(self._state_dir / "redis"))
            asyncio.run(migrate(self._database_url))
            asyncio.run(_check_redis(self._redis_url))
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _reach(self, given: SecretStr | None, embedded: EmbeddedServer) -> str:
        if given is not None:
            return given.get_secret_value()
        self._started.append(embedded)  # first: Ctrl-C may come at any moment of the start
        return embedded.start()

    def _stop(self) -> None:
        with ExitStack() as stack:  # one that does not stop must not keep the others running
            while self._started:
                stack.callback(self._started.pop().stop)


async def _check_redis(url: str) -> None:
    cache = FloorCache(url)
    try:
        if not await cache.is_reachable():
            raise ServiceError(f"Redis at {describe_redis(url)} cannot be reached")
    finally:
        await cache.close()
