"""Cash and holdings at the broker, and what they can pay for.

Slots of the account, int64: `CASH`, `EQUITY` and `GROSS` (Σ |value|) in money units, the last two at the marks of the
bar; `MONTH` and `MONTH_LOTS`, the calendar month and what was traded in it.
"""

from outcry.compiled import inlined_kernel
from outcry.execution.costs.commission import commission
from outcry.execution.kernels.model import ALLOW_SHORT, MAX_LEVERAGE
from outcry.market.frame import FloatArray, IntArray
from outcry.market.grid import LARGEST_UNITS

CASH, EQUITY, GROSS, MONTH, MONTH_LOTS = range(5)
N_SLOTS = 5


@inlined_kernel
def mark_account(account: IntArray, lots: IntArray, marks: IntArray) -> None:
    """Value the holdings, lots int64 (n_symbols,), at `marks` in price units: the basis of every cover check."""
    equity, gross = account[CASH], 0
    for i in range(len(lots)):
        if lots[i]:
            value = lots[i] * marks[i]
            equity += value
            gross += abs(value)
    account[EQUITY], account[GROSS] = equity, gross


@inlined_kernel
def covered_lots(
    account: IntArray,
    held: int,
    sign: int,
    wanted: int,
    price: int,
    mark: int,
    market: FloatArray,
    tiers: FloatArray,
) -> int:
    """Return the largest part of `wanted` lots that the account covers.

    Parameters
    ----------
    account : int64 (N_SLOTS,)
    held : int
        Signed lots of the symbol.
    sign, wanted : int
        1 buys, -1 sells; lots, unsigned.
    price, mark : int
        Of the trade, and what the holding is valued at, price units.
    market : float64
    tiers : float64 (n_tiers, 2)

    Notes
    -----
    The rule: a trade that opens or enlarges a position needs, after it and after its costs,

        Σ |shares · mark| ≤ max_leverage · (cash + Σ shares · mark)

    For a long-only account with ``max_leverage`` 1 that says cash may not become negative. A short is collateralised
    in full: its value counts like that of a long position, and its proceeds cannot be spent again. A trade that
    reduces a position towards zero is always covered.
    """
    reducing = min(wanted, max(0, -sign * held))
    if reducing == wanted:
        return wanted
    if sign < 0 and not market[ALLOW_SHORT]:
        return reducing
    low, high = reducing, wanted  # `low` lots are covered; `high` are not, once they have been asked about
    middle = wanted
    while True:
        is_countable = float(middle) * float(max(price, mark)) < LARGEST_UNITS / 2
        gross = account[GROSS] + (abs(held + sign * middle) - abs(held)) * mark
        taken = sign * middle * (price - mark) + commission(market, tiers, account[MONTH_LOTS], middle, price)
        if is_countable and gross <= market[MAX_LEVERAGE] * (account[EQUITY] - taken):
            low = middle
        else:
            high = middle
        if high - low <= 1 or low == wanted:
            return low
        middle = (low + high) // 2


@inlined_kernel
def book_trade(
    account: IntArray, lots: IntArray, i: int, sign: int, traded: int, price: int, cost: int, mark: int
) -> None:
    """Book a trade: cash, holding, and the basis of later cover checks.

    Parameters
    ----------
    account, lots : int64 (N_SLOTS,), (n_symbols,)
    i, sign, traded : int
        Symbol, 1 or -1, lots.
    price, mark : int
        Price units.
    cost : int
        Commission, money units.
    """
    before = lots[i]
    lots[i] += sign * traded
    account[CASH] -= sign * traded * price + cost
    account[EQUITY] -= sign * traded * (price - mark) + cost
    account[GROSS] += (abs(lots[i]) - abs(before)) * mark
    account[MONTH_LOTS] += traded
