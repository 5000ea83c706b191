"""The largest sum of all positions, long and short counted alike."""

from outcry.risk.exposure import Exposure


class GrossExposureLimit:
    """Hold at most `max_frac` of equity in Σ |value|."""

    name = "gross_exposure"

    def __init__(self, max_frac: float) -> None:
        self._max_frac = max_frac

    def threshold(self, exposure: Exposure, index: int) -> float:
        """Return the largest fraction of equity."""
        return self._max_frac

    def measure(self, exposure: Exposure, index: int, sign: int, value: float) -> float:
        """Return Σ |value| after the trade, as a fraction of equity."""
        before = exposure.value(index)
        return (exposure.gross + abs(before + sign * value) - abs(before)) / exposure.equity

    def room(self, exposure: Exposure, index: int, sign: int) -> float:
        """Return the value that may still trade in direction `sign`; closing gives back what it frees."""
        return self._max_frac * exposure.equity - exposure.gross + 2 * exposure.opposite(index, sign)
