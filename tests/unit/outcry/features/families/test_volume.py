"""TA-Lib, pandas and NumPy are the oracles of the volume columns, on real bars; the rest is worked by hand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import talib

from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import build_feature_set
from outcry.market.frame import BAR_FIELDS, FloatArray, FrameTensor
from outcry.market.sessions import Sessions

BAR_NS = 3600 * 10**9
Oracle = Callable[[pd.DataFrame], "pd.Series[float]"]
Pairs = list[tuple[pd.DataFrame, pd.DataFrame]]
MakeMarket = Callable[..., FrameTensor]


def compute(frames: FrameTensor, sessions: Sessions, windows: dict[str, list[list[int]]] | None = None) -> Pairs:
    """Return of each symbol the bars that it has, without gaps, and the volume columns after each of them."""
    config = FeatureSetConfig.model_validate({"groups": ["volume"], "windows": windows or {}})
    features = build_feature_set(config, BAR_NS, [f"S{i}" for i in range(frames.n_symbols)])
    values = FeatureEngine(features, frames.n_symbols, sessions, 252.0).replay(frames)
    pairs = []
    for i in range(frames.n_symbols):
        has = frames.present[:, i]
        bars = pd.DataFrame({field: getattr(frames, field)[has, i] for field in BAR_FIELDS})
        pairs.append((bars, pd.DataFrame(values[has, i], columns=features.names)))
    return pairs


def cv(function: Callable[..., "pd.Series[float]"], *args: int) -> Oracle:
    return lambda b: function(b.close, b.volume, *args)


def hlcv(function: Callable[..., "pd.Series[float]"], *args: int) -> Oracle:
    return lambda b: function(b.high, b.low, b.close, b.volume, *args)


def volume(function: Callable[..., "pd.Series[float]"], window: int) -> Oracle:
    return lambda b: function(b.volume, window)


def over_windows(x: "pd.Series[float]", w: int, statistic: Callable[[FloatArray], FloatArray]) -> "pd.Series[float]":
    """Take each window by itself: pandas' own running sums lose digits."""
    windows = np.lib.stride_tricks.sliding_window_view(x.to_numpy(), w)
    return pd.Series(statistic(windows), index=x.index[w - 1 :]).reindex(x.index)


def total(x: "pd.Series[float]", w: int) -> "pd.Series[float]":
    return over_windows(x, w, lambda windows: windows.sum(axis=1))


def mean(x: "pd.Series[float]", w: int) -> "pd.Series[float]":
    return total(x, w) / w


def signed_volume(b: pd.DataFrame) -> "pd.Series[float]":
    return np.sign(b.close.diff()) * b.volume


def zscore(b: pd.DataFrame) -> "pd.Series[float]":
    deviation = over_windows(b.volume, 60, lambda windows: windows.std(axis=1, ddof=1))
    return ((b.volume - mean(b.volume, 60)) / deviation).where(deviation > 0, 0.0)


def ease_of_movement(b: pd.DataFrame) -> "pd.Series[float]":
    moved = ((b.high + b.low) / 2).diff() * (b.high - b.low)
    value = (moved / b.volume).where((b.volume > 0) | moved.isna(), 0.0)
    return mean(value, 14) * mean(b.volume, 14) / b.close**2


def weighted_momentum(w: int) -> Oracle:
    return lambda b: total(b.volume * b.close.pct_change(), w) / total(b.volume.where(b.close.shift().notna()), w)


TALIB: dict[str, Oracle] = {
    "tech_obv_raw": cv(talib.OBV),
    "tech_adl_raw": hlcv(talib.AD),
    "tech_adosc_3_10_raw": hlcv(talib.ADOSC, 3, 10),
    "tech_adosc_3_10_ratio": lambda b: hlcv(talib.ADOSC, 3, 10)(b) / mean(b.volume, 10),
    "tech_cmf_20_raw": hlcv(talib.CMF, 20),
    "tech_mfi_14_raw": hlcv(talib.MFI, 14),
    "tech_force_13_raw": cv(talib.EFI, 13),
    "tech_force_13_ratio": lambda b: cv(talib.EFI, 13)(b) / (b.close * mean(b.volume, 20)),
    "tech_volume_20_mean": volume(talib.SMA, 20),
    "tech_volume_20_ema": volume(talib.EMA, 20),
    "tech_pvt_raw": cv(talib.PVT),
    "tech_nvi_raw": cv(talib.NVI),
    "tech_pvi_raw": cv(talib.PVI),
}
PANDAS: dict[str, Oracle] = {
    "tech_obv_20_change": lambda b: total(signed_volume(b), 20) / total(b.volume, 20),
    "tech_force_1_raw": lambda b: b.close.diff() * b.volume,
    "tech_force_1_ratio": lambda b: b.close.diff() * b.volume / (b.close * mean(b.volume, 20)),
    "tech_volume_20_ratio": lambda b: b.volume / mean(b.volume, 20),
    "tech_volume_20_surge": lambda b: (b.volume > 1.5 * mean(b.volume, 20)) * 1.0,
    "tech_volume_5_20_ratio": lambda b: mean(b.volume, 5) / mean(b.volume, 20) - 1,
    "stat_zscore_60_volume": zscore,
    "tech_eom_14_ratio": ease_of_movement,
    **{f"tech_vwmom_{w}_mean": weighted_momentum(w) for w in (10, 20)},
}


@pytest.fixture(scope="module", params=["daily", "intraday"])
def by_symbol(request: pytest.FixtureRequest) -> Pairs:
    return compute(request.getfixturevalue(request.param), request.getfixturevalue(f"{request.param}_sessions"))


@pytest.mark.realdata
@pytest.mark.parametrize("name", sorted(TALIB | PANDAS))
def test_a_column_agrees_with_talib_or_pandas(name: str, by_symbol: Pairs) -> None:
    for bars, values in by_symbol:
        expected = (TALIB | PANDAS)[name](bars)
        has = expected.notna() & values[name].notna()
        assert has.sum() > 500
        scale = float(expected[has].abs().median())
        np.testing.assert_allclose(values.loc[has, name], expected[has], rtol=1e-9, atol=1e-9 * scale)


def profile(bars: pd.DataFrame, bins: int = 24) -> tuple[float, float, float]:
    """Point of control, high and low of the value area, by `numpy.histogram`."""
    typical = ((bars.high + bars.low + bars.close) / 3).to_numpy()
    lowest, highest = typical.min(), typical.max()
    # Where a price is on the edge of two bins, rounding would decide: it belongs to the upper one.
    nudged = np.minimum(typical + 1e-9 * (highest - lowest) / bins, highest)
    held, edges = np.histogram(nudged, bins, (lowest, highest), weights=bars.volume.to_numpy())
    at = int(np.argmax(held))
    first, last = at, at
    while held[first : last + 1].sum() < 0.7 * held.sum():
        below = held[first - 1] if first > 0 else -1.0
        above = held[last + 1] if last < bins - 1 else -1.0
        first, last = (first, last + 1) if above >= below else (first - 1, last)
    return (edges[at] + edges[at + 1]) / 2, edges[last + 1], edges[first]


@pytest.mark.realdata
def test_the_volume_profile_is_the_histogram_of_the_last_bars_every_tenth_bar(by_symbol: Pairs) -> None:
    for bars, values in by_symbol:
        for k in range(240, len(bars) + 1, 37):
            stop = k - (k - 240) % 10
            c = bars.close.iloc[k - 1]
            expected = [(c - level) / c for level in profile(bars.iloc[stop - 240 : stop])]
            given = values.loc[k - 1, ["tech_profile_240_poc", "tech_profile_240_high", "tech_profile_240_low"]]
            np.testing.assert_allclose(given, expected, rtol=1e-9, atol=1e-12)


def market_of(price: FloatArray, volume: FloatArray, like: FrameTensor) -> FrameTensor:
    price = price.reshape(-1, 1)
    return replace(like, open=price, high=price, low=price, close=price, vwap=price, volume=volume.reshape(-1, 1))


def test_a_volume_profile_worked_by_hand(make_market: MakeMarket, around_the_clock: Sessions) -> None:
    like = make_market(0, 6, 1, absent_frac=0.0)
    frames = market_of(np.array([10.0, 11.0, 12.0, 13.0, 13.0, 14.0]), np.array([1.0, 2.0, 3.0, 2.0, 1.0, 1.0]), like)
    (_, values), *_ = compute(frames, around_the_clock, {"volume_profile": [[6, 4]]})
    # Bins 10-11, 11-12, 12-13, 13-14 hold 1, 2, 3, 4; the upper edge is of the last. The area: 4 + 3 = 7 of 10.
    row = values.iloc[-1]
    assert row["tech_profile_6_poc"] == pytest.approx((14 - 13.5) / 14)
    assert row["tech_profile_6_high"] == pytest.approx(0.0)
    assert row["tech_profile_6_low"] == pytest.approx((14 - 12) / 14)


def test_without_volume_the_profile_is_where_the_price_is(make_market: MakeMarket, around_the_clock: Sessions) -> None:
    like = make_market(0, 4, 1, absent_frac=0.0)
    frames = market_of(np.array([10.0, 14.0, 14.0, 11.5]), np.zeros(4), like)
    (_, values), *_ = compute(frames, around_the_clock, {"volume_profile": [[4, 4]]})
    row = values.iloc[-1]
    assert row["tech_profile_4_poc"] == 0.0
    assert (row["tech_profile_4_low"], row["tech_profile_4_high"]) == pytest.approx((0.5 / 11.5, -0.5 / 11.5))


def test_without_volume_every_column_has_its_documented_value(
    make_market: MakeMarket, around_the_clock: Sessions
) -> None:
    frames = make_market(1, 300, 2, absent_frac=0.0)
    for _, values in compute(replace(frames, volume=np.zeros_like(frames.volume)), around_the_clock):
        row = values.iloc[-1]
        expected = {"tech_mfi_14_raw": 50.0, "tech_volume_20_ratio": 1.0} | dict.fromkeys(
            ("tech_nvi_raw", "tech_pvi_raw"), 1000.0
        )
        for name, value in row.items():
            if "profile" not in str(name):
                assert value == expected.get(str(name), 0.0), name


@pytest.mark.parametrize("field", ["price", "volume"])
def test_scale_free_columns_do_not_change_with_the_scale(
    make_market: MakeMarket, around_the_clock: Sessions, field: str
) -> None:
    frames = make_market(2, 330, 3)
    names = ("open", "high", "low", "close", "vwap") if field == "price" else ("volume",)
    scaled = replace(frames, **{name: 10.0 * getattr(frames, name) for name in names})
    features = build_feature_set(FeatureSetConfig(groups=("volume",)), BAR_NS, ("A", "B", "C"))
    free = [column.name for column in features.columns if column.is_scale_free]
    assert len(free) >= 18
    for (_, one), (_, ten) in zip(compute(frames, around_the_clock), compute(scaled, around_the_clock), strict=True):
        np.testing.assert_allclose(ten[free], one[free], rtol=1e-9, atol=1e-12)


def test_windows_come_from_the_configuration(make_market: MakeMarket, around_the_clock: Sessions) -> None:
    frames = make_market(3, 120, 1, absent_frac=0.0)
    windows = {"mfi": [[20]], "force": [[5, 30]], "volume_pace": [[40, 10]], "adosc": [[10, 3]], "cmf": [[90]]}
    ((bars, values),) = compute(frames, around_the_clock, windows)
    force = bars.close.diff() * bars.volume
    expected = talib.EMA(force.to_numpy(), 5)
    np.testing.assert_allclose(values["tech_force_5_raw"], expected, rtol=1e-9, atol=1e-9)
    assert values["tech_force_5_ratio"].first_valid_index() == 29
    np.testing.assert_allclose(values["tech_mfi_20_raw"], hlcv(talib.MFI, 20)(bars), rtol=1e-9)
    np.testing.assert_allclose(
        values["tech_volume_10_40_ratio"], mean(bars.volume, 10) / mean(bars.volume, 40) - 1, rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(values["tech_adosc_3_10_raw"], hlcv(talib.ADOSC, 3, 10)(bars), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(values["tech_cmf_90_raw"], hlcv(talib.CMF, 90)(bars), rtol=1e-9, atol=1e-12)
