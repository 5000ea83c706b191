"""Pass, clip or refuse one order."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from math import floor, isfinite

from outcry.messages import OrderIntent, RiskEvent
from outcry.money import exact
from outcry.risk.exposure import Exposure
from outcry.risk.limit import ExposureLimit

LOT_TOLERANCE = 1e-9  # room for a whole number of lots but for rounding is room for that number


def admit(
    order: OrderIntent, index: int, exposure: Exposure, limits: Sequence[ExposureLimit], lot: Decimal
) -> tuple[OrderIntent | None, RiskEvent | None]:
    """Return the part of `order` that passes, added to `exposure`, and what was said of the rest.

    The part that closes what is held passes whatever the limits say. The rest, new risk, passes as far as the
    tightest limit leaves room, in whole lots at the last close; an order across zero is clipped to what passes.
    """
    sign = order.side.sign
    closing = min(order.quantity, exact(exposure.reducing(index, sign)))
    exposure.add(index, sign * float(closing))
    opening = order.quantity - closing
    if not opening:
        return order, None
    price = float(exposure.price[index])
    if not isfinite(price):
        unpriced = RiskEvent(order.seq, "unpriced", order.symbol, 0.0, 0.0, "refused")
        return (replace(order, quantity=closing) if closing else None), unpriced
    room, limit = min(((limit.room(exposure, index, sign), limit) for limit in limits), key=lambda pair: pair[0])
    passed = opening
    if room < float(opening) * price:
        passed = min(opening, floor(max(room, 0.0) / (price * float(lot)) + LOT_TOLERANCE) * lot)
    event: RiskEvent | None = None
    if passed < opening:
        value = limit.measure(exposure, index, sign, float(opening) * price)
        action = f"clipped to {closing + passed} of {order.quantity}" if closing + passed else "refused"
        event = RiskEvent(order.seq, limit.name, order.symbol, value, float(limit.threshold(exposure, index)), action)
    exposure.add(index, sign * float(passed))
    quantity = closing + passed
    return (replace(order, quantity=quantity) if quantity else None), event
