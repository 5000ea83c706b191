"""Positions and cash in whole numbers: fills at average cost, ledger events, marks at the close.

The ledger is three int64 arrays. `account`, in money units, costs positive:

| slot | meaning |
|---|---|
| `CASH` | |
| `REALIZED` | profit of what was closed; slippage inside, commission not |
| `COMMISSION`, `SLIPPAGE` | totals so far |
| `EQUITY` | cash and the value of all positions at the last mark |
| `DIVIDENDS` | received, less those paid on short positions |
| `CARRY` | borrow fees and interest paid, less interest received |

`lots` (n_symbols,) is signed, and so is `basis` (n_symbols,), in money units: the sum of lots · price of what is still
open, slippage inside, commission not. After every mark, in whole units,

    equity = cash + Σ lots · price
    equity − initial cash = realized + Σ (lots · price − basis) − commission + dividends − carry

with `price` the close in the nearest number of price units. No amount may reach `LARGEST_UNITS`: it is worked out in
float64 beside, and where it would be too large a code says which one, and what was asked is not done.
"""

from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point, inlined_kernel, kernel
from outcry.market.frame import FloatArray, IntArray
from outcry.market.grid import LARGEST_UNITS
from outcry.market.grid_kernels import to_price_units
from outcry.order_rows import (
    DIVIDEND,
    E_CASH,
    E_KIND,
    E_LOTS,
    E_SEQ,
    E_SYMBOL,
    F_COMMISSION,
    F_LOTS,
    F_PRICE,
    F_SEQ,
    F_SIDE,
    F_SLIPPAGE,
    F_SYMBOL,
    SPLIT,
)

CASH, REALIZED, COMMISSION, SLIPPAGE, EQUITY, DIVIDENDS, CARRY = range(7)
N_ACCOUNT_SLOTS = 7

FITS = -1
"""Every amount is small enough; other codes are the slot of `account` that is not, or one of these."""
BASIS, LOTS = 7, 8
AMOUNT_NAMES = (
    "cash", "realized_pnl", "commission", "slippage", "equity", "dividends", "carry", "basis", "quantity",
)  # fmt: skip
"""What a code says is too large."""

_SORT_KEYS = (F_SEQ, F_SYMBOL, F_PRICE, F_LOTS)
_SIGNATURE = (
    "i8(i8[::1], i8[::1], i8[::1], i8[:,::1], i8[::1], i8[:,::1], f8[::1], f8, Tuple((f8, f8)),"
    " Tuple((f8[::1], f8[::1])))"
)


@inlined_kernel
def is_small(amount: float) -> bool:
    """Say whether whole units of this size are safe to add; False for NaN."""
    return abs(amount) < LARGEST_UNITS


@inlined_kernel
def settle_fill(account: IntArray, lots: IntArray, basis: IntArray, fill: IntArray) -> int:
    """Settle one fill at average cost, or return what it would make too large.

    Parameters
    ----------
    account, lots, basis : int64
        See the module; changed only where the result is `FITS`.
    fill : int64 (N_FILL_COLUMNS,)

    Notes
    -----
    A trade that closes c of the L lots held takes the nearest whole number of money units to ``basis · c / L`` out of
    the basis, worked out in float64 (half to even; where the product is beyond 2⁵³, the nearest up to the rounding of
    a float). What remains is the basis less what was taken, so the two are the whole by construction, and realised +
    value − basis is exact whatever was rounded. What goes beyond L opens the other side at the price of the fill.
    """
    i = fill[F_SYMBOL]
    price, commission, slippage = fill[F_PRICE], fill[F_COMMISSION], fill[F_SLIPPAGE]
    traded, held, paid = fill[F_SIDE] * fill[F_LOTS], lots[i], basis[i]
    closed, taken = 0, 0
    if (held > 0 and traded < 0) or (held < 0 and traded > 0):
        closed = traded if abs(traded) <= abs(held) else -held
        taken = paid if closed == -held else int(round(float(paid) * float(-closed) / float(held)))  # noqa: RUF046 - Numba's round gives a float
    opened = traded - closed
    value = float(traded) * float(price)
    code = FITS
    if not is_small(float(held) + float(traded)):
        code = LOTS
    elif not (is_small(value) and is_small(float(account[CASH]) - value - float(commission))):
        code = CASH
    elif not is_small(float(account[COMMISSION]) + float(commission)):
        code = COMMISSION
    elif not is_small(float(account[SLIPPAGE]) + float(slippage)):
        code = SLIPPAGE
    elif not is_small(float(paid) - float(taken) + float(opened) * float(price)):
        code = BASIS
    elif not is_small(float(account[REALIZED]) - float(closed) * float(price) - float(taken)):
        code = REALIZED
    else:
        lots[i] = held + traded
        basis[i] = paid - taken + opened * price
        account[CASH] -= traded * price + commission
        account[REALIZED] += -closed * price - taken
        account[COMMISSION] += commission
        account[SLIPPAGE] += slippage
    return code


@kernel
def settle_event(account: IntArray, lots: IntArray, basis: IntArray, event: IntArray) -> int:
    """Settle a ledger event, or return what it would make too large.

    Parameters
    ----------
    account, lots, basis : int64
        See the module; changed only where the result is `FITS`.
    event : int64 (N_EVENT_COLUMNS,)

    Notes
    -----
    A split changes the lots and not what was paid for them. Cash in lieu of a part of a lot comes out of the basis; it
    is profit or loss only where nothing is left.
    """
    i, kind, cash = event[E_SYMBOL], event[E_KIND], event[E_CASH]
    code = FITS
    if not is_small(float(account[CASH]) + float(cash)):
        code = CASH
    elif kind == SPLIT:
        held = lots[i] + event[E_LOTS]
        if not is_small(float(lots[i]) + float(event[E_LOTS])):
            code = LOTS
        elif held == 0:
            account[REALIZED] += cash - basis[i]
            lots[i] = basis[i] = 0
        else:
            lots[i] = held
            basis[i] -= cash
    elif kind == DIVIDEND:
        account[DIVIDENDS] += cash
    else:
        account[CARRY] -= cash
    if code == FITS:
        account[CASH] += cash
    return code


@inlined_kernel
def settle_frames(
    account: IntArray, lots: IntArray, basis: IntArray, fills: IntArray, order: IntArray, events: IntArray
) -> int:
    """Settle what happened in whole frames, in an order that its numbers give; stop at the first that does not fit.

    Parameters
    ----------
    account, lots, basis : int64
        See the module.
    fills : int64 (n_fills, N_FILL_COLUMNS)
        In any order.
    order : int64 (n_fills,)
        Scratch.
    events : int64 (n_events, N_EVENT_COLUMNS)
        Ledger events, by frame; those of a frame come before its fills.

    Returns
    -------
    int
        `FITS`, or what would be too large; then some have been settled, and others not.

    Notes
    -----
    Cash, costs and lots are sums: there the order of fills is nothing. But at average cost a purchase before a sale of
    the same symbol leaves another basis, and another profit, than after it, and brokers need not tell the fills of a
    frame in the same order twice. So they are settled by frame and symbol; there, what enlarges the position held
    before the frame comes before what reduces it (from flat, purchases come first), since an order and a leg that
    closes it may trade in one bar; then by price and by quantity. Fills equal in all of these may change places, and
    nothing changes. What comes out depends on the set of fills alone, and needs no ids.

    The sort is by insertion: about linear where fills come nearly sorted, as a broker and a ledger give them.
    """
    for k in range(len(fills)):
        place = k
        while place > 0 and _is_before(fills[k], fills[order[place - 1]]):
            order[place] = order[place - 1]
            place -= 1
        order[place] = k
    first, n_booked = 0, 0
    while first < len(fills) or n_booked < len(events):
        if n_booked < len(events) and (first == len(fills) or events[n_booked, E_SEQ] <= fills[order[first], F_SEQ]):
            code = settle_event(account, lots, basis, events[n_booked])
            if code != FITS:
                return code
            n_booked += 1
            continue
        seq, symbol = fills[order[first], F_SEQ], fills[order[first], F_SYMBOL]
        end = first
        while end < len(fills) and fills[order[end], F_SEQ] == seq and fills[order[end], F_SYMBOL] == symbol:
            end += 1
        enlarging = -1 if lots[symbol] < 0 else 1
        for side in (enlarging, -enlarging):
            for k in range(first, end):
                fill = fills[order[k]]
                if fill[F_SIDE] == side:
                    code = settle_fill(account, lots, basis, fill)
                    if code != FITS:
                        return code
        first = end
    return FITS


@inlined_kernel
def _is_before(fill: IntArray, other: IntArray) -> bool:
    for column in _SORT_KEYS:
        if fill[column] != other[column]:
            return bool(fill[column] < other[column])
    return False


@inlined_kernel
def mark(
    account: IntArray, lots: IntArray, close: FloatArray, price_scale: float, lot_shares: float
) -> tuple[int, float, float]:
    """Write the equity, exact in money units.

    Parameters
    ----------
    account, lots : int64
        See the module.
    close : float64 (n_symbols,)
        Last close seen, account currency; NaN only where nothing is held.
    price_scale, lot_shares : float
        Price units in one of account currency; shares in a lot.

    Returns
    -------
    code : int
        `FITS`, or `EQUITY` where it is too large or not known.
    gross, net : float
        Σ abs(value) and Σ value of what is held, account currency.

    Notes
    -----
    What must stay below `LARGEST_UNITS` is the cash and the value of every position, added without their signs: then
    no sum on the way can be too large.
    """
    largest, equity = abs(float(account[CASH])), account[CASH]
    gross = net = 0.0
    for i in range(len(lots)):
        price = close[i] if lots[i] != 0 else 0.0
        largest += abs(float(lots[i]) * (price * price_scale))
        equity += lots[i] * to_price_units(price, price_scale)
        value = lots[i] * lot_shares * price
        gross += abs(value)
        net += value
    if not is_small(largest):
        return EQUITY, gross, net
    account[EQUITY] = equity
    return FITS, gross, net


@kernel
def write_holdings(
    lots: IntArray, basis: IntArray, price_scale: float, lot: tuple[float, float], out: tuple[FloatArray, FloatArray]
) -> None:
    """Write the signed shares and the average entry prices (0 where flat), each rounded once, as a book shows them.

    Parameters
    ----------
    lots, basis : int64 (n_symbols,)
    price_scale : float
    lot : tuple of float
        Shares in a lot as a ratio in lowest terms: with a lot of 0.001 the third is 3 / 1000, not 3 · 0.001.
    out : tuple of float64 (n_symbols,)
        Shares; account currency.
    """
    shares, entry_price = out
    for i in range(len(lots)):
        shares[i] = lots[i] * lot[0] / lot[1]
        entry_price[i] = basis[i] / (lots[i] * price_scale) if lots[i] != 0 else 0.0


@cache
def compile_settle(version: str) -> Callable[..., int]:
    """Compile the entry point of the portfolio, or load it from Numba's cache.

    Parameters
    ----------
    version : str
        `outcry.portfolio.kernels.version.kernels_version`: Numba looks only at the file of a cached function; as a
        closure variable, the version makes an edit of any kernel part of the key.
    """

    def settle(
        account: IntArray,
        lots: IntArray,
        basis: IntArray,
        fills: IntArray,
        order: IntArray,
        events: IntArray,
        close: FloatArray,
        price_scale: float,
        lot: tuple[float, float],
        out: tuple[FloatArray, FloatArray],
    ) -> int:
        """Settle, and mark at the closes; `out` receives the holdings, or is empty where they are not wanted."""
        len(version)
        code = settle_frames(account, lots, basis, fills, order, events)
        if code != FITS:
            return code
        if len(out[0]):
            write_holdings(lots, basis, price_scale, lot, out)
        return mark(account, lots, close, price_scale, lot[0] / lot[1])[0]

    return compile_entry_point(settle, _SIGNATURE)
