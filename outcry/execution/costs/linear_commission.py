"""Commission linear in shares and in notional, with a minimum."""

from decimal import ROUND_CEILING, Decimal

from outcry.money import exact

CENT = Decimal("0.01")
BASIS_POINT = Decimal("0.0001")


class LinearCommission:
    """Charge ``max(minimum, per_share · quantity + bps / 10⁴ · quantity · price)``, rounded up to a cent.

    Parameters
    ----------
    per_share : float
        Account currency a share, at least 0.
    bps : float
        Basis points of the notional, at least 0.
    minimum : float
        Account currency a fill, at least 0.

    Notes
    -----
    What this ignores: tiers by monthly volume, exchange and regulatory fees, rebates for resting orders, and that a
    broker takes the minimum once an order: an order filled in three frames pays it three times here.
    """

    def __init__(self, per_share: float, bps: float, minimum: float) -> None:
        self._per_share = exact(per_share)
        self._notional_frac = exact(bps) * BASIS_POINT
        self._minimum = exact(minimum)

    def charge(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return the commission of one fill, a positive cost."""
        linear = quantity * (self._per_share + self._notional_frac * price)
        return max(self._minimum, linear).quantize(CENT, ROUND_CEILING)
