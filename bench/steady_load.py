"""Requests at a steady rate, whatever becomes of the ones before: what a swap under load is held against."""

import http.client
import threading
import time
from types import TracebackType


class SteadyLoad:
    """Ask a served ensemble for predictions while the block runs.

    Each asker keeps to its own timetable and catches up where an answer was late, so a pause of the server is met by
    all requests that were due in it.

    Parameters
    ----------
    url : str
    body : bytes
        JSON.
    per_s : float
        Requests a second, of all askers.
    n_askers : int
        Connections.

    Attributes
    ----------
    answers : list of tuple of int, bytes
        Status and body, after the block.
    failures : list of Exception
        Of requests that got no answer.
    seconds : float
        How long the block took.
    """

    def __init__(self, url: str, body: bytes, per_s: float, n_askers: int = 8) -> None:
        self._address, self._body = url.removeprefix("http://"), body
        self._pause_s = n_askers / per_s
        self._done = threading.Event()
        self._askers = [threading.Thread(target=self._ask) for _ in range(n_askers)]
        self.answers: list[tuple[int, bytes]] = []
        self.failures: list[Exception] = []
        self.seconds = 0.0

    def __enter__(self) -> "SteadyLoad":
        self._started = time.monotonic()
        for asker in self._askers:
            asker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        for asker in self._askers:
            asker.join()
        self.seconds = time.monotonic() - self._started

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=120)
        due = time.monotonic()
        while not self._done.wait(max(0.0, due - time.monotonic())):
            due += self._pause_s
            try:
                connection.request("POST", "/v1/predict", self._body, {"content-type": "application/json"})
                answer = connection.getresponse()
                self.answers.append((answer.status, answer.read()))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(error)
                connection.close()
        connection.close()
