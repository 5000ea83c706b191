"""The learner of a run as a process of its own, of low priority, that is started again when it ends early."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from configs.plan import RunPlan

_PAUSE_S = 5.0
_PATIENCE_S = 10.0


@asynccontextmanager
async def learner_beside(plan: RunPlan) -> AsyncIterator[None]:
    """Keep ``outcry learn`` running for a block where ``online.enabled``; what it prints is in the state folder.

    It may be killed at any moment: all it knows is in the journal, the bundles and the record of its decisions.
    """
    if not plan.settings.online.enabled:
        yield
        return
    keeping = asyncio.create_task(_keep(plan))
    try:
        yield
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


async def _keep(plan: RunPlan) -> None:
    floor, storage = plan.settings.floor, plan.settings.storage
    folder = floor.state_dir.resolve() / "learners"
    folder.mkdir(parents=True, exist_ok=True)
    secrets = {
        f"OUTCRY_STORAGE__{name.upper()}": url.get_secret_value()  # of a command line, others could read them
        for name in ("database_url", "redis_url", "mlflow_url")
        if (url := getattr(storage, name)) is not None
    }
    words = ("learn", plan.run_id, "--set", f"floor.state_dir={floor.state_dir.resolve()}")
    for _ in range(1 + floor.restart_budget):
        with (folder / f"{plan.run_id}.log").open("ab") as told:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "cli", *words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                env={**os.environ, **secrets},
                start_new_session=True,  # Ctrl-C is for the floor, which then ends this
            )
        try:
            if await process.wait() == 0:
                return
        except asyncio.CancelledError:
            await _end(process)
            raise
        await asyncio.sleep(_PAUSE_S)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
