import asyncio
import multiprocessing
import pickle
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayTaskError

from actors import channel
from actors.calls import NamedActor, ask, ask_to_share, packed, post, shared
from actors.channel import Answer, Channel, Listener
from outcry.errors import RecoveryError, ServiceError


class OfRay:
    """An actor method on another machine: no socket leads there."""

    name = "answer"

    @property
    def actor(self) -> "OfRay":
        return self

    @property
    def of_ray(self) -> "OfRay":
        return self

    async def channel(self) -> None:
        return None


class Method(OfRay):
    """One that gives each of its answers once; the last one for ever."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[object, ...]] = []

    def remote(self, question: bytes) -> "asyncio.Future[object]":
        self.asked.append(pickle.loads(question))  # noqa: S301 - ours
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(pickle.dumps(answer))
        return future


DIED = ActorDiedError()
AWAY = ActorUnavailableError("connection refused", b"0" * 16)


@pytest.mark.parametrize("losses", [(), (DIED,), (AWAY, DIED, AWAY)])
async def test_the_same_question_is_asked_until_it_is_answered(losses: tuple[Exception, ...]) -> None:
    method = Method(*losses, "yes")
    assert await ask(method, 1, "two", deadline_s=30.0) == "yes"
    assert method.asked == [(1, "two")] * (len(losses) + 1)


async def test_an_actor_that_stays_away_is_named_after_the_deadline() -> None:
    with pytest.raises(ServiceError, match=r"asked for answer must be back within 0.05 s"):
        await ask(Method(AWAY), deadline_s=0.05)


async def test_an_actor_that_cannot_start_is_not_waited_for() -> None:
    failed = ActorDiedError(RayTaskError("__init__", "RecoveryError: no", RecoveryError("no")))
    method = Method(failed)
    with pytest.raises(ServiceError, match="could not start"):
        await ask(method, deadline_s=30.0)
    assert len(method.asked) == 1


@pytest.mark.parametrize(
    ("cause", "expected"), [(RecoveryError("seq must be 3, was 5"), RecoveryError), (ZeroDivisionError(), RayTaskError)]
)
async def test_an_error_of_the_method_is_raised_and_not_asked_again(
    cause: Exception, expected: type[Exception]
) -> None:
    method = Method(RayTaskError("answer", "traceback", cause))
    with pytest.raises(expected):
        await ask(method, deadline_s=30.0)
    assert len(method.asked) == 1


@pytest.mark.parametrize("copy", [lambda actor: actor, lambda actor: pickle.loads(pickle.dumps(actor))])  # noqa: S301 - ours
def test_a_named_actor_travels_by_name(copy: Callable[[NamedActor], NamedActor]) -> None:
    actor = copy(NamedActor("run/desk"))
    assert actor.__reduce__() == (NamedActor, ("run/desk",))


class Adder:
    """A shell: it knows nothing of bytes."""

    def __init__(self, start: int) -> None:
        self.total = start

    def add(self, number: int, times: int) -> int:
        self.total += number * times
        return self._total()

    def fail(self, error: Exception) -> int:
        raise error

    @shared
    def share(self, number: int) -> list[int]:
        return [self._total(), number]

    def _total(self) -> int:
        return self.total


class Remote(OfRay):
    """A method of an actor in this process, called as Ray calls it."""

    def __init__(self, method: Callable[[bytes], object]) -> None:
        self._method = method

    async def remote(self, question: bytes) -> object:
        answer = self._method(question)
        return await answer if asyncio.iscoroutine(answer) else answer


class Later(Adder):
    """One whose methods run on an event loop."""

    async def add_later(self, number: int) -> int:
        await asyncio.sleep(0.0)
        return self.add(number, 1)


@pytest.mark.parametrize("shell", [Adder, Later])
async def test_a_packed_shell_answers_what_the_shell_answers(shell: type[Adder]) -> None:
    actor = packed(shell)(10)
    assert await ask(Remote(actor.add), 2, 3, deadline_s=1.0) == 16
    assert asyncio.iscoroutinefunction(actor.add) == (shell is Later)
    assert packed(shell).__name__ == shell.__name__
    assert not hasattr(actor, "_total")


class RemoteOfTwo(OfRay):
    """A method with two answers, as Ray gives them: references, of which the first can be awaited. It fails once."""

    def __init__(self, method: Callable[[bytes], tuple[object, object]]) -> None:
        self._method = method
        self.losses = [DIED]

    def options(self, *, num_returns: int) -> "RemoteOfTwo":
        assert num_returns == 2
        return self

    def remote(self, question: bytes) -> tuple[asyncio.Future[object], object]:
        done = asyncio.get_running_loop().create_future()
        if self.losses:
            done.set_exception(self.losses.pop())
            return done, "lost"
        small, answer = self._method(question)
        done.set_result(small)
        return done, ("reference", answer)


async def test_what_is_shared_is_answered_by_reference_as_it_is() -> None:
    actor = packed(Adder)(10)
    assert await ask_to_share(RemoteOfTwo(actor.share), 5, deadline_s=1.0) == ("reference", [10, 5])


async def test_nobody_waits_for_what_is_posted() -> None:
    method = Method(DIED)
    post(method, "snapshot", 1)
    assert method.asked == [("snapshot", 1)]


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], NamedActor]:
    """Return what makes an actor of this process one that is reached through its socket."""

    class Here:
        def get_node_id(self) -> str:
            return "node"

    monkeypatch.setattr(ray, "get_runtime_context", Here)

    class Address:
        def __init__(self, actor: Any) -> None:
            self._actor = actor
            self.n_asked = 0

        async def remote(self) -> tuple[str, str]:
            self.n_asked += 1
            found = self._actor.address()
            return await found if asyncio.iscoroutine(found) else found

    def reached(actor: Any) -> NamedActor:
        named = NamedActor("run/adder")
        named.__dict__["handle"] = type("Handle", (), {"address": Address(actor)})()
        return named

    return reached


@pytest.mark.parametrize("shell", [Adder, Later])
async def test_through_a_socket_come_the_same_answers_and_errors(reach, shell: type[Adder]) -> None:
    actor = reach(packed(shell)(10))
    numbers = range(1, 50)
    answers = await asyncio.gather(*(ask(actor.add, number, 1, deadline_s=1.0) for number in numbers))
    assert answers == [10 + number * (number + 1) // 2 for number in numbers]
    assert actor.handle.address.n_asked == 1
    with pytest.raises(RecoveryError, match="seq must be 3") as told:
        await ask(actor.fail, RecoveryError("seq must be 3, was 5"), deadline_s=1.0)
    assert "in fail" in told.value.__notes__[0]
    with pytest.raises(RuntimeError, match="ConnectionRefusedError: of a database"):  # not taken for a lost actor
        await ask(actor.fail, ConnectionRefusedError("of a database"), deadline_s=1.0)
    assert await ask(actor.add, 0, 0, deadline_s=1.0) == answers[-1]


async def test_coroutines_run_beside_each_other() -> None:
    arrived = asyncio.Event()

    async def wait(question: bytes) -> Answer:
        await arrived.wait()
        return True, question

    async def arrive(question: bytes) -> Answer:
        arrived.set()
        return False, question

    listener = Listener({"wait": wait, "arrive": arrive}, asyncio.get_running_loop())
    opened = await Channel.open(listener.name)
    waiting = opened.ask("wait", b"a")
    assert await opened.ask("arrive", b"b") == (False, b"b")
    assert await waiting == (True, b"a")


async def test_an_answer_of_any_size_arrives_whole() -> None:
    listener = Listener({"repeat": lambda question: (True, question * 1_000)}, None)
    opened = await Channel.open(listener.name)
    questions = [bytes([n]) * size for n, size in enumerate((0, 1, 5, 3_000, 2))]
    assert await asyncio.gather(*(opened.ask("repeat", each) for each in questions)) == [
        (True, each * 1_000) for each in questions
    ]


async def test_another_user_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "_user_of", lambda connection: -1)
    opened = await Channel.open(Listener({"answer": lambda question: (True, question)}, None).name)
    with pytest.raises(ConnectionError):
        await opened.ask("answer", b"")


def _listen(names: "multiprocessing.Queue[str]") -> None:
    blocked = threading.Event()
    names.put(Listener({"answer": lambda question: (blocked.wait(), question)}, None).name)
    signal.pause()  # until it is killed


async def test_a_process_that_is_killed_is_noticed_by_who_waits_for_it() -> None:
    context = multiprocessing.get_context("spawn")
    names = context.Queue()
    process = context.Process(target=_listen, args=(names,))
    process.start()
    opened = await Channel.open(await asyncio.to_thread(names.get))
    waiting = opened.ask("answer", b"")
    process.kill()
    with pytest.raises(ConnectionError):
        await waiting
    assert not opened.is_open
    with pytest.raises(ConnectionError):
        await opened.ask("answer", b"")
    process.join()
    assert process.exitcode == -signal.SIGKILL
