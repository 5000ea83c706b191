"""Where each millisecond of a frame goes."""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import numpy as np

from outcry.market.frame import FloatArray

Port = TypeVar("Port")

_N_RECENT = 2_000


class Stopwatch:
    """Collect how long every step of a desk takes, frame by frame.

    `samples` maps a step (``router.advance``) to float64 (n_calls,), milliseconds of wall time as the desk sees it.
    Steps that run side by side overlap, so they add up to more than the frame.
    """

    def __init__(self) -> None:
        self._samples: dict[str, list[float]] = defaultdict(list)

    def watch(self, name: str, port: Port) -> Port:
        """Return `port` with every coroutine method timed."""
        return cast(Port, _Watched(name, port, self.add))

    def add(self, step: str, milliseconds: float) -> None:
        self._samples[step].append(milliseconds)

    def recent(self, step: str) -> list[float]:
        """Return the newest samples of a step, milliseconds; some thousands at most."""
        return self._samples[step][-_N_RECENT:]

    def last(self, step: str) -> float:
        """Return the newest sample of a step, milliseconds."""
        return self._samples[step][-1]

    @property
    def samples(self) -> dict[str, FloatArray]:
        return {step: np.array(values) for step, values in self._samples.items()}


class _Watched:
    def __init__(self, name: str, port: object, add: Callable[[str, float], None]) -> None:
        self._name = name
        self._port = port
        self._add = add

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        call = getattr(self._port, method)

        async def timed(*args: object) -> Any:
            started = time.perf_counter()
            try:
                return await call(*args)
            finally:
                self._add(f"{self._name}.{method}", (time.perf_counter() - started) * 1e3)

        return timed
