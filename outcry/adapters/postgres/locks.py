"""Names that one process holds at a time, with everybody who uses the same database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from pydantic import SecretStr

from outcry.adapters.postgres.database import Database


@asynccontextmanager
async def hold(url: SecretStr | str, name: str) -> AsyncIterator[bool]:
    """Hold a name for the length of a block, or of this process; yield whether nobody else does."""
    text = url.get_secret_value() if isinstance(url, SecretStr) else url
    connection = await asyncpg.connect(text)  # not of a pool: that gives up its locks with each connection
    try:
        yield bool(await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name))
    finally:
        await connection.close()


async def is_held(database: Database, name: str) -> bool:
    """Whether a process holds a name, as `hold` does."""
    row = await database.fetch_one(
        """
        SELECT EXISTS (
            SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
                AND (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0)
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        ) AS found
        """,
        name,
    )
    return row is not None and bool(row["found"])
