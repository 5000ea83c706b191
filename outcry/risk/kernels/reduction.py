"""The orders the gate makes itself: to hold less, and to hold nothing.

Each is a market order that only closes, in the order of the universe. It has no `PURPOSE` and no `NUMBER` yet; its
`POSITION` follows those of the wanted orders.
"""

import math

from outcry.compiled import inlined_kernel, kernel
from outcry.market.frame import IntArray
from outcry.order_rows import (
    FIRST_FILL_SEQ,
    FORCE,
    GTC,
    KIND,
    LOTS,
    MARKET,
    NUMBER,
    PARENT,
    POSITION,
    REDUCE_ONLY,
    SEQ,
    SIDE,
    SYMBOL,
)
from outcry.risk.kernels.exposure import Book, Exposure, closable_lots, value_of
from outcry.risk.kernels.layout import DELEVERAGE_BAND_FRAC, DRAWDOWN, INITIAL_MARGIN_FRAC, LOT_SHARES, T_EQUITY
from outcry.risk.kernels.limits import Rules, room

Place = tuple[int, int]
"""Frame, and place among its orders, of the first order made here."""


@kernel
def flatten(is_cancelling: bool, book: Book, exposure: Exposure, place: Place, out: IntArray, n_out: int) -> int:
    """Close all that is left once everything on its way has traded; without that, where it is cancelled here."""
    first = n_out
    for i in range(len(book[0])):
        left = exposure[1][i] - (book[1][i] if is_cancelling else 0)
        n_out = _close(i, left, place, out, n_out, first)
    return n_out


@kernel
def keep_exits(keeps_working: bool, book: Book, place: Place, out: IntArray, n_out: int) -> int:
    """Send again what was on its way to close a position, and is cancelled; nothing where that was wanted."""
    first = n_out
    for i in range(len(book[0])):
        n_out = _close(i, _closing(i, keeps_working, book), place, out, n_out, first)
    return n_out


@kernel
def deleverage(rules: Rules, book: Book, exposure: Exposure, place: Place, out: IntArray, n_out: int) -> int:
    """Bring positions back to the cap of the drawdown, where they exceed it by the band."""
    first = n_out
    config = rules[0]
    for i in range(len(book[0])):
        closable, price = exposure[2][i], book[2][i]
        if closable == 0 or not math.isfinite(price):
            continue
        sign = 1 if closable > 0 else -1
        excess = -room(DRAWDOWN, i, sign, rules, book, exposure)
        if excess > config[DELEVERAGE_BAND_FRAC] * exposure[0][T_EQUITY]:
            lots = min(math.floor(excess / price / config[LOT_SHARES]), abs(closable))
            n_out = _close(i, sign * lots, place, out, n_out, first)
    return n_out


@kernel
def meet_margin_call(
    keeps_working: bool, rules: Rules, book: Book, exposure: Exposure, place: Place, out: IntArray, n_out: int
) -> int:
    """Reduce every position pro rata, lots rounded up, until Σ |value| is at most equity / ``initial_margin_frac``.

    What was on its way to close, and is cancelled, is sent again with the rest, in one order a symbol. What the wanted
    orders close counts as closed.
    """
    first = n_out
    lot_shares = rules[0][LOT_SHARES]
    gross = 0.0
    for i in range(len(book[0])):
        gross += abs(value_of(exposure[2][i], lot_shares, book[2][i]))
    largest = max(exposure[0][T_EQUITY], 0.0) / rules[0][INITIAL_MARGIN_FRAC]
    kept_frac = largest / gross if gross > largest else 1.0
    for i in range(len(book[0])):
        closable = exposure[2][i]
        signed = _closing(i, keeps_working, book)
        if math.isfinite(book[2][i]):
            kept = math.floor(abs(closable) * kept_frac)
            signed += closable - kept if closable > 0 else closable + kept
        n_out = _close(i, signed, place, out, n_out, first)
    return n_out


@inlined_kernel
def _closing(i: int, keeps_working: bool, book: Book) -> int:
    """Return the signed lots of a position that are being closed by what is on its way."""
    return book[0][i] - closable_lots(book[0][i], book[1][i]) if keeps_working else 0


@inlined_kernel
def _close(i: int, signed: int, place: Place, out: IntArray, n_out: int, first: int) -> int:
    """Write the order that closes `signed` lots of symbol `i`, if any; return the number of rows."""
    if signed == 0:
        return n_out
    row = out[n_out]
    for c in range(len(row)):
        row[c] = 0
    row[SYMBOL], row[SIDE], row[LOTS] = i, -1 if signed > 0 else 1, abs(signed)
    row[KIND], row[FORCE] = MARKET, GTC
    row[SEQ], row[POSITION] = place[0], place[1] + n_out - first
    row[REDUCE_ONLY] = 1
    row[NUMBER] = row[PARENT] = row[FIRST_FILL_SEQ] = -1
    return n_out + 1
