"""A few connections to PostgreSQL, and errors that name the server but never the password."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from pydantic import SecretStr

from outcry.errors import ServiceError

T = TypeVar("T")

_CONNECT_TIMEOUT_S = 10.0
_SESSION = {"application_name": "outcry", "timezone": "UTC", "synchronous_commit": "on"}
_WRITER_SESSION = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}
_LOST_CONNECTION = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was killed between two statements
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    OSError,
)


def describe_database(url: SecretStr | str) -> str:
    """Return host, port and database of a URL; user and password are left out."""
    try:
        parts = urlsplit(_reveal(url))
        if parts.scheme not in {"postgresql", "postgres"}:
            return "a URL that does not begin with postgresql://"
        host = parts.hostname or parse_qs(parts.query).get("host", ["localhost"])[0]
        return f"host {unquote(host)} port {parts.port or 5432} database {parts.path.lstrip('/') or 'of the user'}"
    except ValueError:
        return "a URL that is not one"


class Database:
    """Run statements on a small pool; one that loses its connection is sent again.

    Every statement sent through it must be safe to repeat: a lost connection does not say whether it was committed.

    Parameters
    ----------
    url : SecretStr or str
    n_connections : int
        Statements that may run side by side; all are opened at once.
    is_writer : bool
        Every statement finds its rows by key. The planner is then held to indices: it plans once, while the tables of
        a new run are still empty, and would keep scans that get slower with every frame.
    patience_s : float
        How long a lost server may take to come back before the caller is told.
    """

    def __init__(
        self, url: SecretStr | str, *, n_connections: int = 1, is_writer: bool = False, patience_s: float = 15.0
    ) -> None:
        self._url = url
        self._n_connections = n_connections
        self._settings = _SESSION | (_WRITER_SESSION if is_writer else {})
        self._patience_s = patience_s
        self._pool: asyncpg.Pool | None = None

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: SecretStr | str) -> AsyncIterator["Database"]:
        """Yield one connection that is closed at the end; raise `ServiceError` where the server cannot be reached."""
        database = cls(url)
        await database.open()
        try:
            yield database
        finally:
            await database.close()

    async def open(self) -> None:
        """Connect; raise `ServiceError` where the server cannot be reached or refuses."""
        try:
            self._pool = await asyncpg.create_pool(
                _reveal(self._url),
                min_size=self._n_connections,
                max_size=self._n_connections,
                timeout=_CONNECT_TIMEOUT_S,
                max_inactive_connection_lifetime=0,
                max_queries=2**31,
                max_cached_statement_lifetime=0,  # prepared once, kept
                reset=_keep_session,
                server_settings=self._settings,
            )
        except (
            OSError,
            ValueError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ) as error:
            raise self._unreachable(error) from None  # the cause may carry the URL

    async def close(self) -> None:
        """Close every connection; safe to call twice."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                await asyncio.wait_for(pool.close(), timeout=5.0)
            except TimeoutError:
                pool.terminate()

    async def run(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Return what `work` returns for a connection; it is called again where the connection is lost.

        Raises
        ------
        ServiceError
            Where the server stays away longer than the patience, or refuses the statement.
        """
        if self._pool is None:
            raise ServiceError(f"PostgreSQL at {describe_database(self._url)} is not open")
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._patience_s
        pause_s = 0.01
        while True:
            try:
                async with self._pool.acquire() as connection:
                    return await _work_or_hang_up(connection, work)
            except _LOST_CONNECTION as error:
                if loop.time() + pause_s > give_up_at or self._pool is None:
                    raise self._unreachable(error) from None
            except asyncpg.PostgresError as error:
                raise ServiceError(f"PostgreSQL refused a statement: {type(error).__name__}: {error}") from error
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 0.5)

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Return the rows of a statement."""
        rows: list[asyncpg.Record] = await self.run(lambda connection: connection.fetch(statement, *arguments))
        return rows

    async def fetch_one(self, statement: str, *arguments: object) -> asyncpg.Record | None:
        """Return the first row of a statement, or None."""
        return await self.run(lambda connection: connection.fetchrow(statement, *arguments))

    async def execute(self, statement: str, *arguments: object) -> None:
        """Run a statement that answers nothing."""
        await self.run(lambda connection: connection.execute(statement, *arguments))

    def _unreachable(self, error: Exception) -> ServiceError:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        secret = _password(_reveal(self._url))
        if secret and secret in reason:
            reason = type(error).__name__
        return ServiceError(f"PostgreSQL at {describe_database(self._url)} cannot be reached: {reason}")


async def _work_or_hang_up(connection: asyncpg.Connection, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    try:
        return await work(connection)
    except _LOST_CONNECTION:
        connection.terminate()  # the pool opens another one
        raise


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return url  # not to be shown in any part


async def _keep_session(_: asyncpg.Connection) -> None:
    """Replace the pool's reset between uses, a round trip: no statement here leaves state in the session."""


def _reveal(url: SecretStr | str) -> str:
    return url.get_secret_value() if isinstance(url, SecretStr) else url
