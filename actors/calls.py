"""How one actor asks another.

A death in between means unknown, so the same numbered question is asked again. Questions and answers travel as bytes
that this module packs: with objects, which Ray walks in Python, a call takes a third longer; and between processes of
one machine they travel through a socket, which takes a fifth (ADR 0008). An array that somebody else is to read stays
with Ray, as an object of its store (ADR 0015).
"""

import asyncio
import gc
import inspect
import pickle
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

import ray
from ray.exceptions import RayActorError, RayTaskError

from actors.channel import Channel, Listener
from outcry.errors import OutcryError, ServiceError

Shell = TypeVar("Shell", bound=Callable[..., Any])

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5
_IS_SHARED = "_is_shared"

LOST = (RayActorError, ConnectionError)
"""What is raised where the process of an actor is gone: Ray may be restarting it."""


class NamedActor:
    """An actor by its name, found once in each process that asks it.

    Clients hold this in place of a handle: a handle among the arguments of an actor would tie the actor's restart to
    an object in the store of whoever made it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Future[Channel | None] | None = None

    def __reduce__(self) -> tuple[type["NamedActor"], tuple[str]]:
        return NamedActor, (self._name,)

    @cached_property
    def handle(self) -> Any:
        return ray.get_actor(self._name)

    def __getattr__(self, method: str) -> "Method":
        if method.startswith("_"):
            raise AttributeError(method)
        return Method(self, method)

    async def channel(self) -> Channel | None:
        """Return the socket to the process of the actor; None where it is on another machine.

        Raises
        ------
        RayActorError
            Where the actor is not there now.
        """
        if self._opening is None or self._loop is not asyncio.get_running_loop() or self._is_closed():
            self._loop = asyncio.get_running_loop()
            self._opening = asyncio.ensure_future(self._open())
        return await asyncio.shield(self._opening)

    def _is_closed(self) -> bool:
        assert self._opening is not None  # noqa: S101 - asked only then
        if not self._opening.done():
            return False
        if self._opening.cancelled() or self._opening.exception() is not None:
            return True
        channel = self._opening.result()
        return channel is not None and not channel.is_open

    async def _open(self) -> Channel | None:
        node, name = await self.handle.address.remote()
        if not name or node != ray.get_runtime_context().get_node_id():
            return None
        try:
            return await Channel.open(name)
        except OSError:  # Ray knows whether it has died
            return None


@dataclass(frozen=True, slots=True)
class Method:
    """A method of an actor."""

    actor: NamedActor
    name: str

    @property
    def of_ray(self) -> Any:
        """The method as Ray calls it."""
        return getattr(self.actor.handle, self.name)


async def ask(method: Method, *args: object, deadline_s: float) -> Any:
    """Await the answer of an actor method, asking again while the actor is being restarted.

    Every method asked this way is idempotent: its message carries `seq`, and a repeat gets the first answer.

    Raises
    ------
    OutcryError
        The one the method raised.
    ServiceError
        Where the actor did not come back within `deadline_s`.
    """
    return await _insist(method, lambda: ask_once(method, *args), deadline_s)


async def ask_to_share(method: Method, *args: object, deadline_s: float) -> Any:
    """As `ask`, of a method that is `shared`: return the reference to its answer once that is in the object store.

    The object belongs to the caller, so it outlives the process of the actor.
    """

    async def ask_once_to_share() -> Any:
        is_there, reference = method.of_ray.options(num_returns=2).remote(_pack(args))
        await is_there
        return reference

    return await _insist(method, ask_once_to_share, deadline_s)


async def _insist(method: Method, ask_again: Callable[[], Awaitable[Any]], deadline_s: float) -> Any:
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + deadline_s
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return await ask_again()
        except RayTaskError as error:
            if isinstance(error.cause, OutcryError):
                raise error.cause from error
            raise
        except LOST as error:
            failed_to_start = isinstance(error, RayActorError) and error.actor_init_failed
            if failed_to_start or loop.time() >= give_up_at:
                raise ServiceError(_explain(method, error, deadline_s, failed_to_start)) from error
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def ask_once(method: Method, *args: object) -> Any:
    """Await the answer of an actor method.

    Raises
    ------
    RayActorError, ConnectionError
        `LOST`: where the process of the actor is gone.
    OutcryError
        The one the method raised.
    """
    question = _pack(args)
    channel = await method.actor.channel()
    if channel is None:
        return _unpack(await method.of_ray.remote(question))
    is_answered, answer = await channel.ask(method.name, question)
    if is_answered:
        return _unpack(answer)
    error, trace = _unpack(answer)
    error.add_note(trace)
    raise error


def post(method: Method, *args: object) -> None:
    """Send to an actor method without waiting: it may be lost, and nobody is told."""
    method.of_ray.remote(_pack(args))


def shared(method: Shell) -> Shell:
    """Mark a method of a shell that answers with an array which others read; `ask_to_share` reaches it."""
    setattr(method, _IS_SHARED, True)
    return method


def packed(shell: type) -> type:
    """Return the class of an actor that holds a `shell` and that `ask` reaches: its methods take and answer bytes.

    What a shell makes in its constructor lives as long as its process: it is taken out of the garbage collector's
    rounds, whose pauses would fall into frames.
    """

    methods = {
        name: method for name, method in inspect.getmembers(shell, inspect.isfunction) if not name.startswith("_")
    }
    is_async = any(map(inspect.iscoroutinefunction, methods.values()))

    def construct(self: Any, *args: object) -> None:
        self.shell = shell(*args)
        # Questions come from Ray and through sockets, in threads of their own: a shell without coroutines has one at a
        # time, and one with them runs on its event loop alone.
        self.turn = nullcontext() if is_async else threading.Lock()
        self.listener = None
        gc.collect()
        gc.freeze()

    def listen(self: Any) -> tuple[str, str]:
        if self.listener is None and sys.platform == "linux":
            answerers = {name: partial(_answer, getattr(self, name)) for name in methods}
            self.listener = Listener(answerers, asyncio.get_running_loop() if is_async else None)
        return ray.get_runtime_context().get_node_id(), self.listener.name if self.listener else ""

    async def listen_later(self: Any) -> tuple[str, str]:
        return listen(self)

    answers = {name: _packed_method(name, method, is_async) for name, method in methods.items()}
    address = listen_later if is_async else listen
    return type(shell.__name__, (), {"__init__": construct, "address": address, **answers})


def _packed_method(name: str, method: Callable[..., Any], is_async: bool) -> Callable[[Any, bytes], Any]:
    if getattr(method, _IS_SHARED, False):

        def share(self: Any, question: bytes) -> tuple[bytes, Any]:
            with self.turn:
                return b"", getattr(self.shell, name)(*_unpack(question))

        return share
    if is_async:

        async def answer_later(self: Any, question: bytes) -> bytes:
            answer = getattr(self.shell, name)(*_unpack(question))
            return _pack(await answer if inspect.isawaitable(answer) else answer)

        return answer_later

    def answer(self: Any, question: bytes) -> bytes:
        with self.turn:
            return _pack(getattr(self.shell, name)(*_unpack(question)))

    return answer


def _answer(method: Callable[[bytes], Any], question: bytes) -> Any:
    """Call a packed method for a `Listener`: what it raises becomes the answer."""
    if inspect.iscoroutinefunction(method):
        return _answer_later(method, question)
    try:
        return True, method(question)
    except Exception as error:
        return False, _pack_error(error)


async def _answer_later(method: Callable[[bytes], Awaitable[bytes]], question: bytes) -> tuple[bool, bytes]:
    try:
        return True, await method(question)
    except Exception as error:
        return False, _pack_error(error)


def _pack_error(error: Exception) -> bytes:
    if not isinstance(error, OutcryError):  # one of a library may not be packed, or be taken for a lost process
        error = RuntimeError(f"{type(error).__name__}: {error}").with_traceback(error.__traceback__)
    return _pack((error, "".join(traceback.format_exception(error))))


def _pack(message: object) -> bytes:
    return pickle.dumps(message, protocol=5)


def _unpack(message: bytes) -> Any:
    return pickle.loads(message)  # noqa: S301 - from an actor of ours, through a call that Ray has authenticated


def _explain(method: Method, error: Exception, deadline_s: float, failed_to_start: bool) -> str:
    last_line = str(error).strip().splitlines()[-1]
    if failed_to_start:
        return f"the actor asked for {method.name} could not start: {last_line}"
    return f"the actor asked for {method.name} must be back within {deadline_s:g} s, was not: {last_line}"
