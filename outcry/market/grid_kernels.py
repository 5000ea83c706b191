"""Between floating point and the grid of `outcry.market.grid.Grid`.

Prices, quantities and money are int64: price units, lots, money units. Values and costs are worked out in float64 and
put onto the grid once; what is a whole number but for the rounding of a float counts as whole.
"""

import math

from outcry.compiled import inlined_kernel

WHOLE = 1e-6
"""Part of a step by which a float may miss a whole number of steps and still mean it: prices have 15 digits, of which a
step is the 7th or later."""
EXACT_FLOAT = 2**53


@inlined_kernel
def to_price_units(price: float, price_scale: float) -> int:
    """Return a price in the nearest number of price units, half to even."""
    return int(round(price * price_scale))  # noqa: RUF046 - Numba's round gives a float


@inlined_kernel
def to_currency(units: int, money_scale: float) -> float:
    """Return money units in account currency, to the nearest float where there are at most 2⁵³ of them.

    More are divided in two steps; the result is then within one unit in the last place.
    """
    if -EXACT_FLOAT <= units <= EXACT_FLOAT:
        return units / money_scale
    whole = units // int(money_scale)
    return whole + (units - whole * int(money_scale)) / money_scale


@inlined_kernel
def round_up(value: float, step: int) -> int:
    """Return the smallest multiple of `step` that is not below `value`."""
    return math.ceil(value / step - WHOLE) * step


@inlined_kernel
def round_down(value: float, step: int) -> int:
    """Return the largest multiple of `step` that is not above `value`."""
    return math.floor(value / step + WHOLE) * step


@inlined_kernel
def round_against(price: float, sub_ticks: int, sign: int) -> int:
    """Return a price in price units on the tick, against the trader: a buyer pays more, a seller gets less; ≥ 1 tick.

    Parameters
    ----------
    price : float
        Price units.
    sub_ticks : int
        Price units in a tick.
    sign : int
        1 for a buyer, -1 for a seller.
    """
    on_tick = round_up(price, sub_ticks) if sign > 0 else round_down(price, sub_ticks)
    return max(on_tick, sub_ticks)
