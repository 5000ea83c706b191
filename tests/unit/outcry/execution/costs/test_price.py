from decimal import Decimal

import pytest

from outcry.execution.config import BrokerConfig

T = 60


def test_slippage_impact_and_what_the_order_moved_add_up(past, rounded, reference):
    model = {"slippage_bps": 7.0, "impact": "almgren_chriss", "impact_factor": 0.5, "window_bars": 20}
    impact = float(past.price(T, 20_000, **model | {"slippage_bps": 0.0})) / reference - 1
    assert impact > 0.0005
    for sign in (1, -1):
        without = past.price(T, 20_000, sign, **model)
        assert float(without) == pytest.approx(reference * (1 + sign * (0.0007 + impact)), abs=0.021)
        moved = past.price(T, 20_000, sign, moved=3_000_000, **model)
        assert float(sign * (moved - without)) == pytest.approx(0.003 * reference, abs=0.011)


def test_prices_round_against_the_trader_and_stay_at_a_tick_or_more(past):
    assert past.price(T, moved=1) == past.price(T, moved=9_000) == Decimal("1000.01")
    assert past.price(T, sign=-1, moved=1) == past.price(T, sign=-1, moved=9_000) == Decimal("999.99")
    assert past.price(T, sign=-1, moved=10**9) == Decimal("0.01")


@pytest.mark.parametrize("slippage", ["fixed", "volume", "volatility", "spread"])
@pytest.mark.parametrize("impact", ["none", "square_root", "almgren_chriss"])
@pytest.mark.parametrize("t", [0, 1, 2, 60])
def test_a_buyer_never_pays_less_nor_a_seller_gets_more_than_the_price(past, slippage, impact, t):
    for lots in (1, 100_000):
        model = {"slippage": slippage, "impact": impact, "slippage_bps": 2.0}
        assert past.price(t, lots, -1, **model) < 1000 < past.price(t, lots, 1, **model)


@pytest.mark.parametrize("slippage", ["fixed", "volume", "volatility", "spread"])
@pytest.mark.parametrize("impact", ["none", "square_root", "almgren_chriss"])
def test_an_optimist_pays_nothing_and_a_pessimist_three_times_as_much(past, rounded, reference, slippage, impact):
    model = {"slippage": slippage, "impact": impact, "slippage_bps": 20.0, "max_slippage_bps": 90.0}
    realistic = BrokerConfig(**model)
    exact = {
        word: past.price(T, 5_000, **dict(realistic.model_copy(update={"assumptions": word}).assumed()))
        for word in ("optimistic", "realistic", "pessimistic")
    }
    assert exact["optimistic"] == 1000
    frac = float(exact["realistic"]) / reference - 1
    if slippage != "spread":  # the spread is what it is: only its bounds move
        assert float(exact["pessimistic"]) == pytest.approx(reference * (1 + 3 * frac), abs=0.04)
    assert exact["pessimistic"] >= exact["realistic"] > 1000
