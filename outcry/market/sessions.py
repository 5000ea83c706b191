"""Trading sessions as arrays: what a kernel needs of a calendar."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from outcry.errors import DataValidationError
from outcry.market.frame import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """Hold consecutive sessions of one exchange, ascending and disjoint.

    Attributes
    ----------
    open_ns, close_ns : int64 (n_sessions,)
        UTC nanoseconds; a half day closes early. Around the clock, a session is a UTC day.
    midnight_ns : int64 (n_sessions,)
        UTC nanoseconds of 00:00 exchange time on the date of the session: ``ts - midnight_ns`` is the time of day.
    weekday : int64 (n_sessions,)
        Of the date of the session; Monday is 0.
    """

    open_ns: IntArray
    close_ns: IntArray
    midnight_ns: IntArray
    weekday: IntArray

    def __post_init__(self) -> None:
        if len(self.open_ns) == 0:
            raise DataValidationError("sessions must not be empty")
        if np.any(self.close_ns <= self.open_ns) or np.any(self.open_ns[1:] < self.close_ns[:-1]):
            raise DataValidationError("sessions must be ascending and disjoint")

    def __len__(self) -> int:
        return len(self.open_ns)

    def __reduce__(self) -> tuple[Callable[[bytes], "Sessions"], tuple[bytes]]:
        """Pickle small: decades of sessions go to every actor, and are as regular as data can be."""
        columns = np.stack([getattr(self, field.name) for field in fields(self)])
        return _unpack, (zlib.compress(np.diff(columns, prepend=0).tobytes()),)

    def locate(self, ts_close_ns: int) -> int:
        """Return the session whose (open, close] holds a bar closing at this instant; the next one in a break."""
        return int(np.searchsorted(self.close_ns, ts_close_ns, side="left"))


def _unpack(packed: bytes) -> Sessions:
    columns = np.frombuffer(zlib.decompress(packed), dtype=np.int64).reshape(len(fields(Sessions)), -1)
    return Sessions(*np.cumsum(columns, axis=1))
