"""The whole numbers that prices, quantities and money are counted in."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache, cached_property

from outcry.errors import ConfigurationError

SUBDIVISIONS = (10_000, 100, 1)
FINEST_PER_CURRENCY = 10**10
LARGEST_UNITS = 2**62


@dataclass(frozen=True)
class Grid:
    """Count prices in *price units*, quantities in lots, and money in *money units*, a price unit times a lot.

    A price unit is a part of a tick: orders and fills lie on the tick, but the close that a position is valued at may
    not, where it was adjusted for a dividend. In whole numbers cash, fills and equity are exact, and as fast as the
    machine; the ledger holds the same numbers as decimals.

    Parameters
    ----------
    tick : Decimal
        Smallest price step of an order, account currency.
    lot : Decimal
        Smallest quantity step, shares.

    Attributes
    ----------
    sub_ticks : int
        Price units in a tick: 10,000; fewer where lots are so small that a billion would not fit.
    price_scale, money_scale : float
        Price units, and money units, in one unit of account currency; whole numbers.

    Raises
    ------
    ConfigurationError
        Where one unit of account currency is no whole number of money units, as with a tick of 0.03.
    """

    tick: Decimal
    lot: Decimal

    def __post_init__(self) -> None:
        exact_scale = 1 / (self.price_unit * self.lot)
        if exact_scale != int(exact_scale) or int(1 / self.price_unit) * self.price_unit != 1:
            raise ConfigurationError(
                f"tick must divide one unit of currency into whole steps, with the lot, was {self.tick} and {self.lot}"
            )

    @cached_property
    def sub_ticks(self) -> int:
        for parts in SUBDIVISIONS:
            if parts <= FINEST_PER_CURRENCY * self.tick * self.lot:
                return parts
        return SUBDIVISIONS[-1]

    @cached_property
    def price_unit(self) -> Decimal:
        """Account currency."""
        return self.tick / self.sub_ticks

    @cached_property
    def money_unit(self) -> Decimal:
        """Account currency."""
        return self.price_unit * self.lot

    @cached_property
    def price_scale(self) -> float:
        return float(1 / self.price_unit)

    @cached_property
    def money_scale(self) -> float:
        return float(1 / self.money_unit)

    @cached_property
    def lot_shares(self) -> float:
        """Shares in a lot."""
        return float(self.lot)

    def price(self, units: int) -> Decimal:
        """Return a price in account currency."""
        return int(units) * self.price_unit

    def quantity(self, lots: int) -> Decimal:
        """Return a quantity in shares."""
        return int(lots) * self.lot

    def money(self, units: int) -> Decimal:
        """Return an amount in account currency."""
        return int(units) * self.money_unit

    def price_units(self, price: Decimal) -> int:
        """Return a price of the grid in price units."""
        return _whole(price / self.price_unit)

    def lots(self, quantity: Decimal) -> int:
        """Return a quantity of the grid in lots."""
        return _whole(quantity / self.lot)

    def money_units(self, amount: Decimal) -> int:
        """Return an amount of the grid in money units."""
        return _whole(amount / self.money_unit)


@cache
def grid_of(tick: Decimal, lot: Decimal) -> Grid:
    """Return the grid of these steps; it is made once."""
    return Grid(tick, lot)


def _whole(ratio: Decimal) -> int:
    """Return the whole number that a ratio is; what is off the grid goes to the nearest."""
    return int(ratio.to_integral_value(ROUND_HALF_EVEN))
