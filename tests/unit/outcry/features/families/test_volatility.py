"""TA-Lib and pandas are the oracles of the volatility columns, on real bars; estimators as in their papers."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import talib

from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.features.feature_set import build_feature_set
from outcry.market.frame import BAR_FIELDS, FrameTensor
from outcry.market.sessions import Sessions

MINUTE_NS = 60_000_000_000
BAR_NS = {"daily": 1440 * MINUTE_NS, "intraday": 5 * MINUTE_NS}
BARS_PER_YEAR = {"daily": 252.0, "intraday": 252.0 * 78.0}

Oracle = Callable[[pd.DataFrame, float], "pd.Series[float]"]
Pairs = list[tuple[pd.DataFrame, pd.DataFrame]]
MakeMarket = Callable[..., FrameTensor]


def compute(
    frames: FrameTensor,
    sessions: Sessions,
    bar_ns: int,
    bars_per_year: float,
    windows: dict[str, list[list[int]]] | None = None,
) -> Pairs:
    """Return of each symbol the bars that it has, without gaps, and the volatility columns after each of them."""
    config = FeatureSetConfig(groups=("volatility",), windows=windows or {})
    features = build_feature_set(config, bar_ns, [f"S{i}" for i in range(frames.n_symbols)])
    values = FeatureEngine(features, frames.n_symbols, sessions, bars_per_year).replay(frames)
    pairs = []
    for i in range(frames.n_symbols):
        has = frames.present[:, i]
        bars = pd.DataFrame({field: getattr(frames, field)[has, i] for field in BAR_FIELDS})
        pairs.append((bars, pd.DataFrame(values[has, i], columns=features.names)))
    return pairs


def log_return(b: pd.DataFrame) -> "pd.Series[float]":
    return np.log(b.close / b.close.shift())


def satchell(b: pd.DataFrame) -> "pd.Series[float]":
    return np.log(b.high / b.close) * np.log(b.high / b.open) + np.log(b.low / b.close) * np.log(b.low / b.open)


def mean(x: "pd.Series[float]", w: int) -> "pd.Series[float]":
    return x.rolling(w).apply(np.mean, raw=True)


def variance(x: "pd.Series[float]", w: int) -> "pd.Series[float]":
    """Window by window: the running sums of pandas lose the digits that are compared here."""
    return x.rolling(w).apply(lambda window: np.var(window, ddof=1), raw=True)


def atr(b: pd.DataFrame, w: int) -> "pd.Series[float]":
    return talib.ATR(b.high, b.low, b.close, w)


def keltner(b: pd.DataFrame, multiple: float) -> "pd.Series[float]":
    return talib.EMA(b.close, 20) + multiple * atr(b, 10)


def bands(part: int) -> Oracle:
    return lambda b, _: talib.BBANDS(b.close, 20, 2.0, 2.0)[part]


def yang_zhang(b: pd.DataFrame, bars_per_year: float) -> "pd.Series[float]":
    n = 20
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    overnight = variance(np.log(b.open / b.close.shift()), n)
    intraday = variance(np.log(b.close / b.open), n)
    return np.sqrt(bars_per_year * (overnight + k * intraday + (1 - k) * mean(satchell(b), n)))


def garman_klass(b: pd.DataFrame, bars_per_year: float) -> "pd.Series[float]":
    term = 0.5 * np.log(b.high / b.low) ** 2 - (2 * np.log(2) - 1) * np.log(b.close / b.open) ** 2
    return np.sqrt(bars_per_year * mean(term, 20).clip(lower=0))


def parkinson(b: pd.DataFrame, bars_per_year: float) -> "pd.Series[float]":
    return np.sqrt(bars_per_year * mean(np.log(b.high / b.low) ** 2, 20) / (4 * np.log(2)))


def vix_proxy(b: pd.DataFrame, bars_per_year: float) -> "pd.Series[float]":
    realised = (log_return(b) ** 2).ewm(span=30 * bars_per_year / 252, min_periods=30).mean()
    return 100 * np.sqrt(bars_per_year * realised)


def chaikin(b: pd.DataFrame, _: float) -> "pd.Series[float]":
    return talib.ROC(talib.EMA(b.high - b.low, 10), 10)


def hv(w: int) -> Oracle:
    return lambda b, bars_per_year: np.sqrt(bars_per_year * variance(log_return(b), w))


def percentile(b: pd.DataFrame, _: float) -> "pd.Series[float]":
    return hv(20)(b, 1.0).rolling(252).rank(method="max", pct=True)


ORACLES: dict[str, Oracle] = {
    "tech_tr_1_raw": lambda b, _: talib.TRANGE(b.high, b.low, b.close),
    **{f"tech_atr_{w}_raw": lambda b, _, w=w: atr(b, w) for w in (7, 14, 21)},
    **{f"tech_natr_{w}_raw": lambda b, _, w=w: talib.NATR(b.high, b.low, b.close, w) for w in (7, 14, 21)},
    "tech_bbands_20_upper": bands(0),
    "tech_bbands_20_middle": bands(1),
    "tech_bbands_20_lower": bands(2),
    "tech_bbands_20_position": lambda b, _: (b.close - bands(2)(b, _)) / (bands(0)(b, _) - bands(2)(b, _)),
    "tech_bbands_20_width": lambda b, _: (bands(0)(b, _) - bands(2)(b, _)) / bands(1)(b, _),
    "tech_keltner_20_upper": lambda b, _: keltner(b, 2.0),
    "tech_keltner_20_middle": lambda b, _: talib.EMA(b.close, 20),
    "tech_keltner_20_lower": lambda b, _: keltner(b, -2.0),
    "tech_keltner_20_position": lambda b, _: (b.close - keltner(b, -2.0)) / (keltner(b, 2.0) - keltner(b, -2.0)),
    "tech_atrbands_14_upper": lambda b, _: b.close + 2 * atr(b, 14),
    "tech_atrbands_14_lower": lambda b, _: b.close - 2 * atr(b, 14),
    **{f"tech_hv_{w}_annual": hv(w) for w in (10, 20, 30, 60)},
    "tech_hv_20_percentile": percentile,
    "tech_hv_10_60_ratio": lambda b, _: hv(10)(b, 1.0) / hv(60)(b, 1.0),
    "tech_parkinson_20_annual": parkinson,
    "tech_garman_klass_20_annual": garman_klass,
    "tech_rogers_satchell_20_annual": lambda b, n: np.sqrt(n * mean(satchell(b), 20).clip(lower=0)),
    "tech_yang_zhang_20_annual": yang_zhang,
    "tech_chaikinvol_10_10_raw": chaikin,
    "tech_vixproxy_30_raw": vix_proxy,
}


@pytest.fixture(scope="module", params=["daily", "intraday"])
def by_symbol(request: pytest.FixtureRequest) -> tuple[Pairs, float]:
    frames: FrameTensor = request.getfixturevalue(request.param)
    sessions: Sessions = request.getfixturevalue(f"{request.param}_sessions")
    bars_per_year = BARS_PER_YEAR[request.param]
    return compute(frames.select(np.arange(4)), sessions, BAR_NS[request.param], bars_per_year), bars_per_year


@pytest.mark.realdata
@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_column_agrees_with_its_oracle_at_every_bar(name: str, by_symbol: tuple[Pairs, float]) -> None:
    pairs, bars_per_year = by_symbol
    for bars, values in pairs:
        expected = ORACLES[name](bars, bars_per_year)
        has = expected.notna()
        assert has.sum() > 500
        # A position or a change is 0 now and then: digits are those of the typical size.
        scale = float(expected[has].abs().median())
        np.testing.assert_allclose(values.loc[has, name], expected[has], rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.realdata
def test_every_column_has_an_oracle(by_symbol: tuple[Pairs, float]) -> None:
    (_, values), *_ = by_symbol[0]
    assert set(ORACLES) == set(values.columns)
    assert VOLATILITY_COLUMN in values


def settled(make_market: MakeMarket, n_frames: int) -> FrameTensor:
    """A hundred moving bars, then bars of one price, and a last bar that moves again."""
    market = make_market(3, n_frames, 1, absent_frac=0.0, minutes=1)
    price = np.full(market.present.shape, 12.34)
    bars = {
        name: np.where(np.arange(n_frames)[:, np.newaxis] < 100, getattr(market, name), price) for name in BAR_FIELDS
    }
    bars["high"][-1] = 13.0
    return replace(market, **bars)


def test_long_after_the_last_move_every_value_is_finite_and_of_a_market_without_moves(
    make_market: MakeMarket, around_the_clock: Sessions
) -> None:
    _, values = compute(settled(make_market, 9000), around_the_clock, MINUTE_NS, 252.0 * 390.0)[0]
    assert np.isfinite(values[300:]).all(axis=None)
    assert values["tech_keltner_20_position"][20:].abs().max() < 10.0
    still = values.iloc[-2]
    assert still["tech_bbands_20_position"] == still["tech_keltner_20_position"] == 0.5
    assert still["tech_chaikinvol_10_10_raw"] == 0.0
    assert still["tech_hv_20_percentile"] == still["tech_hv_10_60_ratio"] == 1.0
    zero = [f"tech_{name}_20_annual" for name in ("hv", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang")]
    assert (still[zero] == 0.0).all()


def test_estimators_are_not_negative_where_open_and_close_lie_outside_the_range(
    make_market: MakeMarket, around_the_clock: Sessions
) -> None:
    market = make_market(4, 60, 1, absent_frac=0.0)
    price = np.full(market.present.shape, 10.0)
    wild = replace(market, open=price * 0.5, high=price, low=price, close=price * 2.0, vwap=price)
    _, values = compute(wild, around_the_clock, 60 * MINUTE_NS, 252.0)[0]
    assert values["tech_garman_klass_20_annual"].iloc[-1] == 0.0
    assert values["tech_rogers_satchell_20_annual"].iloc[-1] == 0.0
    assert np.isfinite(values["tech_yang_zhang_20_annual"].iloc[-1])


@pytest.mark.parametrize("bars_per_year", [252.0, 252.0 * 78.0, 12.0])
def test_the_proxy_of_the_vix_is_the_annualised_size_of_moves_that_are_all_alike(
    make_market: MakeMarket, around_the_clock: Sessions, bars_per_year: float
) -> None:
    market = make_market(5, 400, 1, absent_frac=0.0)
    price = 50.0 * np.exp(0.01 * (np.arange(400) % 2))[:, np.newaxis]
    bars = replace(market, open=price, high=price, low=price, close=price, vwap=price)
    _, values = compute(bars, around_the_clock, 60 * MINUTE_NS, bars_per_year)[0]
    expected = np.full(370, np.sqrt(bars_per_year))  # 100 times 0.01
    np.testing.assert_allclose(values["tech_vixproxy_30_raw"][30:], expected, rtol=1e-12)


def test_other_windows_are_other_columns_of_the_same_code(make_market: MakeMarket, around_the_clock: Sessions) -> None:
    windows = {
        "bbands": [[7, 3]],
        "keltner": [[5, 30, 1]],
        "hv_percentile": [[5, 9]],
        "hv_ratio": [[40, 8]],
        "chaikin_volatility": [[4, 21]],
    }
    frames = make_market(6, 500, 1, absent_frac=0.0)
    bars, values = compute(frames, around_the_clock, 60 * MINUTE_NS, 8760.0, windows)[0]
    deviation = bars.close.rolling(7).apply(np.std, raw=True)
    np.testing.assert_allclose(values["tech_bbands_7_upper"], mean(bars.close, 7) + 3 * deviation, rtol=1e-12)
    upper = talib.EMA(bars.close, 5) + atr(bars, 30)
    np.testing.assert_allclose(values["tech_keltner_5_upper"][30:], upper[30:], rtol=1e-12)
    assert values["tech_keltner_5_upper"][:30].isna().all()
    change = talib.ROC(talib.EMA(bars.high - bars.low, 4), 21)
    np.testing.assert_allclose(values["tech_chaikinvol_4_21_raw"], change, rtol=1e-9, atol=1e-9)
    rank = hv(5)(bars, 1.0).round(12).rolling(9).rank(method="max", pct=True)
    assert (values["tech_hv_5_percentile"] - rank).abs().max() < 0.2  # equal windows differ in the last digit
    assert (values["tech_hv_40_8_ratio"].notna() == (np.arange(500) >= 40)).all()
