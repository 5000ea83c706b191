import numpy as np
import pytest

WINDOW = 10
MODEL = {"slippage": "volatility", "window_bars": WINDOW, "slippage_bps": 20.0, "max_slippage_bps": 100.0}


def volatility(close, t, window):
    """Return the root mean square of the log returns over the rows before t; a missing close is bridged."""
    seen = close[max(t - window - 1, 0) : t]
    seen = seen[~np.isnan(seen)]
    return np.sqrt(np.mean(np.log(seen[1:] / seen[:-1]) ** 2))


def expected(close, t):
    return 0.0020 * volatility(close, t, WINDOW) / volatility(close, t, 5 * WINDOW)


@pytest.mark.parametrize("sign", [1, -1], ids=["buy", "sell"])
@pytest.mark.parametrize("t", [2, 3, 12, 60, 119])
def test_slippage_follows_volatility_over_its_average(past, rounded, reference, t, sign):
    assert past.price(t, sign=sign, **MODEL) == rounded(reference * (1 + sign * expected(past.close, t)), sign)


def test_it_can_be_less_than_the_base_and_not_more_than_the_most(past, rounded, reference):
    fracs = [expected(past.close, t) for t in range(2, 120)]
    assert min(fracs) < 0.0020 < max(fracs)
    wildest = 2 + int(np.argmax(fracs))
    capped = MODEL | {"max_slippage_bps": 21.0}
    assert past.price(wildest, **capped) == rounded(reference * 1.0021, 1)


@pytest.mark.parametrize("t", [0, 1])
def test_without_two_closes_the_base_is_paid(past, rounded, reference, t):
    assert past.price(t, **MODEL) == rounded(reference * 1.002, 1)


def test_where_the_price_never_moved_the_base_is_paid(calm_past, rounded, reference):
    assert calm_past.price(60, **MODEL) == rounded(reference * 1.002, 1)


def test_the_windows_end_before_the_bar_and_begin_with_the_close_before_them(past):
    price = past.price(100, **MODEL)
    assert past.spoiled_from(100).price(100, **MODEL) == price
    assert past.without(*range(100 - 5 * WINDOW - 1)).price(100, **MODEL) == price
    assert past.without(100 - 5 * WINDOW - 1).price(100, **MODEL) != price
    assert past.spoiled_from(99).price(100, **MODEL) != price


def test_a_missing_bar_is_bridged_by_one_return(past, rounded, reference):
    gaps = past.without(95, 96, 99, 50)
    frac = expected(gaps.close, 100)
    assert frac != pytest.approx(expected(past.close, 100))
    assert gaps.price(100, **MODEL) == rounded(reference * (1 + frac), 1)
