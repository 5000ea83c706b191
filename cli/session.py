"""A floor for the length of a command: the served ensemble and the actors, gone after."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from actors.calls import NamedActor
from actors.desk import DeskStatus
from actors.forecast_state import read_forecast_state
from actors.journal import JournalClient
from actors.launch import Floor, launch_floor
from cli.cluster import RayStart
from cli.served_model import leave_address
from configs.plan import RunPlan
from configs.schema import Settings
from deployments.client import EnsembleClient, find_ensemble
from deployments.serving import EnsembleServer, check_port_free
from outcry.adapters.postgres.journal import PostgresJournal
from outcry.adapters.postgres.runs import RunRecord, RunRegistry, RunStatus
from outcry.adapters.services import Services
from outcry.features.guard import ColumnQuality
from outcry.market.bar_size import format_bar_size
from outcry.market.frame import FloatArray
from training.prepare import PreparedRun

_POLL_S = 0.25
_POLLS_PER_LOOK = 4
_IDLE_STATES = ("completed", "interrupted", "failed")


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """How a run ended: the last status of its desk, the latency of every step and the features that went wrong."""

    status: DeskStatus
    latency_ms: Mapping[str, FloatArray]
    feature_quality: tuple[ColumnQuality, ...]


async def record_run(services: Services, prepared: PreparedRun) -> None:
    """Write a new run and its warm-up frames into the journal, before any actor reads them."""
    plan = prepared.plan
    timeframe = format_bar_size(plan.bar_ns)
    record = RunRecord(
        run_id=plan.run_id,
        config=plan.settings.public(),
        universe=plan.universe,
        calendar=plan.calendar,
        timeframe=timeframe,
        bar_ns=plan.bar_ns,
        source=plan.settings.market.source,
        last_seq=plan.last_seq,
        fingerprint=plan.fingerprint,
        bundle_path=str(plan.bundle_path.resolve()),
        bundle_version=plan.bundle_version,
    )
    async with RunRegistry.connect(services.database_url) as registry:
        await registry.create(record)
        await registry.set_status(plan.run_id, RunStatus.RUNNING)
    if len(prepared.warmup):
        journal = await PostgresJournal.open(services.database_url, plan.run_id, plan.universe)
        try:
            await journal.append_warmup(prepared.warmup)
        finally:
            await journal.close()


@asynccontextmanager
async def floor_of(
    plan: RunPlan, services: Services, ray: RayStart, on_step: Callable[[str, float], None]
) -> AsyncIterator[Floor]:
    """Start the ensemble and the actors of a run on a Ray that may still be starting; end them with the block."""
    serving = plan.settings.serving
    on_step("start Ray", 0.0)
    is_ours = ray.wait()
    on_step("start Ray", 1.0)
    server = EnsembleServer(
        serving,
        plan.feature_set,
        services.redis_url,
        window_bars=plan.window_bars,
        has_environment=is_ours,
        uncertainty=plan.settings.uncertainty,
    )

    # Replayed time waits: a replica that is replaced changes nothing.
    predictor = EnsembleClient(
        find_ensemble,
        plan.feature_set.names,
        deadline_s=serving.replay_deadline_s,
        build_abstention=plan.settings.uncertainty.build_abstention,
        read_state=partial(read_forecast_state, services.database_url, plan.run_id),
        record_shadow=JournalClient(
            NamedActor(f"{plan.run_id}/journal"), plan.settings.floor.recovery_deadline_s
        ).record_shadow,
    )
    try:
        on_step("serve the ensemble", 0.0)
        await _finish(asyncio.to_thread(server.begin, plan.bundle_path))  # first: its start has the most steps
        async with launch_floor(plan, predictor, services.database_url, services.redis_url) as floor:
            await _finish(asyncio.to_thread(server.await_ready, plan.bundle_path))
            on_step("serve the ensemble", 1.0)
            on_step("call the floor", 0.0)
            await floor.desk.start()
            await floor.supervisor.start()
            on_step("call the floor", 1.0)
            with leave_address(plan.settings.floor.state_dir, plan.run_id):
                yield floor
    finally:
        await _finish(asyncio.to_thread(server.stop))


async def _finish(work: Coroutine[Any, Any, object]) -> None:
    """Await work that must not be left half done: where the caller is cancelled, it is completed first."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def watch(floor: Floor, show: Callable[[DeskStatus], None]) -> FinishedRun:
    """Show the status of the desk until it is idle.

    Ctrl-C or SIGTERM lets it complete its frame and stop; a second one ends the program.
    """
    loop = asyncio.get_running_loop()
    asked_to_stop = asyncio.Event()

    def ask_to_stop() -> None:
        if asked_to_stop.is_set():
            raise KeyboardInterrupt
        asked_to_stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask_to_stop)
    try:
        n_polls = 0
        while True:
            status = await floor.desk.status()
            show(status)
            if status.state in _IDLE_STATES:
                return FinishedRun(status, await floor.desk.latency_ms(), await floor.journal.feature_quality())
            n_polls += 1
            if n_polls % _POLLS_PER_LOOK == 0:
                await floor.supervisor.start()  # one that was restarted waits for this
            if asked_to_stop.is_set():
                await floor.desk.stop()
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asked_to_stop.wait(), _POLL_S)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def check_free(settings: Settings) -> None:
    """Raise before anything is started where the serving port is taken."""
    check_port_free(settings.serving.host, settings.serving.port)
