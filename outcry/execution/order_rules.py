"""What a broker checks before it accepts an order."""

from decimal import Decimal

from outcry.market.universe import Universe
from outcry.messages import OrderIntent, OrderType, TimeInForce

SMALLEST_TRAIL_FRAC = Decimal("0.000001")
MOST_STEPS = Decimal(2**53)
"""An order has fewer lots, and its prices fewer price units: as floats they are exact."""

_PRICES: dict[OrderType, tuple[str, ...]] = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("limit_price", "stop_price"),
    OrderType.TRAILING_STOP: ("trail_price",),
}
_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG, TimeInForce.CLS)


def check_order(order: OrderIntent, universe: Universe) -> str:
    """Return why `order` cannot be accepted, name, value and rule; an empty text where it can.

    Each type takes its prices and no others; a trailing stop takes either of two distances. What is to trade at one
    moment (IOC, FOK, OPG, CLS) cannot wait for a stop. Prices lie on the tick, the quantity on the lot.
    """
    if order.symbol not in universe.symbols:
        return f"symbol must be in the universe, was {order.symbol}"
    off_grid = _check_step("quantity", order.quantity, universe.lot, universe.lot)
    if off_grid:
        return off_grid
    if order.time_in_force in _AT_ONCE and order.order_type not in (OrderType.MARKET, OrderType.LIMIT):
        return f"time_in_force must be day or gtc for a {order.order_type} order, was {order.time_in_force}"
    return _check_prices(order, universe) or _check_links(order)


def _check_prices(order: OrderIntent, universe: Universe) -> str:
    wanted = _PRICES[order.order_type]
    if order.trail_frac is not None:
        if order.order_type is not OrderType.TRAILING_STOP:
            return f"trail_frac must be absent for a {order.order_type} order, was {order.trail_frac}"
        if not order.trail_frac.is_finite() or not 0 < order.trail_frac < 1 or order.trail_frac % SMALLEST_TRAIL_FRAC:
            return f"trail_frac must be a positive multiple of {SMALLEST_TRAIL_FRAC} below 1, was {order.trail_frac}"
        wanted = ()
    for name in ("limit_price", "stop_price", "trail_price"):
        price = getattr(order, name)
        if (name in wanted) != (price is not None):
            rule = "be given" if name in wanted else "be absent"
            return f"{name} must {rule} for a {order.order_type} order, was {price}"
        off_grid = "" if price is None else _check_step(name, price, universe.tick, universe.grid.price_unit)
        if off_grid:
            return off_grid
    return ""


def _check_step(name: str, value: Decimal, step: Decimal, unit: Decimal) -> str:
    if not value.is_finite() or value >= MOST_STEPS * unit:
        return f"{name} must be below {MOST_STEPS * unit}, was {value}"
    return f"{name} must be a positive multiple of {step}, was {value}" if value <= 0 or value % step else ""


def _check_links(order: OrderIntent) -> str:
    if order.parent_id == order.client_order_id:
        return f"parent_id must name another order, was that of the order itself, {order.parent_id}"
    if order.parent_id and order.time_in_force is not TimeInForce.GTC:
        return f"time_in_force must be gtc for a leg, which lives with its position, was {order.time_in_force}"
    return ""
