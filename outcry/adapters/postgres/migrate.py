"""Bring the schema of a database up to date from the numbered SQL files."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from outcry.adapters.postgres.database import Database
from outcry.errors import ServiceError

MIGRATIONS = Path(__file__).parents[1] / "migrations"

_LOCK_KEY = 0x6F757463  # any number that nobody else uses for an advisory lock of this database
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_RECORD = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations(directory: Path = MIGRATIONS) -> list[Migration]:
    """Read the files in order; raise `ServiceError` where a name or the numbering is not as it must be."""
    migrations: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None or int(match[1]) != len(migrations) + 1:
            raise ServiceError(f"migration must be named {len(migrations) + 1:04d}_<name>.sql, was {path.name}")
        migrations.append(Migration(int(match[1]), path.name, path.read_text()))
    return migrations


async def migrate(url: SecretStr | str, migrations: Sequence[Migration] | None = None) -> int:
    """Apply what is missing, each file in a transaction of its own, and return how many there were.

    Starters that come at the same time wait for one another.

    Raises
    ------
    ServiceError
        Where the server cannot be reached, a file fails, a file was changed after it had been applied, or the database
        is ahead of this version of outcry.
    """
    wanted = load_migrations() if migrations is None else migrations
    database = Database(url)
    await database.open()
    try:
        return await database.run(lambda connection: _apply(connection, wanted))
    finally:
        await database.close()


async def _apply(connection: asyncpg.Connection, wanted: Sequence[Migration]) -> int:
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY)
    try:
        await connection.execute(_RECORD)
        rows = await connection.fetch("SELECT number, name, checksum FROM schema_migrations ORDER BY number")
        if len(rows) > len(wanted):
            raise ServiceError(f"database must be at migration {len(wanted)} or below, was at {rows[-1]['name']}")
        for row, migration in zip(rows, wanted, strict=False):
            if row["checksum"] != migration.checksum:
                raise ServiceError(f"migration {migration.name} must not change after it was applied, its text differs")
        for migration in wanted[len(rows) :]:
            await _apply_one(connection, migration)
        return len(wanted) - len(rows)
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK_KEY)


async def _apply_one(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.checksum,
            )
    except asyncpg.PostgresConnectionError:
        raise
    except asyncpg.PostgresError as error:
        raise ServiceError(f"migration {migration.name} failed: {error}") from error
