"""Migrations: in order, once, and never rewritten."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from outcry.adapters.postgres.migrate import Migration, load_migrations, migrate
from outcry.adapters.postgres.reader import JournalReader
from outcry.errors import ServiceError


@pytest.fixture
async def empty_url(postgres_url: str) -> AsyncIterator[str]:
    """A database without any table."""
    name = f"empty_{uuid.uuid4().hex[:8]}"
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f"CREATE DATABASE {name}")
    yield postgres_url.replace("/postgres?", f"/{name}?")
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_starters_at_the_same_time_apply_each_file_once(empty_url: str) -> None:
    applied = await asyncio.gather(*(migrate(empty_url) for _ in range(4)))
    assert sorted(applied) == [0, 0, 0, len(load_migrations())]


async def test_bars_recorded_before_there_were_tapes_are_read_as_bars_without_one(empty_url: str) -> None:
    await migrate(empty_url, load_migrations()[:3])
    connection = await asyncpg.connect(empty_url)
    universe = '{"symbols": ["A", "B"], "sectors": ["x", "x"], "tick": "0.01", "lot": "1"}'
    await connection.execute(
        f"""
        INSERT INTO runs (run_id, status, config, universe, calendar, timeframe, bar_ns, source, last_seq, fingerprint,
                          bundle_path, bundle_version)
        VALUES ('old', 'completed', '{{}}', '{universe}', 'XNYS', '1min', 60000000000, 'parquet', 1, 'f', '/b', 'v');
        INSERT INTO frames (run_id, seq, ts_close_ns, n_bars) VALUES ('old', 0, 60000000000, 1);
        INSERT INTO ohlcv_bars VALUES ('old', 'epoch'::timestamptz + '1 min', 'B', '1min', 1, 4, 0.5, 2, 7, 1.5, 'x');
        """  # noqa: S608 - the text above
    )
    await connection.close()
    assert await migrate(empty_url) == len(load_migrations()) - 3
    async with JournalReader.connect(empty_url, "old") as reader:
        frames = await reader.frames(0, 0)
    assert frames.tape is None
    assert frames.present.tolist() == [[False, True]]
    assert [getattr(frames, name)[0, 1] for name in ("open", "high", "low", "close", "volume", "vwap")] == [
        1.0,
        4.0,
        0.5,
        2.0,
        7.0,
        1.5,
    ]


async def test_failing_file_leaves_no_trace_of_itself(empty_url: str) -> None:
    good = Migration(1, "0001_good.sql", "CREATE TABLE good (a int)")
    bad = Migration(2, "0002_bad.sql", "CREATE TABLE half (a int); SELECT 1 / 0")
    with pytest.raises(ServiceError, match=r"migration 0002_bad\.sql failed: division by zero"):
        await migrate(empty_url, [good, bad])
    connection = await asyncpg.connect(empty_url)
    assert await connection.fetchval("SELECT to_regclass('good') IS NOT NULL AND to_regclass('half') IS NULL")
    await connection.close()
    assert await migrate(empty_url, [good, Migration(2, "0002_bad.sql", "CREATE TABLE half (a int)")]) == 1


async def test_applied_file_must_not_change_and_database_must_not_be_ahead(empty_url: str) -> None:
    one, two = (Migration(n, f"000{n}_x.sql", f"CREATE TABLE t{n} (a int)") for n in (1, 2))
    await migrate(empty_url, [one, two])
    with pytest.raises(ServiceError, match=r"0002_x\.sql must not change"):
        await migrate(empty_url, [one, Migration(2, "0002_x.sql", "SELECT 1")])
    with pytest.raises(ServiceError, match=r"at migration 1 or below, was at 0002_x\.sql"):
        await migrate(empty_url, [one])


async def test_every_table_with_a_run_has_it_in_its_key_and_bars_have_their_time(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    rows = await connection.fetch(
        """
        SELECT c.relname AS name, array_agg(a.attname::text) AS columns
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
        WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
        GROUP BY c.relname
        """
    )
    await connection.close()
    keys = {row["name"]: set(row["columns"]) for row in rows}
    others = {
        "schema_migrations",
        "commands",
        "sweeps",
        "sweep_trials",
        "model_decisions",
        "jobs",
    }  # no sweep, model or job is a run
    assert {name for name, columns in keys.items() if "run_id" not in columns} == others
    assert keys["ohlcv_bars"] == {"run_id", "ts", "symbol"}


def test_gap_in_the_numbering_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("SELECT 1")
    (tmp_path / "0003_third.sql").write_text("SELECT 1")
    with pytest.raises(ServiceError, match=r"0002_<name>\.sql, was 0003_third\.sql"):
        load_migrations(tmp_path)
