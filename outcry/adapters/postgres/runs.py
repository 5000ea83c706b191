"""The runs of a database: what each was, how it stands, and what operators asked of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import asyncpg
import orjson
from pydantic import SecretStr

from outcry.adapters.postgres.database import Database
from outcry.adapters.postgres.locks import hold, is_held
from outcry.errors import RecoveryError
from outcry.market.universe import Universe


class RunStatus(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, eq=False)
class RunRecord:
    """What a run was started with, and how it stands.

    Attributes
    ----------
    config : mapping
        JSON values, without secrets.
    last_seq : int
        The last frame the run is to trade.
    fingerprint : str
        Of the market data; a resumed run must find the same.
    status, status_detail, created_at
        Of the database; ignored when a run is created.
    """

    run_id: str
    config: Mapping[str, Any]
    universe: Universe
    calendar: str
    timeframe: str
    bar_ns: int
    source: str
    last_seq: int
    fingerprint: str
    bundle_path: str
    bundle_version: str
    status: RunStatus = RunStatus.RUNNING
    status_detail: str = ""
    created_at: datetime = field(default_factory=lambda: datetime.fromtimestamp(0, tz=UTC))


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """What an operator asked for; `seq` is None until it took effect at a frame."""

    command_id: int
    kind: str
    payload: Mapping[str, str]
    created_at: datetime
    seq: int | None


class RunRegistry:
    """Create runs, look them up, set their status, queue commands. Needs no actor of the run alive."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: SecretStr | str) -> AsyncIterator["RunRegistry"]:
        """Yield a registry on one connection; raise `ServiceError` where the server cannot be reached."""
        async with Database.connect(url) as database:
            yield cls(database)

    @staticmethod
    @asynccontextmanager
    async def claim(url: SecretStr | str, run_id: str) -> AsyncIterator[None]:
        """Hold a run for the length of a block, or of this process; raise `RecoveryError` where somebody else does."""
        async with hold(url, run_id) as is_ours:
            if not is_ours:
                raise RecoveryError(f"run {run_id} must not be traded twice at once, and another process trades it")
            yield

    async def is_claimed(self, run_id: str) -> bool:
        """Whether a process holds the run, as `claim` does."""
        return await is_held(self._database, run_id)

    async def create(self, run: RunRecord) -> None:
        """Record a new run; the same run again changes nothing."""
        await self._database.execute(
            """
            INSERT INTO runs (run_id, status, config, universe, calendar, timeframe, bar_ns, source, last_seq,
                              fingerprint, bundle_path, bundle_version)
            VALUES ($1, 'running', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING
            """,
            run.run_id,
            to_json(run.config),
            to_json(_universe_to_json(run.universe)),
            run.calendar,
            run.timeframe,
            run.bar_ns,
            run.source,
            run.last_seq,
            run.fingerprint,
            run.bundle_path,
            run.bundle_version,
        )

    async def get(self, run_id: str) -> RunRecord:
        """Return a run; raise `RecoveryError` where the database has none of this name."""
        row = await self._database.fetch_one("SELECT * FROM runs WHERE run_id = $1", run_id)
        if row is None:
            raise RecoveryError(f"run {run_id} is not in the database")
        return _read_run(row)

    async def recent(self, limit: int = 20) -> list[RunRecord]:
        """Return the latest runs, newest first."""
        statement = "SELECT * FROM runs ORDER BY created_at DESC, run_id DESC LIMIT $1"
        return [_read_run(row) for row in await self._database.fetch(statement, limit)]

    async def set_status(self, run_id: str, status: str, detail: str = "") -> None:
        """Say how a run stands."""
        await self._database.execute(
            """
            UPDATE runs SET status = $2, status_detail = $3,
                            finished_at = CASE WHEN $2 = 'running' THEN NULL ELSE now() END
            WHERE run_id = $1
            """,
            run_id,
            RunStatus(status).value,
            detail,
        )

    async def add_command(self, run_id: str, kind: str, payload: Mapping[str, str]) -> None:
        """Queue a command; it takes effect at the boundary of the next frame."""
        await self._database.execute(
            "INSERT INTO commands (run_id, kind, payload) VALUES ($1, $2, $3)", run_id, kind, to_json(payload)
        )

    async def commands(self, run_id: str) -> list[CommandRecord]:
        """Return every command of a run in the order they were given."""
        statement = (
            "SELECT command_id, kind, payload, created_at, seq FROM commands WHERE run_id = $1 ORDER BY command_id"
        )
        return [
            CommandRecord(row["command_id"], row["kind"], orjson.loads(row["payload"]), row["created_at"], row["seq"])
            for row in await self._database.fetch(statement, run_id)
        ]


def to_json(value: Any) -> str:
    """Return JSON text for a jsonb parameter."""
    return orjson.dumps(value).decode()


def _universe_to_json(universe: Universe) -> dict[str, Any]:
    return {
        "symbols": universe.symbols,
        "sectors": universe.sectors,
        "tick": str(universe.tick),
        "lot": str(universe.lot),
    }


def _read_run(row: asyncpg.Record) -> RunRecord:
    universe = orjson.loads(row["universe"])
    return RunRecord(
        run_id=row["run_id"],
        config=orjson.loads(row["config"]),
        universe=Universe(
            tuple(universe["symbols"]), tuple(universe["sectors"]), Decimal(universe["tick"]), Decimal(universe["lot"])
        ),
        calendar=row["calendar"],
        timeframe=row["timeframe"],
        bar_ns=row["bar_ns"],
        source=row["source"],
        last_seq=row["last_seq"],
        fingerprint=row["fingerprint"],
        bundle_path=row["bundle_path"],
        bundle_version=row["bundle_version"],
        status=RunStatus(row["status"]),
        status_detail=row["status_detail"],
        created_at=row["created_at"],
    )
