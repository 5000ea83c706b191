import asyncio
import pickle
from collections.abc import Callable

import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayTaskError

from actors.calls import NamedActor, ask, ask_once, packed, post
from outcry.errors import RecoveryError, ServiceError


class Method:
    """An actor method that gives each of its answers once; the last one for ever."""

    _method_name = "answer"

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

    async def add_later(self, number: int) -> int:
        return self.add(number, 1)

    def _total(self) -> int:
        return self.total


class Remote:
    """A method of an actor in this process, called as Ray calls it."""

    def __init__(self, method: Callable[[bytes], object]) -> None:
        self._method = method

    async def remote(self, question: bytes) -> object:
        answer = self._method(question)
        return await answer if asyncio.iscoroutine(answer) else answer


async def test_a_packed_shell_answers_what_the_shell_answers() -> None:
    actor = packed(Adder)(10)
    assert await ask(Remote(actor.add), 2, 3, deadline_s=1.0) == 16
    assert await ask_once(Remote(actor.add_later), 4) == 20
    assert asyncio.iscoroutinefunction(actor.add_later)
    assert not asyncio.iscoroutinefunction(actor.add)
    assert packed(Adder).__name__ == "Adder"
    assert not hasattr(actor, "_total")


async def test_nobody_waits_for_what_is_posted() -> None:
    method = Method(DIED)
    post(method, "snapshot", 1)
    assert method.asked == [("snapshot", 1)]
