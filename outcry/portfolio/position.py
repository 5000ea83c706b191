"""A position, its cost, and the profit a trade realises: exact to the last digit."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

ZERO = Decimal(0)
BASIS_STEP = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Position:
    """Signed shares and what was paid for them.

    Attributes
    ----------
    shares : Decimal
        Signed.
    basis : Decimal
        Signed account currency: the sum of shares · price of what is still open, slippage included, commission not.
    """

    shares: Decimal = ZERO
    basis: Decimal = ZERO

    @property
    def entry_price(self) -> float:
        """Average price paid a share; 0 where flat."""
        return float(self.basis / self.shares) if self.shares else 0.0

    def trade(self, shares: Decimal, price: Decimal) -> tuple["Position", Decimal]:
        """Return the position after a trade of signed `shares`, and the profit it realises at average cost.

        A trade that closes the part c of the position takes ``c / shares`` of the basis with it, rounded to
        `BASIS_STEP`; what is realised and what remains always add up: realised + value − basis is exact.
        """
        if self.shares * shares >= 0:
            return Position(self.shares + shares, self.basis + shares * price), ZERO
        closed = shares if abs(shares) <= abs(self.shares) else -self.shares
        left = self.shares + closed
        kept = (self.basis * left / self.shares).quantize(BASIS_STEP, ROUND_HALF_EVEN) if left else ZERO
        realized = -closed * price - (self.basis - kept)
        opened = shares - closed
        return Position(left + opened, kept + opened * price), realized
