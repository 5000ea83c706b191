import numpy as np
import pytest

T, WINDOW = 60, 20
MODEL = {"slippage": "volume", "window_bars": WINDOW, "slippage_bps": 5.0, "slippage_volume_bps": 10.0}


@pytest.mark.parametrize("sign", [1, -1], ids=["buy", "sell"])
@pytest.mark.parametrize("lots", [1, 777, 50_000, 150_000])
def test_slippage_grows_with_the_part_of_the_average_volume(past, rounded, reference, lots, sign):
    mean = np.mean(past.volume[T - WINDOW : T])
    frac = (5 + 10 * lots / mean) / 1e4
    assert frac < 0.005
    assert past.price(T, lots, sign, **MODEL) == rounded(reference * (1 + sign * frac), sign)


def test_slippage_has_a_most(past, rounded, reference):
    assert past.price(T, 10**6, max_slippage_bps=30.0, **MODEL) == rounded(reference * 1.003, 1)


def test_without_a_past_the_most_is_paid(past, rounded, reference):
    assert past.price(0, 1, **MODEL) == rounded(reference * 1.005, 1)
    assert past.without(*range(T - WINDOW, T)).price(T, 1, **MODEL) == rounded(reference * 1.005, 1)


def test_the_average_ends_before_the_bar_and_begins_a_window_earlier(past):
    steep = MODEL | {"slippage_volume_bps": 900.0, "max_slippage_bps": 9_000.0}
    price = past.price(T, 50_000, **steep)
    assert past.spoiled_from(T).price(T, 50_000, **steep) == price
    assert past.without(*range(T - WINDOW)).price(T, 50_000, **steep) == price
    assert past.spoiled_from(T - 1).price(T, 50_000, **steep) != price
    assert past.without(T - WINDOW).price(T, 50_000, **steep) != price


def test_missing_bars_are_left_out_of_the_average(past, rounded, reference):
    gaps = past.without(T - 1, T - 5, T - 20)
    mean = np.nanmean(gaps.volume[T - WINDOW : T])
    frac = (5 + 10 * 50_000 / mean) / 1e4
    assert gaps.price(T, 50_000, **MODEL) == rounded(reference * (1 + frac), 1)


async def test_a_part_that_cash_covers_slips_by_its_own_size(build_desk):
    steep = {"slippage_volume_bps": 1_000.0, "max_slippage_bps": 5_000.0}
    desk = build_desk(initial_cash=500, slippage="volume", window_bars=2, **steep)
    for _ in range(2):
        await desk.bar(10, volume=1_000)
    await desk.submit(desk.order("a", 100))
    assert await desk.bar(10, volume=1_000) == ["a +49 @ 10.05"]  # 500 / 10.10 shares; 10 · (1 + 0.1 · 49 / 1000)
