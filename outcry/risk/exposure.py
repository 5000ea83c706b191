"""The exposure of a book, kept up while orders are added to it."""

import numpy as np

from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Book


class Exposure:
    """Value positions and what is on its way at the last closes.

    Parameters
    ----------
    book : Book
        A symbol whose price was never seen counts as worthless.
    working : float64 (n_symbols,)
        Signed shares on their way.
    sector : int64 (n_symbols,)
        Position of the sector of each symbol.
    n_sectors : int

    Attributes
    ----------
    equity : float
        Account currency.
    price : float64 (n_symbols,)
        Last closes; NaN where never seen.
    shares : float64 (n_symbols,)
        Held and on their way.
    closable : float64 (n_symbols,)
        Held, less what is on its way to close it: what one more order may close without crossing zero.
    gross, net : float
        Σ |value| and Σ value of `shares`, account currency.
    n_positions : int
        Symbols with shares.
    sector_gross : float64 (n_sectors,)
        Σ |value| of each sector.
    """

    def __init__(self, book: Book, working: FloatArray, sector: IntArray, n_sectors: int) -> None:
        held = book.quantity
        closed_long = np.maximum(np.minimum(working, 0.0), np.minimum(-held, 0.0))
        closed_short = np.minimum(np.maximum(working, 0.0), np.maximum(-held, 0.0))
        self.equity = float(book.equity)
        self.price = book.price
        self.shares = held + working
        self.closable: FloatArray = held + closed_long + closed_short
        self._sector = sector
        value = self.shares * np.where(np.isnan(book.price), 0.0, book.price)
        size = np.abs(value)
        self.gross = float(size.sum())
        self.net = float(value.sum())
        self.n_positions = int(np.count_nonzero(self.shares))
        self.sector_gross: FloatArray = np.bincount(sector, weights=size, minlength=n_sectors).astype(np.float64)

    def value(self, index: int) -> float:
        """Return the signed value of a symbol, account currency."""
        value = float(self.shares[index] * self.price[index])
        return value if np.isfinite(value) else 0.0

    def opposite(self, index: int, sign: int) -> float:
        """Return the value that a trade in direction `sign` closes before it opens anything."""
        return max(-sign * self.value(index), 0.0)

    def reducing(self, index: int, sign: int) -> float:
        """Return the shares that a trade in direction `sign` may close, unsigned."""
        return max(-sign * float(self.closable[index]), 0.0)

    def sector(self, index: int) -> int:
        """Return the position of the sector of a symbol."""
        return int(self._sector[index])

    def add(self, index: int, shares: float) -> None:
        """Add an order of signed `shares`."""
        before, had = self.value(index), self.shares[index] != 0
        self.shares[index] += shares
        after, has = self.value(index), self.shares[index] != 0
        self.gross += abs(after) - abs(before)
        self.net += after - before
        self.sector_gross[self._sector[index]] += abs(after) - abs(before)
        self.n_positions += int(has) - int(had)
        left = float(self.closable[index])
        if left * shares < 0:
            self.closable[index] = left + shares if abs(shares) < abs(left) else 0.0
