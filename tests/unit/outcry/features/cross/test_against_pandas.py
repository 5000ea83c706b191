"""pandas is the oracle of what is computed in every frame, on real bars with gaps and late listings."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from outcry.features.cross.section import CrossSection

from .conftest import Bars

pytestmark = pytest.mark.realdata

PROXIES = {"vix": 3, "rates": 10, "dollar": 17, "commodities": 7}  # the last lists late
MARKET = 40


@dataclass(frozen=True)
class Series:
    """Frames by symbols: closes as they stood, returns (NaN until they are known), volumes, peers; and the market."""

    close: pd.DataFrame
    x: pd.DataFrame
    volume: pd.DataFrame
    present: pd.DataFrame
    peers: pd.DataFrame
    market: pd.Series


def _peers(x: pd.DataFrame, sectors: np.ndarray, market: pd.Series) -> pd.DataFrame:
    columns = {}
    for i in x.columns:
        others = [j for j in x.columns if j != i and sectors[j] == sectors[i] and sectors[i] >= 0]
        columns[i] = x[others].mean(axis=1).fillna(market) if others else market
    return pd.DataFrame(columns)


def _series(bars: Bars, market: int | None) -> Series:
    close = pd.DataFrame(bars.close).ffill()
    x = np.log(close).diff()
    of_market = x.mean(axis=1) if market is None else x[market]
    volume = pd.DataFrame(bars.volume).fillna(0.0).where(close.notna())
    return Series(close, x, volume, pd.DataFrame(bars.present), _peers(x, bars.sectors, of_market), of_market)


def _change(s: Series, w: int) -> pd.DataFrame:
    return s.close / s.close.shift(w) - 1


def _rolled(s: Series, of: pd.Series | pd.DataFrame, w: int, kind: str) -> pd.DataFrame:
    """Beta on or correlation with a series, or another frame symbol by symbol."""
    columns = {}
    for i in s.x.columns:
        y = of if isinstance(of, pd.Series) else of[i]
        both = s.x[i].rolling(w)
        columns[i] = both.corr(y) if kind == "corr" else both.cov(y) / y.where(s.x[i].notna()).rolling(w).var()
    return pd.DataFrame(columns)


def _relative_volume(s: Series) -> pd.DataFrame:
    mean = s.volume.rolling(20).mean()
    relative = (s.volume / mean).where(mean != 0, 1.0).where(s.present & mean.notna())
    return relative.div(relative.median(axis=1), axis=0)


def _outlier(r: pd.DataFrame) -> pd.DataFrame:
    away = r.sub(r.median(axis=1), axis=0)
    spread = away.abs().median(axis=1)
    return (0.6745 * away).div(spread, axis=0).clip(-50, 50).where(spread > 0, 0.0, axis=0).where(r.notna())


def _with_volume(s: Series) -> pd.DataFrame:
    """Window by window: running sums of volumes of many magnitudes lose too many digits."""
    x, v = (np.lib.stride_tricks.sliding_window_view(a.to_numpy(), 20, axis=0) for a in (s.x, s.volume))
    x, v = x - x.mean(axis=-1, keepdims=True), v - v.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        rho = (x * v).sum(axis=-1) / np.sqrt((x * x).sum(axis=-1) * (v * v).sum(axis=-1))
    return pd.DataFrame(rho, index=s.x.index[19:]).reindex(s.x.index)


def _with_market_before(s: Series) -> pd.DataFrame:
    return _rolled(s, s.market.shift(), 60, "corr").where(s.x.rolling(61).count() == 61)


def _with_universe(s: Series, t: int) -> np.ndarray:
    known = s.x.iloc[t - 59 : t + 1].dropna(axis=1)
    rho = known.corr().fillna(0.0).to_numpy(copy=True)
    np.fill_diagonal(rho, 0.0)
    out = np.full(s.x.shape[1], np.nan)
    out[known.columns] = rho.sum(axis=1) / (len(rho) - 1)
    return out


ORACLES: dict[str, Callable[[Series], pd.DataFrame]] = {
    **{
        f"cross_strength_{w}_market": lambda s, w=w: np.expm1(s.x.sub(s.market, axis=0).rolling(w).sum())
        for w in (20, 60)
    },
    **{f"cross_strength_{w}_sector": lambda s, w=w: np.expm1((s.x - s.peers).rolling(w).sum()) for w in (20, 60)},
    **{
        f"cross_excess_{w}_market": lambda s, w=w: _change(s, w).sub(np.expm1(s.market.rolling(w).sum()), axis=0)
        for w in (1, 5, 10, 20)
    },
    "cross_volume_20_relative": _relative_volume,
    **{f"cross_rank_{w}_return": lambda s, w=w: _change(s, w).rank(axis=1, pct=True) for w in (1, 5, 20)},
    **{
        f"cross_zscore_{w}_return": lambda s, w=w: (
            _change(s, w).sub(_change(s, w).mean(axis=1), axis=0).div(_change(s, w).std(axis=1), axis=0)
        )
        for w in (1, 5, 20)
    },
    **{
        f"cross_distance_{w}_median": lambda s, w=w: _change(s, w).sub(_change(s, w).median(axis=1), axis=0)
        for w in (1, 5, 20)
    },
    **{f"cross_outlier_{w}_mad": lambda s, w=w: _outlier(_change(s, w)) for w in (1, 5, 20)},
    **{f"cross_beta_{w}_market": lambda s, w=w: _rolled(s, s.market, w, "beta") for w in (60, 252)},
    **{f"cross_beta_{w}_sector": lambda s, w=w: _rolled(s, s.peers, w, "beta") for w in (60, 252)},
    "cross_corr_60_market": lambda s: _rolled(s, s.market, 60, "corr"),
    "cross_corr_60_sector": lambda s: _rolled(s, s.peers, 60, "corr"),
    **{f"cross_corr_60_{name}": lambda s, i=i: _rolled(s, s.x[i], 60, "corr") for name, i in PROXIES.items()},
    "cross_leadlag_60_market": _with_market_before,
    "cross_corr_20_120_change": lambda s: _rolled(s, s.market, 20, "corr") - _rolled(s, s.market, 120, "corr"),
    "cross_corr_20_volume": _with_volume,
}


@pytest.fixture(scope="module", params=[MARKET, None], ids=["SPY", "mean"])
def sides(request: pytest.FixtureRequest, real_bars: Bars) -> tuple[Series, dict[str, pd.DataFrame]]:
    """The inputs, and every column after each frame."""
    section = CrossSection(real_bars.sectors, request.param, PROXIES)
    values = section.replay(real_bars.close, real_bars.volume, real_bars.present)
    columns = {column.name: pd.DataFrame(values[..., c]) for c, column in enumerate(section.columns)}
    return _series(real_bars, request.param), columns


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_column_agrees_with_pandas(name: str, sides: tuple[Series, dict[str, pd.DataFrame]]) -> None:
    series, columns = sides
    expected = ORACLES[name](series).where(series.present)
    value = columns[name].where(series.present)
    is_defined = expected.notna() & np.isfinite(expected)
    assert is_defined.to_numpy().sum() > 10_000
    assert value.notna().to_numpy()[is_defined.to_numpy()].all()
    # pandas carries running sums over the whole history and loses digits; it has no value where a series is still.
    np.testing.assert_allclose(
        value.to_numpy()[is_defined.to_numpy()], expected.to_numpy()[is_defined.to_numpy()], rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize("t", [150, 361, 620, 760])
def test_the_mean_correlation_is_that_of_the_matrix(t: int, sides: tuple[Series, dict[str, pd.DataFrame]]) -> None:
    series, columns = sides
    has = series.present.to_numpy()[t]
    expected = np.where(has, _with_universe(series, t), np.nan)
    value = np.where(has, columns["cross_corr_60_universe"].to_numpy()[t], np.nan)
    assert np.isfinite(expected).sum() > 30
    np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-12)
