"""A socket between two processes of one machine, for questions that are on the way of an order.

A call through Ray wakes about ten threads in two processes, one through a socket two. Ray starts, names, watches and
restarts the actors and carries what goes from machine to machine; a socket only spares it the way between two processes
of the same one. Its name is in the abstract namespace of Linux, where a process that is killed leaves no file behind,
and whoever is not the same user is turned away.
"""

import asyncio
import os
import secrets
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import cast

Answer = tuple[bool, bytes]
"""Whether a question was answered, and the answer or the error."""

Answerer = Callable[[bytes], Answer | Awaitable[Answer]]

_QUESTION = struct.Struct("<QHQ")  # number, bytes of the name of the method, bytes of the question
_ANSWER = struct.Struct("<Q?Q")  # number, whether it was answered, bytes of the answer
_CREDENTIALS = struct.Struct("3i")  # process, user, group
_BUFFER_BYTES = 2**20


class Listener:
    """Answer questions that come through a socket.

    Each connection has a thread. Functions are called in it, in turn; coroutines run beside each other on the event
    loop of the actor.

    Parameters
    ----------
    methods : mapping of str to callable
        They never raise.
    loop : event loop or None
        Of the methods that are coroutines.

    Attributes
    ----------
    name : str
        For `Channel.open`.
    """

    def __init__(self, methods: Mapping[str, Answerer], loop: asyncio.AbstractEventLoop | None) -> None:
        self._methods = methods
        self._loop = loop
        self.name = f"outcry-{os.getpid()}-{secrets.token_hex(8)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(f"\0{self.name}")
        self._socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if _user_of(connection) == os.getuid():
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()
            else:
                connection.close()

    def _converse(self, connection: socket.socket) -> None:
        _widen(connection)
        with suppress(OSError), connection, connection.makefile("rb", _BUFFER_BYTES) as questions:
            while header := questions.read(_QUESTION.size):
                number, n_name, n_bytes = _QUESTION.unpack(header)
                method = self._methods[questions.read(n_name).decode()]
                answer = method(questions.read(n_bytes))
                if isinstance(answer, tuple):
                    _send(connection, number, answer)
                    continue
                assert self._loop is not None  # noqa: S101 - there are coroutines
                asyncio.run_coroutine_threadsafe(_send_later(connection, number, answer), self._loop)


def _send(connection: socket.socket, number: int, answer: Answer) -> None:
    is_answered, text = answer
    connection.sendall(_ANSWER.pack(number, is_answered, len(text)) + text)


async def _send_later(connection: socket.socket, number: int, answer: Awaitable[Answer]) -> None:
    with suppress(OSError):  # whoever asked is gone
        _send(connection, number, await answer)


def _user_of(connection: socket.socket) -> int:
    _, user, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return int(user)


def _widen(connection: socket.socket) -> None:
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        connection.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)


class Channel(asyncio.Protocol):
    """The other end: ask, on one event loop, any number of questions at a time.

    Attributes
    ----------
    is_open : bool
    """

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._received = bytearray()
        self._n_asked = 0
        self.is_open = False

    @classmethod
    async def open(cls, name: str) -> "Channel":
        """Connect to the listener of this name.

        Raises
        ------
        OSError
            Where there is none on this machine.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(f"\0{name}")
            _widen(connection)
            connection.setblocking(False)
            _, channel = await asyncio.get_running_loop().create_unix_connection(cls, sock=connection)
        except BaseException:
            connection.close()
            raise
        return channel

    def ask(self, method: str, question: bytes) -> "asyncio.Future[Answer]":
        """Send a question; the future holds the answer, or a `ConnectionError` where the other process is gone."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if not self.is_open:
            future.set_exception(ConnectionResetError("the process is gone"))
            return future
        name = method.encode()
        self._n_asked += 1
        self._waiting[self._n_asked] = future
        self._transport.write(_QUESTION.pack(self._n_asked, len(name), len(question)) + name + question)
        return future

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # that of uvloop is one without saying so
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= _ANSWER.size:
            number, is_answered, n_bytes = _ANSWER.unpack_from(self._received)
            end = _ANSWER.size + n_bytes
            if len(self._received) < end:
                return
            answer = bytes(self._received[_ANSWER.size : end])
            del self._received[:end]
            future = self._waiting.pop(number)
            if not future.done():  # whoever asked may have been cancelled
                future.set_result((is_answered, answer))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(ConnectionResetError("the process is gone"))
