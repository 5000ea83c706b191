import asyncio
import pickle
from collections.abc import Callable

import pytest
import ray
from ray.exceptions import ActorUnavailableError

from actors.supervisor import SupervisorActor
from configs.floor import FloorConfig

CONFIG = FloorConfig(health_period_s=0.001, health_deadline_s=0.01, restart_budget=3)


class Health:
    """The method of an actor on another machine: no socket leads there."""

    def __init__(self, answer: Callable[[], object]) -> None:
        self._answer = answer
        self.actor = self.of_ray = self

    async def channel(self) -> None:
        return None

    def remote(self, question: bytes) -> "asyncio.Future[object]":
        assert pickle.loads(question) == ()  # noqa: S301 - ours
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        answer = self._answer()
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        elif answer is not None:
            future.set_result(pickle.dumps(answer))
        return future


class Actor:
    """An actor as the supervisor sees it: `answer` gives its pid, an error, or None for silence."""

    def __init__(self, answer: Callable[[], object]) -> None:
        self.health = Health(answer)
        self.handle = self


class Journal:
    def __init__(self) -> None:
        self.commands: list[tuple[str, dict[str, str]]] = []

    async def add_command(self, kind: str, payload: dict[str, str]) -> None:
        self.commands.append((kind, payload))


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    killed: list[object] = []
    monkeypatch.setattr(ray, "kill", lambda handle, no_restart: killed.append((handle, no_restart)))
    return killed


async def test_every_actor_has_answered_when_the_supervisor_has_started(killed: list[object]) -> None:
    supervisor = SupervisorActor(CONFIG, {"feed": Actor(lambda: 7), "desk": Actor(lambda: 8)}, Journal())  # type: ignore[arg-type]  # fakes
    await supervisor.start()
    pids = await supervisor.pids()
    assert {name: pids[name] for name in ("feed", "desk")} == {"feed": 7, "desk": 8}
    assert killed == []


async def test_a_silent_actor_is_killed_to_be_restarted(killed: list[object]) -> None:
    silent = Actor(lambda: None)
    supervisor = SupervisorActor(CONFIG, {"feed": silent}, Journal())  # type: ignore[arg-type]  # fakes
    await supervisor.start()
    assert killed[0] == (silent, False)


async def test_an_actor_that_is_restarting_is_left_alone(killed: list[object]) -> None:
    restarting = Actor(lambda: ActorUnavailableError("restarting", None))
    supervisor = SupervisorActor(CONFIG, {"feed": restarting}, Journal())  # type: ignore[arg-type]  # fakes
    await supervisor.start()
    assert killed == []


async def test_a_spent_restart_budget_halts_trading_once(killed: list[object]) -> None:
    answers = iter(range(1, 1000))
    has_restarted_often = asyncio.Event()

    def answer() -> int:
        pid = next(answers)  # a new process at every ping
        if pid > 3 * CONFIG.restart_budget:
            has_restarted_often.set()
        return pid

    journal = Journal()
    supervisor = SupervisorActor(CONFIG, {"feed": Actor(answer)}, journal)  # type: ignore[arg-type]  # fakes
    await supervisor.start()
    await asyncio.wait_for(has_restarted_often.wait(), 10)
    assert [kind for kind, _ in journal.commands] == ["halt"]
    assert "3" in journal.commands[0][1]["reason"]
    assert "feed" in journal.commands[0][1]["reason"]
