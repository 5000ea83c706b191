"""The largest difference of long and short."""

from outcry.risk.exposure import Exposure


class NetExposureLimit:
    """Keep |Σ value| within `max_frac` of equity."""

    name = "net_exposure"

    def __init__(self, max_frac: float) -> None:
        self._max_frac = max_frac

    def threshold(self, exposure: Exposure, index: int) -> float:
        """Return the largest fraction of equity."""
        return self._max_frac

    def measure(self, exposure: Exposure, index: int, sign: int, value: float) -> float:
        """Return |Σ value| after the trade, as a fraction of equity."""
        return abs(exposure.net + sign * value) / exposure.equity

    def room(self, exposure: Exposure, index: int, sign: int) -> float:
        """Return the value that may still trade in direction `sign`."""
        return self._max_frac * exposure.equity - sign * exposure.net
