from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from outcry.execution.costs.fixed_slippage import FixedSlippage
from outcry.messages import Side

TICK = Decimal("0.01")


@given(st.decimals(1, 10_000, places=6), st.sampled_from(Side), st.integers(0, 500))
def test_the_price_moves_against_the_trader_by_the_fraction_and_less_than_a_tick_more(reference, side, bps):
    price = FixedSlippage(bps, TICK).price(reference, side)
    moved = side.sign * (Fraction(price) - Fraction(reference))
    assert price % TICK == 0
    assert 0 <= moved - Fraction(bps, 10_000) * Fraction(reference) < Fraction(TICK)


def test_a_basis_point_is_a_hundredth_of_a_percent():
    assert FixedSlippage(1.0, TICK).price(Decimal(100), Side.SELL) == Decimal("99.99")
