import pytest

BASE = {"slippage": "fixed", "slippage_bps": 5.0}


@pytest.mark.parametrize(("sign", "price"), [(1, "1000.50"), (-1, "999.50")], ids=["buy", "sell"])
def test_the_price_moves_by_the_fraction_against_the_trader(past, sign, price):
    assert str(past.price(60, sign=sign, **BASE)) == f"{price}0000"


def test_neither_size_nor_past_nor_the_most_matter(past, calm_past):
    price = past.price(60, 1, **BASE)
    assert past.price(60, 10**6, **BASE) == past.price(0, 1, **BASE) == calm_past.price(5, 1, **BASE) == price
    assert past.price(60, 1, max_slippage_bps=1.0, **BASE) == price


@pytest.mark.parametrize(("bps", "price"), [(0.0, "1000.00"), (0.05, "1000.01"), (0.1, "1000.01"), (0.11, "1000.02")])
def test_a_part_of_a_tick_costs_a_tick(past, bps, price):
    assert str(past.price(60, slippage_bps=bps)) == f"{price}0000"
