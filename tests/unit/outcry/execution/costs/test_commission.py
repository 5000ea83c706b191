from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

import numba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.execution.config import BrokerConfig
from outcry.execution.costs.commission import commission
from outcry.execution.kernels.model import assumed_market, commission_tiers
from outcry.market.grid import Grid

GRID = Grid(Decimal("0.01"), Decimal(1))
TIERS = ((100.0, 0.004), (250.0, 0.0015))
CENT = Decimal("0.01")


@numba.njit
def _commission(market, tiers, month_lots, lots, price):
    return commission(market, tiers, month_lots, lots, price)


def pay(quantity, price="10.00", *, traded=0, grid=GRID, **costs):
    """Return the commission of a fill, account currency; `traded` shares were traded earlier in the month."""
    config = BrokerConfig(**{"commission_per_share": 0.0, "min_commission": 0.0} | costs)
    money = _commission(
        assumed_market(config, grid), commission_tiers(config), grid.lots(Decimal(traded)),
        grid.lots(Decimal(quantity)), grid.price_units(Decimal(price)),
    )  # fmt: skip
    return grid.money(money)


@pytest.mark.parametrize(
    ("quantity", "costs", "commission"),
    [
        (100, {}, "0"),
        (1000, {"commission_per_share": 0.005}, "5"),
        (333, {"commission_per_share": 0.005}, "1.67"),  # 1.665
        (1, {"commission_per_share": 0.0001}, "0.01"),
        (400, {"commission_per_share": 0.01}, "4"),  # whole cents stay
        (300, {"commission_bps": 3.0}, "0.90"),
        (300, {"commission_bps": 3.01}, "0.91"),  # 0.903
        (300, {"commission_bps": 3.0, "commission_per_share": 0.005}, "2.40"),
        (100, {"commission_per_share": 0.005, "min_commission": 1.0}, "1"),
        (201, {"commission_per_share": 0.005, "min_commission": 1.0}, "1.01"),  # 1.005
        (1, {"min_commission": 0.355}, "0.36"),
    ],
)
def test_commission_is_by_share_and_by_notional_at_least_the_minimum_up_to_a_cent(quantity, costs, commission):
    assert pay(quantity, **costs) == Decimal(commission)


@pytest.mark.parametrize(
    ("traded", "quantity", "commission"),
    [
        (0, 100, "1.00"),
        (99, 1, "0.01"),
        (100, 100, "0.40"),
        (0, 200, "1.40"),  # 100 · 0.010 + 100 · 0.004
        (50, 300, "1.25"),  # 50 · 0.010 + 150 · 0.004 + 100 · 0.0015
        (250, 1000, "1.50"),
    ],
)
def test_a_fill_across_a_tier_pays_each_part_its_own(traded, quantity, commission):
    assert pay(quantity, traded=traded, commission_per_share=0.01, commission_tiers=TIERS) == Decimal(commission)


@given(
    st.integers(0, 400),
    st.integers(1, 300),
    st.integers(1, 50_000).map(lambda cents: cents * CENT),
    st.sampled_from(["0", "0.5", "3"]),
    st.sampled_from(["0", "0.35", "1"]),
    st.sampled_from([(), TIERS]),
)
def test_commission_is_that_of_its_shares_one_by_one(traded, quantity, price, bps, least, tiers):
    starts = [(0.0, 0.007), *tiers]
    linear = Decimal(bps) / 10_000 * price * quantity
    for share in range(traded, traded + quantity):
        linear += Decimal(str(next(cost for start, cost in reversed(starts) if share >= start)))
    expected = (max(linear, Decimal(least)) / CENT).to_integral_value(ROUND_CEILING) * CENT
    costs = {"commission_bps": float(bps), "min_commission": float(least), "commission_tiers": tiers}
    assert pay(quantity, str(price), traded=traded, commission_per_share=0.007, **costs) == expected


def test_parts_of_a_share_pay_their_part():
    grid = Grid(Decimal("0.01"), Decimal("0.001"))
    assert pay("0.5", grid=grid, commission_per_share=0.10) == Decimal("0.05")
    costs = {"commission_per_share": 0.10, "commission_tiers": ((1.0, 0.02),)}
    assert pay("1.5", traded="0.5", grid=grid, **costs) == Decimal("0.07")  # half a share at 0.10, one at 0.02


async def test_what_was_traded_in_a_month_counts_for_its_tiers_and_no_longer_in_the_next(build_desk):
    desk = build_desk(commission_per_share=0.01, commission_tiers=TIERS)
    day_ns = 24 * 3600 * 10**9
    last_of_january, february = 31 * day_ns - 1, 31 * day_ns  # of 1970

    async def trade(ts_close_ns, *quantities):
        await desk.submit(*(desk.order(f"{desk.seq} {n}", q) for n, q in enumerate(quantities)))
        frame = replace(desk.frame(desk.seq + 1, 10), ts_close_ns=ts_close_ns)
        return [fill.commission for fill in await desk.take(frame)]

    await desk.bar(10)
    assert await trade(day_ns, 60, 60) == [Decimal("0.60"), Decimal("0.48")]  # 40 · 0.010 + 20 · 0.004
    assert await trade(last_of_january, -100) == [Decimal("0.40")]  # sales count too
    assert await trade(february, 60) == [Decimal("0.60")]
    assert await trade(february + 1, 60) == [Decimal("0.48")]


async def test_an_order_filled_in_parts_pays_the_minimum_with_each(build_desk):
    desk = build_desk(min_commission=1.0)
    await desk.bar(10)
    await desk.submit(desk.order("a", 100))
    for _ in range(2):
        await desk.bar(10, volume=500)
    assert [fill.commission for fill in desk.all_fills] == [1, 1]
