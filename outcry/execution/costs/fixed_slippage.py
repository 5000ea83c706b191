"""Slippage as a fixed fraction of the price."""

from decimal import Decimal

from outcry.messages import Side
from outcry.money import exact, round_price

BASIS_POINT = Decimal("0.0001")


class FixedSlippage:
    """Move the price against the trader by a fixed number of basis points, then to the next tick against the trader.

    ``price = reference · (1 ± slippage_bps / 10⁴)``; a buyer pays more, a seller gets less.

    Parameters
    ----------
    slippage_bps : float
        Basis points, at least 0.
    tick : Decimal
        Smallest price step.

    Notes
    -----
    What this ignores: the size of the order against the volume of the bar, the spread and how it widens at the open
    and in a volatile market, and that the price may end outside the range of the bar. The participation cap of the
    broker bounds the first of these.
    """

    def __init__(self, slippage_bps: float, tick: Decimal) -> None:
        self._frac = exact(slippage_bps) * BASIS_POINT
        self._tick = tick

    def price(self, reference: Decimal, side: Side) -> Decimal:
        """Return the price of a trade whose price without slippage is `reference`."""
        return round_price(reference * (1 + side.sign * self._frac), self._tick, side)
