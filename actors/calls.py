"""How one actor asks another.

A death in between means unknown, so the same numbered question is asked again. Questions and answers travel as bytes
that this module packs: with objects, which Ray walks in Python, a call takes a third longer (ADR 0008).
"""

import asyncio
import gc
import inspect
import pickle
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError

from outcry.errors import OutcryError, ServiceError

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5


class NamedActor:
    """An actor by its name, found once in each process that asks it.

    Clients hold this in place of a handle: a handle among the arguments of an actor would tie the actor's restart to
    an object in the store of whoever made it.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> tuple[type["NamedActor"], tuple[str]]:
        return NamedActor, (self._name,)

    @cached_property
    def handle(self) -> Any:
        return ray.get_actor(self._name)

    def __getattr__(self, method: str) -> Any:
        return getattr(self.handle, method)


async def ask(method: Any, *args: object, deadline_s: float) -> Any:
    """Await the answer of an actor method, asking again while the actor is being restarted.

    Every method asked this way is idempotent: its message carries `seq`, and a repeat gets the first answer.

    Raises
    ------
    OutcryError
        The one the method raised.
    ServiceError
        Where the actor did not come back within `deadline_s`.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + deadline_s
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return await ask_once(method, *args)
        except RayTaskError as error:
            if isinstance(error.cause, OutcryError):
                raise error.cause from error
            raise
        except RayActorError as error:
            failed_to_start = error.actor_init_failed
            if failed_to_start or loop.time() >= give_up_at:
                raise ServiceError(_explain(method, error, deadline_s, failed_to_start)) from error
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def ask_once(method: Any, *args: object) -> Any:
    """Await the answer of an actor method; raise what Ray raises where there is none."""
    return _unpack(await method.remote(_pack(args)))


def post(method: Any, *args: object) -> None:
    """Send to an actor method without waiting: it may be lost, and nobody is told."""
    method.remote(_pack(args))


def packed(shell: type) -> type:
    """Return the class of an actor that holds a `shell` and that `ask` reaches: its methods take and answer bytes.

    What a shell makes in its constructor lives as long as its process: it is taken out of the garbage collector's
    rounds, whose pauses would fall into frames.
    """

    def construct(self: Any, *args: object) -> None:
        self.shell = shell(*args)
        gc.collect()
        gc.freeze()

    methods = inspect.getmembers(shell, inspect.isfunction)
    answers = {name: _packed_method(name, method) for name, method in methods if not name.startswith("_")}
    return type(shell.__name__, (), {"__init__": construct, **answers})


def _packed_method(name: str, method: Callable[..., Any]) -> Callable[[Any, bytes], bytes | Awaitable[bytes]]:
    if inspect.iscoroutinefunction(method):

        async def answer_later(self: Any, question: bytes) -> bytes:
            return _pack(await getattr(self.shell, name)(*_unpack(question)))

        return answer_later

    def answer(self: Any, question: bytes) -> bytes:
        return _pack(getattr(self.shell, name)(*_unpack(question)))

    return answer


def _pack(message: object) -> bytes:
    return pickle.dumps(message, protocol=5)


def _unpack(message: bytes) -> Any:
    return pickle.loads(message)  # noqa: S301 - from an actor of ours, through a call that Ray has authenticated


def _explain(method: Any, error: RayActorError, deadline_s: float, failed_to_start: bool) -> str:
    name = getattr(method, "_method_name", "call")
    last_line = str(error).strip().splitlines()[-1]
    if failed_to_start:
        return f"the actor asked for {name} could not start: {last_line}"
    return f"the actor asked for {name} must be back within {deadline_s:g} s, was not: {last_line}"
