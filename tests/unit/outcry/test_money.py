from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from outcry.messages import Side
from outcry.money import exact, round_price, round_quantity

STEP = st.sampled_from([Decimal("0.01"), Decimal("0.0001"), Decimal("0.25"), Decimal("1")])
AMOUNT = st.floats(0.01, 1e6)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_an_exact_decimal_reads_back_as_the_same_float(value):
    assert float(exact(value)) == value


@given(AMOUNT, STEP, st.sampled_from(Side))
def test_a_price_is_rounded_to_the_tick_against_the_trader_by_less_than_a_tick(price, tick, side):
    rounded = round_price(exact(price), tick, side)
    assert Fraction(rounded) % Fraction(tick) == 0
    assert rounded >= tick
    if exact(price) >= tick:
        assert 0 <= side.sign * (rounded - exact(price)) < tick


@given(AMOUNT, STEP)
def test_a_quantity_is_rounded_down_to_whole_lots(quantity, lot):
    rounded = round_quantity(exact(quantity), lot)
    assert Fraction(rounded) % Fraction(lot) == 0
    assert 0 <= exact(quantity) - rounded < lot
