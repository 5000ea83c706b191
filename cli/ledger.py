"""Commands that need the ledger and nothing else: they work while a floor runs, and after it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from configs.schema import Settings
from outcry.adapters.postgres.runs import RunRecord, RunRegistry
from outcry.adapters.services import Services
from outcry.errors import RecoveryError

Answer = TypeVar("Answer")


def ask_ledger(settings: Settings, question: Callable[[Services, RunRegistry], Awaitable[Answer]]) -> Answer:
    """Reach the database, ask, and leave it as it was."""

    async def connect(services: Services) -> Answer:
        async with RunRegistry.connect(services.database_url) as registry:
            return await question(services, registry)

    with services_of(settings) as services:
        return asyncio.run(connect(services))


def services_of(settings: Settings) -> Services:
    """Return PostgreSQL and Redis of the settings, to be reached, or started inside ``floor.state_dir``."""
    storage = settings.storage
    return Services(settings.floor.state_dir, database_url=storage.database_url, redis_url=storage.redis_url)


async def find_run(registry: RunRegistry, run_id: str | None) -> RunRecord:
    """Return the run of this id, or the newest one.

    Raises
    ------
    RecoveryError
        Where there is none.
    """
    if run_id is not None:
        return await registry.get(run_id)
    newest = await registry.recent(1)
    if not newest:
        raise RecoveryError("RUN must name a run, and the ledger has none yet: start one with outcry run")
    return newest[0]
