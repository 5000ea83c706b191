"""Cash and holdings at the broker, and what they can pay for."""

from collections.abc import Callable
from decimal import Decimal

from outcry.market.frame import FloatArray
from outcry.messages import Side
from outcry.money import exact

ZERO = Decimal(0)


class Account:
    """Hold cash and shares, and say how much of a trade they cover.

    Parameters
    ----------
    cash : Decimal
        Account currency.
    allow_short : bool
        Holdings may become negative.
    max_leverage : float
        Largest gross exposure as a multiple of equity.

    Notes
    -----
    The rule: a trade that opens or enlarges a position needs, after it and after its costs,

        Σ |shares · mark| ≤ max_leverage · (cash + Σ shares · mark)

    For a long-only account with ``max_leverage`` 1 that says cash may not become negative. A short is collateralised
    in full: its value counts like that of a long position, and its proceeds cannot be spent again. A trade that
    reduces a position towards zero is always covered.
    """

    def __init__(self, cash: Decimal, *, allow_short: bool, max_leverage: float) -> None:
        self.cash = cash
        self._allow_short = allow_short
        self._max_leverage = exact(max_leverage)
        self._holdings: dict[int, Decimal] = {}
        self._equity = cash
        self._gross = ZERO

    def holding(self, index: int) -> Decimal:
        """Return the signed shares held of the symbol at `index`."""
        return self._holdings.get(index, ZERO)

    def mark(self, prices: FloatArray) -> None:
        """Value the holdings at `prices`, float64 (n_symbols,): the basis of every cover check until the next mark."""
        values = [shares * exact(prices[index]) for index, shares in self._holdings.items()]
        self._equity = self.cash + sum(values)
        self._gross = sum((abs(value) for value in values), ZERO)

    def covered(
        self,
        index: int,
        side: Side,
        quantity: Decimal,
        lot: Decimal,
        cost: Callable[[Decimal], tuple[Decimal, Decimal]],
    ) -> Decimal:
        """Return the largest part of `quantity`, in whole lots, that the account covers.

        Parameters
        ----------
        index : int
            Of the symbol.
        side : Side
        quantity : Decimal
            Shares, unsigned.
        lot : Decimal
            Smallest step of the result.
        cost : callable
            From an unsigned quantity to what the trade takes from equity and its mark, both account currency.
        """
        held = self.holding(index)
        reducing = min(quantity, max(ZERO, -side.sign * held))
        if reducing == quantity:
            return quantity
        if side is Side.SELL and not self._allow_short:
            return reducing

        def is_covered(traded: Decimal) -> bool:
            taken, mark = cost(traded)
            gross = self._gross + (abs(held + side.sign * traded) - abs(held)) * mark
            return gross <= self._max_leverage * (self._equity - taken)

        if is_covered(quantity):
            return quantity
        low, high = 0, int((quantity - reducing) // lot)  # `low` lots are covered, `high` are not
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if is_covered(reducing + middle * lot) else (low, middle)
        return reducing + low * lot

    def trade(self, index: int, shares: Decimal, price: Decimal, commission: Decimal, mark: Decimal) -> None:
        """Book a trade of signed `shares`; `mark` is the price the holding is valued at until the next `mark`."""
        held = self.holding(index)
        after = held + shares
        self.cash -= shares * price + commission
        self._equity -= shares * (price - mark) + commission
        self._gross += (abs(after) - abs(held)) * mark
        if after:
            self._holdings[index] = after
        else:
            self._holdings.pop(index, None)
