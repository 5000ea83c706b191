"""The exposure of a book, kept up while orders are added to it.

Values are ``lots * lot_shares * price`` at the last closes, float64 in account currency; a symbol whose price was never
seen counts as worthless.
"""

from math import isfinite

from outcry.compiled import inlined_kernel
from outcry.market.frame import FloatArray, IntArray
from outcry.risk.kernels.layout import T_GROSS, T_NET, T_POSITIONS

Book = tuple[IntArray, IntArray, FloatArray, FloatArray]
"""Lots held, signed (n,); lots on their way, signed (n,); last closes, NaN where never seen (n,); target weights, NaN
where the portfolio has no opinion (n,)."""

Exposure = tuple[FloatArray, IntArray, IntArray, FloatArray]
"""Totals (N_TOTALS,); lots held and on their way (n,); lots that one more order may close without crossing zero, signed
(n,); Σ abs(value) of each sector (n_sectors,)."""


@inlined_kernel
def value_of(lots: int, lot_shares: float, price: float) -> float:
    """Return the signed value of lots; 0 without a price."""
    value = lots * lot_shares * price
    return value if isfinite(value) else 0.0


@inlined_kernel
def closable_lots(held: int, working: int) -> int:
    """Return what one more order may close: lots held, less those on their way to close them."""
    is_long = held > 0
    left = held + (min(working, 0) if is_long else max(working, 0))
    return max(left, 0) if is_long else min(left, 0)


@inlined_kernel
def sum_exposure(book: Book, keeps_working: bool, lot_shares: float, sector: IntArray, exposure: Exposure) -> None:
    """Write the exposure of a book.

    Parameters
    ----------
    keeps_working : bool
        What is on its way counts; False where it is cancelled.
    lot_shares : float
    sector : int64 (n,)
        Position of the sector of each symbol.
    exposure : Exposure
        Receives everything but what is no sum.
    """
    held, working, price, _ = book
    totals, lots, closable, sector_gross = exposure
    for k in range(len(sector_gross)):
        sector_gross[k] = 0.0
    gross = net = 0.0
    n_positions = 0
    for i in range(len(held)):
        on_its_way = working[i] if keeps_working else 0
        lots[i] = held[i] + on_its_way
        closable[i] = closable_lots(held[i], on_its_way)
        if lots[i] != 0:
            value = value_of(lots[i], lot_shares, price[i])
            gross += abs(value)
            net += value
            sector_gross[sector[i]] += abs(value)
            n_positions += 1
    totals[T_GROSS], totals[T_NET], totals[T_POSITIONS] = gross, net, n_positions


@inlined_kernel
def add_lots(i: int, signed: int, lot_shares: float, price: float, sector: int, exposure: Exposure) -> None:
    """Add an order of `signed` lots of symbol `i`."""
    totals, lots, closable, sector_gross = exposure
    before, n_before = value_of(lots[i], lot_shares, price), int(lots[i] != 0)
    lots[i] += signed
    after, n_after = value_of(lots[i], lot_shares, price), int(lots[i] != 0)
    totals[T_GROSS] += abs(after) - abs(before)
    totals[T_NET] += after - before
    totals[T_POSITIONS] += n_after - n_before
    sector_gross[sector] += abs(after) - abs(before)
    closable[i] = closable_lots(closable[i], signed)


@inlined_kernel
def sum_closable_gross(book: Book, keeps_working: bool, lot_shares: float) -> float:
    """Return Σ |value| of what is held, where what is on its way to close counts as closed."""
    held, working, price, _ = book
    gross = 0.0
    for i in range(len(held)):
        lots = closable_lots(held[i], working[i]) if keeps_working else held[i]
        gross += abs(value_of(lots, lot_shares, price[i]))
    return gross
