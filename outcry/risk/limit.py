"""What a limit on exposure answers."""

from typing import Protocol

from outcry.risk.exposure import Exposure


class ExposureLimit(Protocol):
    """Say how much further a symbol may go in one direction.

    Every limit is a file of this folder named ``…_limit.py``. A limit is asked about new risk only: what reduces a
    position is never put to it.
    """

    name: str

    def threshold(self, exposure: Exposure, index: int) -> float:
        """Return the largest measure allowed."""
        ...

    def measure(self, exposure: Exposure, index: int, sign: int, value: float) -> float:
        """Return what the limit measures after trading `value` (account currency) of a symbol in direction `sign`."""
        ...

    def room(self, exposure: Exposure, index: int, sign: int) -> float:
        """Return the largest value, account currency, that may still trade; at most 0 where none, else up to inf."""
        ...
