"""Kill anything in the middle of a run: the ledger equals that of a run that was never disturbed."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from actors.desk import DeskStatus
from actors.launch import Floor
from actors.replay import verify_run
from deployments.serving import EnsembleServer
from outcry.adapters.postgres.reader import JournalReader

KILLED = (("feed", "shard-0", "desk", "portfolio"), ("risk", "execution", "journal", "supervisor"))
"""Of two shards that are alike, one."""
FRAMES_BETWEEN = 20


async def pid_of(floor: Floor, actor: str) -> int:
    return (await floor.supervisor.pids())[actor]


async def ledger(database_url: str, run_id: str) -> tuple[list[object], list[object], Decimal]:
    """Return orders, fills and final equity without the ids, which are hashes of the run."""
    async with JournalReader.connect(database_url, run_id) as reader:
        orders = [
            (o.intent.seq, o.intent.symbol, o.intent.side, o.intent.quantity, o.intent.purpose, o.status)
            for o in await reader.orders()
        ]
        fills = [(f.seq, f.symbol, f.side, f.quantity, f.price, f.commission, f.slippage) for f in await reader.fills()]
        curve = await reader.equity_curve()
    return sorted(orders), sorted(fills), curve.equity[-1]


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, tuple[list[object], list[object], Decimal]]:
    return {}


async def check_equals_undisturbed(runner, undisturbed, run_id: str) -> None:  # type: ignore[no-untyped-def]  # a fixture of conftest
    if not undisturbed:
        undisturbed["ledger"] = await ledger(runner.database_url, await runner.trade())
        assert len(undisturbed["ledger"][1]) > 10
    assert await ledger(runner.database_url, run_id) == undisturbed["ledger"]
    found = await verify_run(runner.database_url, run_id)
    assert found.difference is None


def killing(actor: str) -> Callable[[Floor, DeskStatus], Awaitable[None]]:
    async def kill(floor: Floor, status: DeskStatus) -> None:
        os.kill(await pid_of(floor, actor), signal.SIGKILL)

    return kill


@pytest.mark.parametrize("actors", KILLED, ids="-".join)
async def test_actors_killed_one_after_the_other_change_nothing(runner, undisturbed, actors: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    disturbances = [(FRAMES_BETWEEN * (n + 1), killing(actor)) for n, actor in enumerate(actors)]
    run_id = await runner.trade(disturbances)
    await check_equals_undisturbed(runner, undisturbed, run_id)


async def test_a_killed_replica_changes_nothing(runner, undisturbed, server: EnsembleServer) -> None:  # type: ignore[no-untyped-def]
    async def kill(floor: Floor, status: DeskStatus) -> None:
        for replica in await asyncio.to_thread(server.status):
            os.kill(replica.pid, signal.SIGKILL)

    run_id = await runner.trade([(30, kill)])
    await check_equals_undisturbed(runner, undisturbed, run_id)


async def test_all_actors_killed_at_once_change_nothing(runner, undisturbed) -> None:  # type: ignore[no-untyped-def]
    async def kill(floor: Floor, status: DeskStatus) -> None:
        for pid in (await floor.supervisor.pids()).values():
            os.kill(pid, signal.SIGKILL)

    run_id = await runner.trade([(30, kill)])
    await check_equals_undisturbed(runner, undisturbed, run_id)
