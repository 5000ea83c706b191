"""A position as it is told to others, in shares and account currency."""

from dataclasses import dataclass
from decimal import Decimal

from outcry.messages import ZERO


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
