import math

import numpy as np
import pytest

T, WINDOW = 60, 20
MODEL = {"impact": "square_root", "impact_factor": 0.4, "window_bars": WINDOW}


def volatility(past):
    return math.sqrt(np.mean(np.diff(np.log(past.close[T - WINDOW - 1 : T])) ** 2))


@pytest.mark.parametrize("sign", [1, -1], ids=["buy", "sell"])
@pytest.mark.parametrize("lots", [1, 500, 40_000])
def test_impact_is_the_square_root_of_the_participation(past, rounded, reference, lots, sign):
    frac = 0.4 * volatility(past) * math.sqrt(lots / np.mean(past.volume[T - WINDOW : T]))
    assert past.price(T, lots, sign, **MODEL) == rounded(reference * (1 + sign * frac), sign)


def test_impact_comes_on_top_of_slippage_and_is_not_bound_by_its_most(past, rounded, reference):
    frac = 0.4 * volatility(past) * math.sqrt(40_000 / np.mean(past.volume[T - WINDOW : T]))
    model = MODEL | {"slippage": "volume", "slippage_bps": 1.0, "slippage_volume_bps": 900.0, "max_slippage_bps": 2.0}
    assert past.price(T, 40_000, **model) == rounded(reference * (1 + frac + 0.0002), 1)


def test_without_a_past_or_where_the_price_never_moved_there_is_none(past, calm_past):
    assert past.price(0, **MODEL) == past.price(1, **MODEL) == calm_past.price(T, **MODEL) == 1000


def test_the_windows_end_before_the_bar(past):
    assert past.spoiled_from(T).price(T, 40_000, **MODEL) == past.price(T, 40_000, **MODEL)
    assert past.spoiled_from(T - 1).price(T, 40_000, **MODEL) != past.price(T, 40_000, **MODEL)


def test_what_a_trade_moved_does_not_stay(past):
    assert past.moved(T, 40_000, **MODEL) == 0
