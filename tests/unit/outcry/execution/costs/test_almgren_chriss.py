import numpy as np
import pytest

T, WINDOW = 60, 20
MODEL = {"impact": "almgren_chriss", "impact_factor": 0.5, "permanent_factor": 0.2, "window_bars": WINDOW}


def impact(close, volume, t, factor, shares, window):
    """Return ``factor · σ · Q / V̄`` over the window before row t."""
    volatility = np.sqrt(np.mean(np.diff(np.log(close[t - window - 1 : t])) ** 2))
    return factor * volatility * shares / np.mean(volume[t - window : t])


@pytest.mark.parametrize("sign", [1, -1], ids=["buy", "sell"])
@pytest.mark.parametrize("lots", [1, 5_000, 40_000])
def test_a_trade_pays_its_temporary_impact(past, rounded, reference, lots, sign):
    frac = impact(past.close, past.volume, T, 0.5, lots, WINDOW)
    assert past.price(T, lots, sign, **MODEL) == rounded(reference * (1 + sign * frac), sign)


def test_a_trade_moves_the_price_by_its_permanent_impact(past):
    expected = impact(past.close, past.volume, T, 0.2, 40_000, WINDOW)
    assert past.moved(T, 40_000, **MODEL) == pytest.approx(1e9 * expected, abs=1)


def test_without_a_past_or_where_the_price_never_moved_there_is_none(past, calm_past):
    assert past.price(0, 1_000, **MODEL) == calm_past.price(T, 1_000, **MODEL) == 1000
    assert past.moved(0, 1_000, **MODEL) == calm_past.moved(T, 1_000, **MODEL) == 0


def test_the_windows_end_before_the_bar(past):
    assert past.spoiled_from(T).price(T, 40_000, **MODEL) == past.price(T, 40_000, **MODEL)
    assert past.spoiled_from(T).moved(T, 40_000, **MODEL) == past.moved(T, 40_000, **MODEL)


@pytest.mark.parametrize("sign", [1, -1], ids=["buy", "sell"])
async def test_each_part_of_an_order_pays_for_itself_and_for_what_the_parts_before_it_have_moved(
    build_desk, rounded, sign
):
    window = 3
    desk = build_desk(
        allow_short=True, initial_cash=10**8, impact="almgren_chriss", impact_factor=0.5, permanent_factor=0.4,
        window_bars=window,
    )  # fmt: skip
    close = 1000 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.03, 12))).round(3)
    volume = np.array([3e3, 5e3, 4e3, 6e3, 5e3, 4e3, 7e3, 3e3, 5e3, 6e3, 4e3, 5e3])
    rows = list(zip(close, volume, strict=True))
    for price, shares in rows[:5]:
        await desk.bar(price, volume=shares)
    await desk.submit(desk.order("parts", sign * 1_700), desk.order("other", sign * 100, "BBB"))
    moved, done = 0.0, 0.0
    for t, (price, shares) in enumerate(rows[5:9], start=5):
        quantity = min(shares / 10, 1_700 - done)  # a tenth of the volume
        frac = impact(close, volume, t, 0.5, quantity, window) + moved
        fills = await desk.bar(price, volume=shares)
        assert fills[0] == f"parts {sign * quantity:+.0f} @ {rounded(price * (1 + sign * frac), sign):.2f}"
        moved += impact(close, volume, t, 0.4, quantity, window)
        done += quantity
    assert done == 1_700
    assert moved > 0.002
    assert len(desk.all_fills) == 5
    await desk.submit(desk.order("next", sign * 100))  # an order finds the recorded price, whoever traded before
    frac = impact(close, volume, 9, 0.5, 100, window)
    assert await desk.bar(close[9], volume=volume[9]) == [
        f"next {sign * 100:+} @ {rounded(close[9] * (1 + sign * frac), sign):.2f}"
    ]


async def test_a_limit_order_pays_no_impact(build_desk):
    desk = build_desk(impact="almgren_chriss", impact_factor=10.0, permanent_factor=10.0, window_bars=2)
    for price in (10, 11, 10, 11):
        await desk.bar(price, volume=2_000)
    await desk.submit(desk.order("a", 300, limit="11.00"))
    assert await desk.bar(11, volume=2_000) == ["a +200 @ 11.00"]
    assert await desk.bar(11, volume=2_000) == ["a +100 @ 11.00"]
