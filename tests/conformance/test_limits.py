"""Every exposure limit of the risk package, found automatically, held to the same checks."""

import importlib
import inspect
import pkgutil
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import outcry.risk
from outcry.messages import Book
from outcry.risk.drawdown_ladder import DrawdownCap
from outcry.risk.exposure import Exposure
from outcry.risk.gross_exposure_limit import GrossExposureLimit
from outcry.risk.limit import ExposureLimit
from outcry.risk.net_exposure_limit import NetExposureLimit
from outcry.risk.no_new_risk import NoNewRisk
from outcry.risk.position_count_limit import PositionCountLimit
from outcry.risk.position_limit import PositionLimit
from outcry.risk.sector_limit import SectorLimit

SECTOR = np.array([0, 0, 1], dtype=np.int64)
EXAMPLES = {
    PositionLimit: PositionLimit(0.1),
    GrossExposureLimit: GrossExposureLimit(0.5),
    NetExposureLimit: NetExposureLimit(0.3),
    PositionCountLimit: PositionCountLimit(2),
    SectorLimit: SectorLimit(0.25, {"Tech": 0.15}, ("Energy", "Tech")),
    DrawdownCap: DrawdownCap(0.5, np.array([0.1, np.nan, -0.05]), 0.1),
    NoNewRisk: NoNewRisk("halt", 1.0, 0.0),
}


def find_limits():
    """Return every class of the package that answers what a limit answers."""
    found = set()
    for module in pkgutil.iter_modules(outcry.risk.__path__, "outcry.risk."):
        for _, member in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if {"room", "measure", "threshold"} <= set(vars(member)) and member is not ExposureLimit:
                found.add(member)
    return sorted(found, key=lambda cls: cls.__name__)


LIMITS = find_limits()
SHARES = st.lists(st.integers(-200, 200), min_size=3, max_size=3)
each_limit = pytest.mark.parametrize("cls", LIMITS, ids=lambda cls: cls.__name__)


def build_exposure(shares):
    held, price, zero = np.array(shares, float), np.array([100.0, 50.0, 10.0]), Decimal(0)
    equity = Decimal(100_000)
    flat, fresh = np.zeros(3), np.zeros(3, dtype=bool)
    book = Book(0, 1, equity, equity, zero, zero, zero, held, flat, price, price, fresh)
    return Exposure(book, flat, SECTOR, 2)


def test_every_limit_has_an_example_here():
    assert set(LIMITS) == set(EXAMPLES)


@each_limit
def test_it_is_documented_and_named(cls):
    assert cls.__doc__
    assert EXAMPLES[cls].name


@each_limit
@given(shares=SHARES, index=st.integers(0, 2), sign=st.sampled_from([-1, 1]))
def test_its_room_ends_where_its_measure_reaches_the_threshold(cls, shares, index, sign):
    limit, exposure = EXAMPLES[cls], build_exposure(shares)
    room = limit.room(exposure, index, sign)
    threshold = limit.threshold(exposure, index)
    if 0 < room < np.inf:
        assert limit.measure(exposure, index, sign, room) <= threshold * (1 + 1e-12)  # sums of rounded products
    if room < np.inf:
        assert limit.measure(exposure, index, sign, max(room, 0) * 1.01 + 1) > threshold


@each_limit
@given(shares=SHARES, index=st.integers(0, 2), sign=st.sampled_from([-1, 1]), traded=st.integers(1, 50))
def test_its_room_does_not_grow_while_a_position_grows(cls, shares, index, sign, traded):
    limit, exposure = EXAMPLES[cls], build_exposure(shares)
    exposure.add(index, sign * (2 * abs(shares[index]) + 1))  # a position on the side of `sign`
    before = limit.room(exposure, index, sign)
    exposure.add(index, sign * traded)
    assert limit.room(exposure, index, sign) <= before


@each_limit
@given(shares=SHARES, trades=st.lists(st.tuples(st.integers(0, 2), st.integers(-100, 100)), max_size=5))
def test_it_sees_an_exposure_kept_up_as_it_sees_one_built_anew(cls, shares, trades):
    exposure, end = build_exposure(shares), list(shares)
    for index, traded in trades:
        exposure.add(index, traded)
        end[index] += traded
    anew = build_exposure(end)
    for index, sign in [(i, s) for i in range(3) for s in (-1, 1)]:
        kept_up = EXAMPLES[cls].room(exposure, index, sign)
        assert kept_up == pytest.approx(EXAMPLES[cls].room(anew, index, sign), abs=1e-6)  # a sum in another order
