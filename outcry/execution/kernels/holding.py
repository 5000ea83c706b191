"""What an account pays and gets for what it holds: borrow fees, interest, splits and dividends.

All of it is booked before the bar: on the lots held since the last one, at its close.
"""

from outcry.compiled import kernel
from outcry.execution.kernels.cover import CASH
from outcry.execution.kernels.model import BORROW_FRAC, CASH_FRAC, FINANCING_FRAC, PRICE_SCALE
from outcry.execution.kernels.past import BAR_DIVIDEND, BAR_SPLIT, Bars
from outcry.market.frame import FloatArray, IntArray
from outcry.market.grid_kernels import round_down, to_price_units
from outcry.order_rows import (
    BORROW_FEE,
    DIVIDEND,
    E_CASH,
    E_KIND,
    E_LOTS,
    E_SEQ,
    E_SYMBOL,
    INTEREST,
    SPLIT,
)

ACCOUNT = -1
"""The symbol of what concerns none."""


@kernel
def book_carry(
    account: IntArray, lots: IntArray, last_units: IntArray, market: FloatArray, n_nights: int, seq: int, rows: IntArray
) -> int:
    """Charge the nights since the last frame; return the number of events, written to `rows` from the first on.

    Parameters
    ----------
    account : int64 (N_SLOTS,)
    lots, last_units : int64 (n_symbols,)
        Held, and last closes in price units.
    market : float64
    n_nights : int
        Calendar days.
    seq : int
    rows : int64 (capacity, N_EVENT_COLUMNS)
        Room for one a symbol and one more.

    Notes
    -----
    With a night a part of a year of 360 days:

        borrow fee of a symbol   |value of the short position| · borrow · nights
        interest                 b · financing · nights  where b < 0, else  b · cash · nights
        b                        cash − Σ |value of short positions|

    What was sold short is collateral of its lender: it is no cash of the account, and pays for nothing.
    """
    free, n_rows = account[CASH], 0
    for i in range(len(lots)):
        if lots[i] < 0:
            value = -lots[i] * last_units[i]
            free -= value
            n_rows += write_event(rows[n_rows], seq, BORROW_FEE, i, 0, -share_of(value, market[BORROW_FRAC] * n_nights))
    frac = market[FINANCING_FRAC] if free < 0 else market[CASH_FRAC]
    n_rows += write_event(rows[n_rows], seq, INTEREST, ACCOUNT, 0, share_of(free, frac * n_nights))
    for k in range(n_rows):
        account[CASH] += rows[k, E_CASH]
    return n_rows


@kernel
def book_actions(
    account: IntArray,
    lots: IntArray,
    last_units: IntArray,
    market: FloatArray,
    bars: Bars,
    t: int,
    seq: int,
    rows: IntArray,
) -> int:
    """Split what is held, then pay the dividends of row t; return the number of events, as `book_carry`.

    Notes
    -----
    A holding of n lots becomes the whole lots of n · ratio. What is left of one is paid out at the last close over the
    ratio: cash in lieu, which a short position owes. A dividend is on the lots after the split, and a short position
    owes it too.
    """
    n_rows = 0
    for i in range(len(lots)):
        if lots[i] == 0:
            continue
        ratio, dividend = bars[BAR_SPLIT][t, i], bars[BAR_DIVIDEND][t, i]
        if ratio != 1.0:
            sign = 1 if lots[i] > 0 else -1
            exact = abs(lots[i]) * ratio
            whole = round_down(exact, 1)
            in_lieu = share_of(last_units[i], max(exact - whole, 0.0) / ratio)
            n_rows += write_event(rows[n_rows], seq, SPLIT, i, sign * whole - lots[i], sign * in_lieu)
            lots[i] = sign * whole
        if dividend != 0.0:
            paid = lots[i] * to_price_units(dividend, market[PRICE_SCALE])
            n_rows += write_event(rows[n_rows], seq, DIVIDEND, i, 0, paid)
    for k in range(n_rows):
        account[CASH] += rows[k, E_CASH]
    return n_rows


@kernel
def share_of(value: int, frac: float) -> int:
    """Return a fraction of an amount in the nearest whole number of units, half to even."""
    return int(round(value * frac))  # noqa: RUF046 - Numba's round gives a float


@kernel
def write_event(row: IntArray, seq: int, kind: int, symbol: int, lots: int, cash: int) -> int:
    """Write an event and return 1; return 0 where it changes nothing."""
    if lots == 0 and cash == 0:
        return 0
    row[E_SEQ], row[E_KIND], row[E_SYMBOL], row[E_LOTS], row[E_CASH] = seq, kind, symbol, lots, cash
    return 1
