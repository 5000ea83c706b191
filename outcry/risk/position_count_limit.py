"""The largest number of positions."""

from math import inf

from outcry.risk.exposure import Exposure


class PositionCountLimit:
    """Hold at most `max_positions` symbols at a time, those on their way included."""

    name = "position_count"

    def __init__(self, max_positions: int) -> None:
        self._max_positions = max_positions

    def threshold(self, exposure: Exposure, index: int) -> float:
        """Return the largest number."""
        return self._max_positions

    def measure(self, exposure: Exposure, index: int, sign: int, value: float) -> float:
        """Return the number of positions after the trade."""
        return exposure.n_positions + int(exposure.shares[index] == 0 and value > 0)

    def room(self, exposure: Exposure, index: int, sign: int) -> float:
        """Return inf for a symbol that is held, or while there is a free place; else 0."""
        is_free = exposure.shares[index] != 0 or exposure.n_positions < self._max_positions
        return inf if is_free else 0.0
