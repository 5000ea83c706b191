"""The supervisor: desired actors against living ones."""

import asyncio
import os
from collections.abc import Mapping

import ray
import structlog
from ray.exceptions import RayError

from actors.calls import LOST, NamedActor, ask, ask_once
from actors.journal import JournalClient
from configs.floor import FloorConfig
from outcry.errors import OutcryError

log = structlog.get_logger(__name__)


class SupervisorActor:
    """Keep every actor of the floor in service.

    **Owns** nothing that cannot be asked again. **Receives** nothing but questions. **Sends** a health ping to every
    actor; one that stays silent past its deadline is killed so that Ray restarts it, each time after twice the silence;
    one that spends its restart budget halts trading through the journal. **Ordering** none. **On failure** it starts
    counting anew.
    """

    def __init__(self, config: FloorConfig, actors: Mapping[str, NamedActor], journal: JournalClient) -> None:
        self._config = config
        self._actors = dict(actors)
        self._journal = journal
        self._pids: dict[str, int] = {}
        self._restarts = dict.fromkeys(self._actors, 0)
        self._kills = dict.fromkeys(self._actors, 0)
        self._has_halted = False
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Ask every actor once, then go on watching. Asking twice changes nothing."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
            await self._ping_all()

    async def restarts(self) -> dict[str, int]:
        """Return how often each actor came back since this process started."""
        await self.start()
        return dict(self._restarts)

    async def pids(self) -> dict[str, int]:
        """Return the process of every actor that answered its last ping."""
        await self.start()
        return {**self._pids, "supervisor": os.getpid()}

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._config.health_period_s)
            try:
                await self._look()
            except (OutcryError, RayError, ConnectionError, ValueError) as error:  # next round it may be possible
                log.warning("round_failed", error=str(error))

    async def _look(self) -> None:
        await self._ping_all()
        spent = [name for name, n in self._restarts.items() if n > self._config.restart_budget]
        if spent and not self._has_halted:
            log.error("restart_budget_spent", actors=spent, budget=self._config.restart_budget)
            reason = f"restart budget of {self._config.restart_budget} spent by {', '.join(spent)}"
            await self._journal.add_command("halt", {"reason": reason, "flatten": "false"})
            self._has_halted = True

    async def _ping_all(self) -> None:
        await asyncio.gather(*(self._ping(name) for name in self._actors))

    async def _ping(self, name: str) -> None:
        patience_s = self._config.health_deadline_s * 2 ** self._kills[name]
        try:
            pid = await asyncio.wait_for(ask_once(self._actors[name].health), patience_s)
        except TimeoutError:
            log.warning("actor_silent", actor=name, deadline_s=patience_s)
            self._kills[name] += 1
            ray.kill(self._actors[name].handle, no_restart=False)
        except LOST:
            return  # Ray is restarting it; the next ping that is answered counts the restart
        else:
            if self._pids.setdefault(name, pid) != pid:
                self._restarts[name] += 1
                self._pids[name] = pid
                log.info("actor_back", actor=name, restarts=self._restarts[name])


class SupervisorClient:
    """What a driver asks of a `SupervisorActor`."""

    def __init__(self, actor: NamedActor, deadline_s: float) -> None:
        self._actor = actor
        self._deadline_s = deadline_s

    async def start(self) -> None:
        await ask(self._actor.start, deadline_s=self._deadline_s)

    async def restarts(self) -> dict[str, int]:
        restarts: dict[str, int] = await ask(self._actor.restarts, deadline_s=self._deadline_s)
        return restarts

    async def pids(self) -> dict[str, int]:
        pids: dict[str, int] = await ask(self._actor.pids, deadline_s=self._deadline_s)
        return pids
