"""From floating point to exact money, and onto the grid of tick and lot."""

from decimal import Context, Decimal

from outcry.messages import Side

# 60 digits hold a price of 17 digits times a quantity of 20, summed over any universe, without rounding.
EXACT = Context(prec=60)


def exact(value: float) -> Decimal:
    """Return the shortest decimal that reads back as `value`: 0.1 becomes ``Decimal("0.1")``."""
    return Decimal(repr(float(value)))


def round_price(price: Decimal, tick: Decimal, side: Side) -> Decimal:
    """Round a positive price to a tick against the trader: a buyer pays more, a seller gets less.

    The result is at least one tick.

    Examples
    --------
    >>> round_price(Decimal("10.001"), Decimal("0.01"), Side.BUY)
    Decimal('10.01')
    >>> round_price(Decimal("10.009"), Decimal("0.01"), Side.SELL)
    Decimal('10.00')
    """
    ticks, rest = divmod(price, tick)
    if side is Side.BUY and rest:
        ticks += 1
    return max(ticks, Decimal(1)) * tick


def round_quantity(quantity: Decimal, lot: Decimal) -> Decimal:
    """Round a quantity towards zero to a whole number of lots.

    Examples
    --------
    >>> round_quantity(Decimal("10.7"), Decimal("1"))
    Decimal('10')
    """
    return quantity // lot * lot
