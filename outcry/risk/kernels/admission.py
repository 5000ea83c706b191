"""Pass, clip or refuse what is wanted."""

import math

from outcry.compiled import inlined_kernel
from outcry.market.frame import IntArray
from outcry.order_rows import LOTS, NUMBER, PARENT, REDUCE_ONLY, SIDE, SYMBOL
from outcry.risk.kernels.events import Events, write_event
from outcry.risk.kernels.exposure import Book, Exposure, add_lots, closable_lots
from outcry.risk.kernels.layout import (
    ALL_SYMBOLS,
    CLIPPED,
    E_ACTION,
    E_FIRST,
    E_SYMBOL,
    KILL_SWITCH,
    LOT_SHARES,
    NEW_RISK_REFUSED,
    REFUSED,
    UNPRICED,
)
from outcry.risk.kernels.limits import Rules, measure, room, threshold

LOT_TOLERANCE = 1e-9
"""Room for a whole number of lots but for rounding is room for that number."""


@inlined_kernel
def admit(
    wanted: IntArray,
    n_wanted: int,
    limits: tuple[int, int],
    keeps_working: bool,
    rules: Rules,
    book: Book,
    exposure: Exposure,
    passed: IntArray,
    out: IntArray,
    events: Events,
    n_events: int,
) -> tuple[int, int]:
    """Write the rows that pass, in whole lots, and add them to the exposure; return the numbers of rows and of events.

    The rows that only close come first, then those that open, each on the book after the ones before it, then the
    legs. The part of a row that closes what is held passes whatever the limits say, and so does a row that is reduce
    only; the rest, new risk, passes as far as the tightest limit leaves room. A leg passes as far as its parent did,
    and adds nothing; one whose parent is not among the rows has a parent that passed before.

    Parameters
    ----------
    wanted : int64 (n_most, N_COLUMNS)
        `n_wanted` rows of `outcry.order_rows`. A row with a parent is a leg.
    limits : tuple of int
        The first limit that is asked, and the one after the last.
    keeps_working : bool
        What is on its way is in the exposure.
    exposure : Exposure
        Of the book, before any row.
    passed : int64 (n_most,)
        Scratch.
    """
    n_before = n_events
    n_out = 0
    for k in range(n_wanted):
        passed[k] = 0
    for is_opening in range(2):
        for k in range(n_wanted):
            row = wanted[k]
            if row[PARENT] >= 0 or _opens(row, keeps_working, book) != is_opening:
                continue
            passed[k], n_events = _admit_row(row, limits, rules, book, exposure, events, n_events)
            if passed[k] == row[LOTS] or passed[k] > 0:
                n_out = _write_row(row, passed[k], out, n_out)
    for k in range(n_wanted):
        if wanted[k, PARENT] < 0:
            continue
        parent = _find_parent(wanted, n_wanted, k)
        passed[k] = wanted[k, LOTS] if parent < 0 else min(wanted[k, LOTS], passed[parent])
        if passed[k] > 0:
            n_out = _write_row(wanted[k], passed[k], out, n_out)
            out[n_out - 1, REDUCE_ONLY] = 1
    if limits[0] >= KILL_SWITCH and n_events > n_before:
        # One a frame: a blocked portfolio asks for the same again and again.
        numbers = events[0][n_before]
        numbers[E_SYMBOL], numbers[E_ACTION], numbers[E_FIRST] = ALL_SYMBOLS, NEW_RISK_REFUSED, n_events - n_before
        n_events = n_before + 1
    return n_out, n_events


@inlined_kernel
def _opens(row: IntArray, keeps_working: bool, book: Book) -> bool:
    """Say whether a row takes new risk, on the book before any row."""
    held, working = book[0][row[SYMBOL]], book[1][row[SYMBOL]] if keeps_working else 0
    opens: bool = row[REDUCE_ONLY] == 0 and row[LOTS] > max(-row[SIDE] * closable_lots(held, working), 0)
    return opens


@inlined_kernel
def _admit_row(
    row: IntArray,
    limits: tuple[int, int],
    rules: Rules,
    book: Book,
    exposure: Exposure,
    events: Events,
    n_events: int,
) -> tuple[int, int]:
    """Return the lots of a row that pass, added to the exposure, and the number of events."""
    i, sign, lots = row[SYMBOL], row[SIDE], row[LOTS]
    sector, lot_shares, price = rules[2][i], rules[0][LOT_SHARES], book[2][i]
    closing = min(lots, max(-sign * exposure[2][i], 0))
    add_lots(i, sign * closing, lot_shares, price, sector, exposure)
    opening = lots - closing
    if opening == 0 or row[REDUCE_ONLY] == 1:
        return lots, n_events
    if not math.isfinite(price):
        return closing, write_event(events, n_events, UNPRICED, i, REFUSED, 0, 0, 0.0, 0.0)

    tightest, least = limits[0], math.inf
    for limit in range(limits[0], limits[1]):
        left = room(limit, i, sign, rules, book, exposure)
        if left < least:
            tightest, least = limit, left
    value = opening * lot_shares * price
    fits = opening
    if least < value:
        fits = min(opening, math.floor(max(least, 0.0) / (price * lot_shares) + LOT_TOLERANCE))
    if fits < opening:
        measured = measure(tightest, i, sign * value, rules, book, exposure)
        largest = threshold(tightest, i, rules, book, exposure)
        action = CLIPPED if closing + fits > 0 else REFUSED
        n_events = write_event(events, n_events, tightest, i, action, closing + fits, lots, measured, largest)
    add_lots(i, sign * fits, lot_shares, price, sector, exposure)
    return closing + fits, n_events


@inlined_kernel
def _find_parent(wanted: IntArray, n_wanted: int, leg: int) -> int:
    """Return the row of the parent of a leg, which is most often just before it; -1 where there is none."""
    for k in range(leg - 1, -1, -1):
        if wanted[k, NUMBER] == wanted[leg, PARENT]:
            return k
    for k in range(leg + 1, n_wanted):
        if wanted[k, NUMBER] == wanted[leg, PARENT]:
            return k
    return -1


@inlined_kernel
def _write_row(row: IntArray, lots: int, out: IntArray, n_out: int) -> int:
    for c in range(len(row)):
        out[n_out, c] = row[c]
    out[n_out, LOTS] = lots
    return n_out + 1
