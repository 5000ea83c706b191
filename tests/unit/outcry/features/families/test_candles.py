"""TA-Lib is the oracle of the candle patterns, value for value, on real bars and on bars rich in patterns."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import talib

from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import FeatureSet, build_feature_set
from outcry.market.frame import BAR_FIELDS, FrameTensor
from outcry.market.sessions import Sessions

MINUTE_NS = 60_000_000_000
TALIB = {
    "doji": talib.CDLDOJI,
    "dragonfly_doji": talib.CDLDRAGONFLYDOJI,
    "gravestone_doji": talib.CDLGRAVESTONEDOJI,
    "long_legged_doji": talib.CDLLONGLEGGEDDOJI,
    "marubozu": talib.CDLMARUBOZU,
    "spinning_top": talib.CDLSPINNINGTOP,
    "belt_hold": talib.CDLBELTHOLD,
    "hammer": talib.CDLHAMMER,
    "inverted_hammer": talib.CDLINVERTEDHAMMER,
    "hanging_man": talib.CDLHANGINGMAN,
    "shooting_star": talib.CDLSHOOTINGSTAR,
    "engulfing": talib.CDLENGULFING,
    "harami": talib.CDLHARAMI,
    "harami_cross": talib.CDLHARAMICROSS,
    "piercing": talib.CDLPIERCING,
    "dark_cloud_cover": talib.CDLDARKCLOUDCOVER,
    "kicking": talib.CDLKICKING,
    "matching_low": talib.CDLMATCHINGLOW,
    "morning_star": talib.CDLMORNINGSTAR,
    "evening_star": talib.CDLEVENINGSTAR,
    "morning_doji_star": talib.CDLMORNINGDOJISTAR,
    "evening_doji_star": talib.CDLEVENINGDOJISTAR,
    "abandoned_baby": talib.CDLABANDONEDBABY,
    "three_white_soldiers": talib.CDL3WHITESOLDIERS,
    "three_black_crows": talib.CDL3BLACKCROWS,
    "three_inside": talib.CDL3INSIDE,
    "three_outside": talib.CDL3OUTSIDE,
    "three_methods": talib.CDLRISEFALL3METHODS,
}

Pairs = list[tuple[dict[str, Any], pd.DataFrame]]


def build() -> FeatureSet:
    return build_feature_set(FeatureSetConfig(groups=("candles",)), MINUTE_NS, ("A",))


def compute(frames: FrameTensor, sessions: Sessions) -> Pairs:
    """Return of each symbol the prices of the bars that it has, without gaps, and the patterns after each of them."""
    features = build()
    values = FeatureEngine(features, frames.n_symbols, sessions, 252.0).replay(frames)
    pairs = []
    for i in range(frames.n_symbols):
        has = frames.present[:, i]
        prices = {field: getattr(frames, field)[has, i] for field in BAR_FIELDS[:4]}
        pairs.append((prices, pd.DataFrame(values[has, i], columns=features.names)))
    return pairs


@pytest.fixture(scope="module", params=["daily", "intraday"])
def real(request: pytest.FixtureRequest) -> Pairs:
    return compute(request.getfixturevalue(request.param), request.getfixturevalue(f"{request.param}_sessions"))


def rich_bars(n: int) -> FrameTensor:
    """Bars with bodies, shadows and gaps of a few sizes, on a tick of a quarter, so that equal sums are equal."""
    rng = np.random.default_rng(5)
    body = rng.choice([0, 1, 4, 8, 40], n) * rng.choice([-1, 1], n)
    above, below = rng.choice([0, 0, 2, 10, 60], n), rng.choice([0, 0, 2, 10, 60], n)
    gap = rng.choice([-70, -12, -2, 0, 0, 2, 12, 70], n)
    open_, close = np.empty(n), np.empty(n)
    last = 0.0
    for i in range(n):
        open_[i] = last + gap[i] - (20 * np.sign(last) if abs(last) > 2000 else 0)
        close[i] = last = open_[i] + body[i]
    high, low = np.maximum(open_, close) + above, np.minimum(open_, close) - below
    bars = {
        name: (2000 + price / 4).reshape(-1, 1)
        for name, price in (("open", open_), ("high", high), ("low", low), ("close", close), ("vwap", close))
    }
    return FrameTensor(
        first_seq=0,
        ts_close_ns=np.arange(1, n + 1) * MINUTE_NS,
        volume=np.ones((n, 1)),
        present=np.ones((n, 1), dtype=np.bool_),
        **bars,
    )


@pytest.fixture(scope="module")
def rich() -> Pairs:
    n = 200_000
    one_session = Sessions(*(np.array([value]) for value in (0, n * MINUTE_NS, 0, 0)))
    return compute(rich_bars(n), one_session)


def differing(name: str, pairs: Pairs) -> tuple[int, int]:
    """Count the patterns that TA-Lib finds, and the bars where ours is another."""
    found = wrong = 0
    warmup = next(column.warmup_bars for column in build().columns if column.name == f"cdl_{name}_signal")
    for prices, values in pairs:
        # TA-Lib says 80 instead of 100 where one end of two bodies is equal: the sign is the pattern.
        expected = np.sign(TALIB[name](*prices.values()))
        given = values[f"cdl_{name}_signal"].to_numpy()
        assert np.isnan(given[: warmup - 1]).all()
        found += np.count_nonzero(expected)
        wrong += np.count_nonzero(given[warmup - 1 :] != expected[warmup - 1 :])
        assert not expected[: warmup - 1].any()
    return found, wrong


@pytest.mark.realdata
@pytest.mark.parametrize("name", sorted(TALIB))
def test_a_pattern_is_where_talib_finds_it(name: str, real: Pairs) -> None:
    # No bar differs by rounding: the means are summed as TA-Lib begins its sums, and none of its drift decides here.
    assert differing(name, real)[1] == 0


@pytest.mark.parametrize("name", sorted(TALIB))
def test_a_pattern_is_where_talib_finds_it_in_bars_rich_in_patterns(name: str, rich: Pairs) -> None:
    found, wrong = differing(name, rich)
    assert found >= 10
    assert wrong == 0


@pytest.mark.realdata
def test_a_tweezer_is_two_bars_of_either_colour_with_equal_ends(real: Pairs) -> None:
    found = 0
    for prices, values in real:
        b = pd.DataFrame(prices)
        width = b.high - b.low
        ranges = [width.shift(j) for j in range(6, 1, -1)]
        equal = 0.05 * (sum(ranges[1:], ranges[0]) / 5.0)
        is_white = b.close >= b.open
        was_white = is_white.shift(fill_value=False)
        low_is_equal = (b.low <= b.low.shift() + equal) & (b.low >= b.low.shift() - equal)
        high_is_equal = (b.high <= b.high.shift() + equal) & (b.high >= b.high.shift() - equal)
        expected = (~was_white & is_white & low_is_equal) * 1.0 - (was_white & ~is_white & high_is_equal) * 1.0
        np.testing.assert_array_equal(values["cdl_tweezer_signal"][6:], expected[6:])
        found += int(expected.abs().sum())
    assert found > 500


def test_every_pattern_has_an_oracle() -> None:
    assert set(build().names) == {f"cdl_{name}_signal" for name in (*TALIB, "tweezer")}
