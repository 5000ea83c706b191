"""The instruments of a run, in a fixed order."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from outcry.errors import ConfigurationError, DataNotFoundError
from outcry.market.frame import IntArray
from outcry.market.grid import Grid, grid_of

UNKNOWN_SECTOR = "Other"


@dataclass(frozen=True, slots=True)
class Universe:
    """Name the instruments of a run; every array of shape (n_symbols,) follows this order.

    Parameters
    ----------
    symbols : tuple of str
        Unique, in the order of every column.
    sectors : tuple of str
        One a symbol; `UNKNOWN_SECTOR` where not known.
    tick : Decimal
        Smallest price step at the broker and in the ledger.
    lot : Decimal
        Smallest quantity step, in shares.
    """

    symbols: tuple[str, ...]
    sectors: tuple[str, ...]
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal("1")

    def __post_init__(self) -> None:
        if not self.symbols:
            raise ConfigurationError("symbols must name at least one instrument, was empty")
        repeated = sorted({s for s in self.symbols if self.symbols.count(s) > 1})
        if repeated:
            raise ConfigurationError(f"symbols must be unique, {', '.join(repeated)} repeats")
        if len(self.sectors) != len(self.symbols):
            raise ConfigurationError(f"sectors must have {len(self.symbols)} entries, had {len(self.sectors)}")
        for name, step in (("tick", self.tick), ("lot", self.lot)):
            if step <= 0:
                raise ConfigurationError(f"{name} must be positive, was {step}")
        _ = self.grid

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def grid(self) -> Grid:
        """What prices, quantities and money are counted in."""
        return grid_of(self.tick, self.lot)

    def index(self, symbol: str) -> int:
        """Return the column of `symbol`; raise `DataNotFoundError` where it is not in the universe."""
        try:
            return self.symbols.index(symbol)
        except ValueError:
            raise DataNotFoundError(f"symbol {symbol} is not in the universe of {len(self)} symbols") from None

    def sector_index(self) -> tuple[IntArray, tuple[str, ...]]:
        """Return, a symbol, the position of its sector in the sorted sector names, and those names."""
        names = tuple(sorted(set(self.sectors)))
        return np.array([names.index(s) for s in self.sectors], dtype=np.int64), names
