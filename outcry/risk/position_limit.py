"""The largest value of one position."""

from outcry.risk.exposure import Exposure


class PositionLimit:
    """Hold at most `max_frac` of equity in one symbol, long or short."""

    name = "position"

    def __init__(self, max_frac: float) -> None:
        self._max_frac = max_frac

    def threshold(self, exposure: Exposure, index: int) -> float:
        """Return the largest fraction of equity."""
        return self._max_frac

    def measure(self, exposure: Exposure, index: int, sign: int, value: float) -> float:
        """Return |value| of the symbol after the trade, as a fraction of equity."""
        return abs(exposure.value(index) + sign * value) / exposure.equity

    def room(self, exposure: Exposure, index: int, sign: int) -> float:
        """Return the value that may still trade in direction `sign`."""
        return self._max_frac * exposure.equity - sign * exposure.value(index)
