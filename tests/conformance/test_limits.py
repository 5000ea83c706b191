"""Every limit of the risk gate, found in the table of limits, held to the same checks."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.market.universe import Universe
from outcry.risk.arrays import build_rules, build_scratch
from outcry.risk.config import RiskConfig
from outcry.risk.kernels import exposure as exposures
from outcry.risk.kernels import limits
from outcry.risk.kernels.layout import (
    KILL_SWITCH,
    LIMIT_NAMES,
    T_BLOCK_THRESHOLD,
    T_BLOCK_VALUE,
    T_EQUITY,
    T_EXPOSURE_FRAC,
    UNPRICED,
)

UNIVERSE = Universe(("AAA", "BBB", "CCC"), ("Energy", "Energy", "Tech"))
CONFIG = RiskConfig(
    max_gross_frac=0.5, max_net_frac=0.3, max_positions=2, max_sector_frac=0.25, sector_fracs={"Tech": 0.15}
)
RULES = build_rules(CONFIG, UNIVERSE)
PRICE = np.array([100.0, 50.0, 10.0])
TARGET = np.array([0.1, np.nan, -0.05])

LIMITS = range(UNPRICED)
LOTS = st.lists(st.integers(-200, 200), min_size=3, max_size=3)
each_limit = pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: LIMIT_NAMES[limit])


@numba.njit
def room(limit, i, sign, rules, book, exposure):
    return limits.room(limit, i, sign, rules, book, exposure)


@numba.njit
def measure(limit, i, signed, rules, book, exposure):
    return limits.measure(limit, i, signed, rules, book, exposure)


@numba.njit
def threshold(limit, i, rules, book, exposure):
    return limits.threshold(limit, i, rules, book, exposure)


@numba.njit
def sum_exposure(book, rules, exposure):
    exposures.sum_exposure(book, True, 1.0, rules[2], exposure)


@numba.njit
def add_lots(i, signed, rules, book, exposure):
    exposures.add_lots(i, signed, 1.0, book[2][i], rules[2][i], exposure)


def build(lots):
    """Return the book that holds `lots`, and its exposure; half of exposure is allowed, and a block is in force."""
    book = (np.array(lots, dtype=np.int64), np.zeros(3, dtype=np.int64), PRICE, TARGET)
    exposure = build_scratch(3, 2, 0)[:-1]
    totals = exposure[0]
    totals[T_EQUITY], totals[T_EXPOSURE_FRAC] = 100_000, 0.5
    totals[T_BLOCK_VALUE], totals[T_BLOCK_THRESHOLD] = 1.0, 0.0
    sum_exposure(book, RULES, exposure)
    return book, exposure


def test_every_limit_has_a_name_of_its_own():
    assert len(set(LIMIT_NAMES)) == len(LIMIT_NAMES) == UNPRICED + 1


@each_limit
def test_it_leaves_room_in_an_empty_book_if_any_at_all(limit):
    assert (room(limit, 0, 1, RULES, *build([0, 0, 0])) > 0) == (limit < KILL_SWITCH)


@each_limit
@given(lots=LOTS, i=st.integers(0, 2), sign=st.sampled_from([-1, 1]))
def test_its_room_ends_where_its_measure_reaches_the_threshold(limit, lots, i, sign):
    book, exposure = build(lots)
    left = room(limit, i, sign, RULES, book, exposure)
    largest = threshold(limit, i, RULES, book, exposure)
    if 0 < left < np.inf:
        # sums of rounded products
        assert measure(limit, i, sign * left, RULES, book, exposure) <= largest * (1 + 1e-12)
    if left < np.inf:
        assert measure(limit, i, sign * (max(left, 0) * 1.01 + 1), RULES, book, exposure) > largest


@each_limit
@given(lots=LOTS, i=st.integers(0, 2), sign=st.sampled_from([-1, 1]), traded=st.integers(1, 50))
def test_its_room_does_not_grow_while_a_position_grows(limit, lots, i, sign, traded):
    book, exposure = build(lots)
    add_lots(i, sign * (2 * abs(lots[i]) + 1), RULES, book, exposure)  # a position on the side of `sign`
    before = room(limit, i, sign, RULES, book, exposure)
    add_lots(i, sign * traded, RULES, book, exposure)
    assert room(limit, i, sign, RULES, book, exposure) <= before


@each_limit
@given(lots=LOTS, trades=st.lists(st.tuples(st.integers(0, 2), st.integers(-100, 100)), max_size=5))
def test_it_sees_an_exposure_kept_up_as_it_sees_one_built_anew(limit, lots, trades):
    book, exposure = build(lots)
    end = list(lots)
    for i, traded in trades:
        add_lots(i, traded, RULES, book, exposure)
        end[i] += traded
    anew = build(end)
    for i, sign in [(i, s) for i in range(3) for s in (-1, 1)]:
        kept_up = room(limit, i, sign, RULES, book, exposure)
        assert kept_up == pytest.approx(room(limit, i, sign, RULES, *anew), abs=1e-6)  # a sum in another order
