"""The largest sum of the positions of one sector."""

from collections.abc import Mapping

from outcry.risk.exposure import Exposure


class SectorLimit:
    """Hold at most a fraction of equity in Σ |value| of one sector.

    Parameters
    ----------
    max_frac : float
        For a sector that `fracs` does not name.
    fracs : mapping of str to float
    sector_names : tuple of str
        In the order of the positions in `Exposure`. Symbols of unknown sector count as one sector.
    """

    name = "sector"

    def __init__(self, max_frac: float, fracs: Mapping[str, float], sector_names: tuple[str, ...]) -> None:
        self._max_fracs = tuple(fracs.get(name, max_frac) for name in sector_names)

    def threshold(self, exposure: Exposure, index: int) -> float:
        """Return the largest fraction of equity for the sector of the symbol."""
        return self._max_fracs[exposure.sector(index)]

    def measure(self, exposure: Exposure, index: int, sign: int, value: float) -> float:
        """Return Σ |value| of the sector after the trade, as a fraction of equity."""
        before = exposure.value(index)
        gross = float(exposure.sector_gross[exposure.sector(index)])
        return (gross + abs(before + sign * value) - abs(before)) / exposure.equity

    def room(self, exposure: Exposure, index: int, sign: int) -> float:
        """Return the value that may still trade in direction `sign`; closing gives back what it frees."""
        gross = float(exposure.sector_gross[exposure.sector(index)])
        return self.threshold(exposure, index) * exposure.equity - gross + 2 * exposure.opposite(index, sign)
