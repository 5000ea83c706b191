"""The whole system on a small span of real prices: Ray, Serve, PostgreSQL and Redis, once a module."""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import ray

from actors.calls import NamedActor
from actors.desk import DeskStatus
from actors.forecast_state import read_forecast_state
from actors.journal import JournalClient
from actors.launch import Floor, launch_floor
from cli.cluster import ray_cluster
from cli.session import record_run
from configs.loader import load_settings
from configs.schema import Settings
from deployments.client import EnsembleClient, find_ensemble
from deployments.serving import EnsembleServer
from outcry.adapters.services import Services
from outcry.config import FrozenConfig
from training.prepare import PreparedRun, new_run_id, prepare_run

Disturb = Callable[[Floor, DeskStatus], Awaitable[None]]


@pytest.fixture(scope="module")
def state_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="outcry-test-"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def settings(state_dir: Path) -> Settings:
    """Five real stocks, daily: the last 100 of about 600 frames are traded; a snapshot every 16 of them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return load_settings(
        assignments=[
            f"floor.state_dir={state_dir}",
            "features.groups=[momentum,volatility,statistics,cross]",  # every kind of state, at a fraction of the time
            "floor.n_shards=2",
            "floor.snapshot_every_frames=16",
            "floor.warmup_frames=250",
            "floor.window_bars=20",
            "floor.recovery_deadline_s=300",
            "serving.start_deadline_s=600",
            f"serving.port={port}",
            "training.train_frac=0.83",
            "training.n_threads=1",
            "market.start=2010-01-01",
            "market.end=2012-05-31",
            "portfolio.entry_edge=0.0",
            "portfolio.exit_edge=0.0",
            "portfolio.rebalance_frac=0.001",
            "portfolio.max_position_frac=0.5",
            "risk.max_position_frac=0.5",
            "risk.max_sector_frac=1.0",
        ]
    )


@pytest.fixture(scope="module")
def prepared(settings: Settings, bundle: Path) -> PreparedRun:
    return prepare_run(settings, bundle=bundle, on_progress=lambda step, fraction: None)


@pytest.fixture(scope="module")
def services(prepared: PreparedRun) -> Iterator[Services]:
    with Services(prepared.plan.settings.floor.state_dir) as services:
        yield services


@pytest.fixture(scope="module")
def server(prepared: PreparedRun, services: Services) -> Iterator[EnsembleServer]:
    with ray_cluster(prepared.plan.settings.ray) as is_ours:
        plan = prepared.plan
        server = EnsembleServer(
            plan.settings.serving,
            plan.feature_set,
            services.redis_url,
            window_bars=plan.window_bars,
            has_environment=is_ours,
            uncertainty=plan.settings.uncertainty,
        )
        server.start(prepared.plan.bundle_path)
        yield server
        server.stop()


class FloorRunner:
    """Trade the prepared span as a run of its own, to the end."""

    def __init__(self, prepared: PreparedRun, services: Services) -> None:
        self._prepared = prepared
        self._services = services

    @property
    def database_url(self) -> str:
        return self._services.database_url

    def with_sections(self, **sections: FrozenConfig) -> "FloorRunner":
        """Return what trades the same span and bundle with other sections of the settings."""
        plan = self._prepared.plan
        changed = replace(plan, settings=plan.settings.model_copy(update=sections))
        return FloorRunner(replace(self._prepared, plan=changed), self._services)

    @asynccontextmanager
    async def launched(self, run_id: str) -> AsyncIterator[Floor]:
        """Launch, or resume, the run of this id."""
        plan = replace(self._prepared.plan, run_id=run_id)
        await record_run(self._services, replace(self._prepared, plan=plan))
        predictor = EnsembleClient(
            find_ensemble,
            plan.feature_set.names,
            deadline_s=300.0,
            build_abstention=plan.settings.uncertainty.build_abstention,
            read_state=partial(read_forecast_state, self.database_url, run_id),
            record_shadow=JournalClient(NamedActor(f"{run_id}/journal"), 300.0).record_shadow,
        )
        async with launch_floor(plan, predictor, self._services.database_url, self._services.redis_url) as floor:
            await floor.desk.start()
            await floor.supervisor.start()
            yield floor

    async def trade(self, disturbances: Sequence[tuple[int, Disturb]] = ()) -> str:
        """Return the run's id after its last frame; each disturbance is called once, at its frame or soon after."""
        run_id = new_run_id()
        left = list(disturbances)
        async with self.launched(run_id) as floor, asyncio.timeout(600):
            while True:
                status = await floor.desk.status()
                assert status.state in ("starting", "running", "completed"), status.detail
                if left and status.last_seq >= left[0][0]:
                    await left.pop(0)[1](floor, status)
                if status.state == "completed":
                    assert not left, "the run was over before it could be disturbed"
                    return run_id
                await asyncio.sleep(0.02)


@pytest.fixture
def runner(prepared: PreparedRun, services: Services, server: EnsembleServer) -> FloorRunner:
    assert ray.is_initialized()
    return FloorRunner(prepared, services)
