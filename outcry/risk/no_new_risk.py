"""Refuse all new risk, whatever it is."""

from outcry.risk.exposure import Exposure


class NoNewRisk:
    """Leave no room for anything; in force while the gate is halted or a session is blocked.

    Parameters
    ----------
    name : str
        What is in force.
    measured, largest : float
        What an event says was measured, and against which threshold.
    """

    def __init__(self, name: str, measured: float, largest: float) -> None:
        self.name = name
        self._measured = measured
        self._largest = largest

    def threshold(self, exposure: Exposure, index: int) -> float:
        """Return the threshold that was reached."""
        return self._largest

    def measure(self, exposure: Exposure, index: int, sign: int, value: float) -> float:
        """Return what reached it."""
        return self._measured

    def room(self, exposure: Exposure, index: int, sign: int) -> float:
        """Return 0."""
        return 0.0
