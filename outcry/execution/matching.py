"""At what price an order trades in a bar, if it does: a pure function of both."""

from dataclasses import dataclass
from decimal import Decimal

from outcry.market.frame import Frame
from outcry.messages import OrderIntent, OrderType, Side
from outcry.money import exact, round_quantity


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Open, high and low of a bar."""

    open: Decimal
    high: Decimal
    low: Decimal


class FrameBars:
    """The bars of one frame as decimals, converted where an order asks, and what of their volume is still free.

    Parameters
    ----------
    frame : Frame
    volume_frac : Decimal
        Largest part of the volume of a bar that all orders of its symbol may take together.
    lot : Decimal
        Smallest quantity step.
    """

    def __init__(self, frame: Frame, volume_frac: Decimal, lot: Decimal) -> None:
        self._frame = frame
        self._volume_frac = volume_frac
        self._lot = lot
        self._free: dict[int, Decimal] = {}
        self._prices: dict[int, PriceRange] = {}

    def tradable(self, index: int) -> Decimal:
        """Return the shares of the symbol at `index` that may still trade; 0 without a bar or without volume."""
        if not self._frame.present[index]:
            return Decimal(0)
        if index not in self._free:
            self._free[index] = round_quantity(exact(self._frame.volume[index]) * self._volume_frac, self._lot)
        return self._free[index]

    def take(self, index: int, quantity: Decimal) -> None:
        """Use up `quantity` shares of what may trade."""
        self._free[index] -= quantity

    def prices(self, index: int) -> PriceRange:
        """Return the prices of the symbol at `index`, which must have a bar."""
        if index not in self._prices:
            frame = self._frame
            self._prices[index] = PriceRange(*(exact(column[index]) for column in (frame.open, frame.high, frame.low)))
        return self._prices[index]


def match_price(order: OrderIntent, bar: PriceRange, *, is_triggered: bool = False) -> Decimal | None:
    """Return the price before slippage at which `order` trades in `bar`; None where it does not.

    Parameters
    ----------
    order : OrderIntent
        Made before the bar.
    bar : PriceRange
    is_triggered : bool
        The order is a stop that has traded in part before: it has become a market order.

    Notes
    -----
    - market: the open.
    - limit: the open where it is at the limit or better (a gap improves the price), else the limit where the bar
      trades *through* it; a touch is not enough, since others queue at the same price.
    - stop: the stop price where the bar touches it, or the open where the bar opens beyond it (gap risk).

    What this ignores: the path inside the bar. Where a bar touches a limit and a stop, both trade.
    """
    if order.order_type is OrderType.MARKET or is_triggered:
        return bar.open
    is_buy = order.side is Side.BUY
    if order.order_type is OrderType.LIMIT:
        limit = _price(order.limit_price)
        is_through = bar.low < limit if is_buy else bar.high > limit
        better = min(bar.open, limit) if is_buy else max(bar.open, limit)
        return better if is_through or better == bar.open else None
    stop = _price(order.stop_price)
    if is_buy:
        return max(bar.open, stop) if bar.high >= stop else None
    return min(bar.open, stop) if bar.low <= stop else None


def _price(price: Decimal | None) -> Decimal:
    assert price is not None  # noqa: S101 - `check_order` refuses the order without it
    return price
