"""The audit of champions in the database: every judgement with its figures and its reason."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from pydantic import SecretStr

from outcry.adapters.postgres.database import Database


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A judgement.

    Attributes
    ----------
    model_name : str
    action : str
    outcome : str
    version : str
        MAJOR.MINOR.PATCH.
    bundle_version : str
        Of the model that was judged, or rolled back to.
    champion_version : str or None
        Of the bundle that was champion then; of the one that was updated.
    reason : str
    figures : mapping
        JSON values.
    created_at : datetime
        Of the database; ignored when a judgement is added.
    """

    model_name: str
    action: Literal["promote", "rollback", "update"]
    outcome: Literal["accepted", "refused", "forced"]
    version: str
    bundle_version: str
    champion_version: str | None
    reason: str
    figures: Mapping[str, Any]
    created_at: datetime = field(default_factory=lambda: datetime.fromtimestamp(0, tz=UTC))


class DecisionLog:
    """Add judgements, and read them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: SecretStr | str) -> AsyncIterator["DecisionLog"]:
        """Yield a log on one connection; raise `ServiceError` where the server cannot be reached."""
        async with Database.connect(url) as database:
            yield cls(database)

    async def add(self, decision: DecisionRecord) -> None:
        """Write a judgement.

        Where the connection is lost just as it is committed, it is written twice: no decision rests on how often one
        judgement stands there.
        """
        await self._database.execute(
            """
            INSERT INTO model_decisions (model_name, action, outcome, version, bundle_version, champion_version, reason,
                                         figures)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            decision.model_name,
            decision.action,
            decision.outcome,
            decision.version,
            decision.bundle_version,
            decision.champion_version,
            decision.reason,
            orjson.dumps(decision.figures, default=str, option=orjson.OPT_NON_STR_KEYS).decode(),
        )

    async def of_model(self, model_name: str, limit: int = 20) -> list[DecisionRecord]:
        """Return the latest judgements on a model, newest first."""
        rows = await self._database.fetch(
            """
            SELECT model_name, action, outcome, version, bundle_version, champion_version, reason, figures, created_at
            FROM model_decisions WHERE model_name = $1 ORDER BY decision_id DESC LIMIT $2
            """,
            model_name,
            limit,
        )
        return [_read(row) for row in rows]

    async def updates_of(self, run_id: str) -> list[DecisionRecord]:
        """Return the judgements on updates in a run, oldest first."""
        rows = await self._database.fetch(
            """
            SELECT model_name, action, outcome, version, bundle_version, champion_version, reason, figures, created_at
            FROM model_decisions WHERE action = 'update' AND figures ->> 'run_id' = $1 ORDER BY decision_id
            """,
            run_id,
        )
        return [_read(row) for row in rows]

    async def rivals_before(self, model_name: str, champion_version: str | None, bundle_version: str) -> int:
        """Return how many other bundles were held against the same champion: each was a try to beat it by luck."""
        row = await self._database.fetch_one(
            """
            SELECT count(DISTINCT bundle_version) AS n FROM model_decisions
            WHERE model_name = $1 AND action = 'promote' AND champion_version IS NOT DISTINCT FROM $2
              AND bundle_version <> $3
            """,
            model_name,
            champion_version,
            bundle_version,
        )
        return 0 if row is None else int(row["n"])


def _read(row: Mapping[str, Any]) -> DecisionRecord:
    return DecisionRecord(**(dict(row) | {"figures": orjson.loads(row["figures"])}))
