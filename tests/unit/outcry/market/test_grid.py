from decimal import Decimal

import numba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError
from outcry.market.grid import FINEST_PER_CURRENCY, LARGEST_UNITS, Grid
from outcry.market.grid_kernels import round_against, round_down, round_up, to_currency, to_price_units
from outcry.messages import Side


def exact(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def round_price(price: Decimal, tick: Decimal, side: Side) -> Decimal:
    """Round to the tick in decimals, against the trader, to one tick at least."""
    ticks, rest = divmod(price, tick)
    return max(ticks + (1 if side is Side.BUY and rest else 0), Decimal(1)) * tick


@numba.njit
def as_currency(units, scale):
    return to_currency(units, scale)


@numba.njit
def against(price, price_scale, sub_ticks, sign):
    return round_against(to_price_units(price, price_scale), sub_ticks, sign)


@numba.njit
def up_and_down(value, step):
    return round_up(value, step), round_down(value, step)


STEPS = st.sampled_from(["0.01", "0.0001", "0.25", "0.05", "1", "5"]).map(Decimal)
LOTS = st.sampled_from(["1", "100", "0.001", "0.000001", "0.00000001"]).map(Decimal)


@given(STEPS, LOTS, st.integers(1, 10**9), st.integers(1, 10**6))
def test_what_lies_on_the_grid_comes_back_as_it_went(tick, lot, n_ticks, n_lots):
    grid = Grid(tick, lot)
    price, quantity = n_ticks * tick, n_lots * lot
    assert grid.price(grid.price_units(price)) == price
    assert grid.quantity(grid.lots(quantity)) == quantity
    assert grid.money(grid.price_units(price) * grid.lots(quantity)) == price * quantity


@given(STEPS, LOTS)
def test_a_hundred_million_fits_wherever_a_unit_is_not_the_smallest_step_itself(tick, lot):
    grid = Grid(tick, lot)
    assert grid.sub_ticks == 1 or grid.money_scale <= FINEST_PER_CURRENCY
    assert 10**8 * min(grid.money_scale, FINEST_PER_CURRENCY) < LARGEST_UNITS


def test_a_tick_that_leaves_a_rest_of_the_currency_is_refused():
    with pytest.raises(ConfigurationError, match=r"tick must divide one unit of currency .*, was 0\.03"):
        Grid(Decimal("0.03"), Decimal(1))


@given(st.integers(-(2**53), 2**53), st.sampled_from(["1", "0.001"]))
def test_money_as_a_float_is_the_float_of_the_decimal(units, lot):
    grid = Grid(Decimal("0.01"), Decimal(lot))
    assert as_currency(units, grid.money_scale) == float(grid.money(units))


@given(st.integers(1, 10**12), st.sampled_from([1, -1]))
def test_prices_round_against_the_trader_as_decimals_do(micros, sign):
    grid = Grid(Decimal("0.01"), Decimal(1))
    price = micros / 1e6
    found = against(price, grid.price_scale, grid.sub_ticks, sign)
    assert grid.price(found) == round_price(exact(price), grid.tick, Side.BUY if sign > 0 else Side.SELL)


@given(st.integers(0, 10**9), st.sampled_from([1, 100, 10_000]))
def test_a_whole_number_of_steps_stays_what_it_is(n, step):
    assert up_and_down(float(n * step), step) == (n * step, n * step)
