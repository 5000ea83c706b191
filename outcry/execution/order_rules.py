"""What a broker checks before it accepts an order."""

from outcry.market.universe import Universe
from outcry.messages import OrderIntent, OrderType


def check_order(order: OrderIntent, universe: Universe) -> str:
    """Return why `order` cannot be accepted, name, value and rule; an empty text where it can.

    Every order type may be combined with either time in force. A limit needs a limit price, a stop a stop price, and
    neither takes the other; prices lie on the tick, the quantity on the lot.
    """
    if order.symbol not in universe.symbols:
        return f"symbol must be in the universe, was {order.symbol}"
    if order.quantity <= 0 or order.quantity % universe.lot:
        return f"quantity must be a positive multiple of {universe.lot}, was {order.quantity}"
    wanted = {"limit_price": order.order_type is OrderType.LIMIT, "stop_price": order.order_type is OrderType.STOP}
    for name, is_wanted in wanted.items():
        price = getattr(order, name)
        if is_wanted != (price is not None):
            return f"{name} must {'be given' if is_wanted else 'be absent'} for a {order.order_type} order, was {price}"
        if price is not None and (price <= 0 or price % universe.tick):
            return f"{name} must be a positive multiple of {universe.tick}, was {price}"
    return ""
