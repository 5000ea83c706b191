"""pandas is the oracle of rolling statistics; the volatility estimators are written out from their papers."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from outcry.features.catalogue import FEATURE_NAMES
from outcry.features.engine import FeatureEngine
from outcry.market.frame import BAR_FIELDS, FrameTensor
from outcry.market.sessions import Sessions

pytestmark = pytest.mark.realdata

BARS_PER_YEAR = 252.0
Oracle = Callable[[pd.DataFrame], pd.Series]


def _log_return(b: pd.DataFrame) -> pd.Series:
    return np.log(b.close / b.close.shift())


def _satchell(b: pd.DataFrame) -> pd.Series:
    return np.log(b.high / b.close) * np.log(b.high / b.open) + np.log(b.low / b.close) * np.log(b.low / b.open)


def _annual(variance: pd.Series) -> pd.Series:
    return np.sqrt(BARS_PER_YEAR * variance)


def _yang_zhang(b: pd.DataFrame) -> pd.Series:
    n = 20
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    overnight = np.log(b.open / b.close.shift()).rolling(n).var()
    intraday = np.log(b.close / b.open).rolling(n).var()
    return _annual(overnight + k * intraday + (1 - k) * _satchell(b).rolling(n).mean())


def _garman_klass(b: pd.DataFrame) -> pd.Series:
    term = 0.5 * np.log(b.high / b.low) ** 2 - (2 * np.log(2) - 1) * np.log(b.close / b.open) ** 2
    return _annual(term.rolling(20).mean())


def _money_flow(b: pd.DataFrame) -> pd.Series:
    location = ((2 * b.close - b.high - b.low) / (b.high - b.low)).where(b.high > b.low, 0.0)
    return location * b.volume


def _zscore(x: pd.Series, w: int) -> pd.Series:
    deviation = x.rolling(w).std()
    return ((x - x.rolling(w).mean()) / deviation).where(deviation > 0, 0.0)


def _regression_r2(x: pd.Series, w: int) -> pd.Series:
    return x.rolling(w).corr(pd.Series(np.arange(len(x)), index=x.index, dtype=float)) ** 2


def _signed_volume(b: pd.DataFrame) -> pd.Series:
    return np.sign(b.close.diff()) * b.volume


def _autocorrelation(b: pd.DataFrame, lag: int) -> pd.Series:
    return _log_return(b).rolling(20).apply(lambda x: np.corrcoef(x[lag:], x[:-lag])[0, 1], raw=True)


def _hull(b: pd.DataFrame) -> pd.Series:
    def wma(x: pd.Series, w: int) -> pd.Series:
        return x.rolling(w).apply(lambda window: np.average(window, weights=np.arange(1, w + 1)), raw=True)

    return wma(2 * wma(b.close, 10) - wma(b.close, 20), 4)


def _coppock(b: pd.DataFrame) -> pd.Series:
    total = 100 * (b.close.pct_change(14) + b.close.pct_change(11))
    return total.rolling(10).apply(lambda window: np.average(window, weights=np.arange(1, 11)), raw=True)


def _roll(b: pd.DataFrame) -> pd.Series:
    change = b.close.diff()
    covariance = change.rolling(20).cov(change.shift())
    return 2 * np.sqrt((-covariance).clip(lower=0)) / b.close


ORACLES: dict[str, Oracle] = {
    **{f"stat_logreturn_{w}_mean": lambda b, w=w: _log_return(b).rolling(w).mean() for w in (20, 60)},
    **{f"stat_logreturn_{w}_std": lambda b, w=w: _log_return(b).rolling(w).std() for w in (20, 60)},
    **{f"stat_logreturn_{w}_close": lambda b, w=w: np.log(b.close).diff(w) for w in (1, 5, 10, 15, 20, 60)},
    **{
        f"stat_logreturn_{w}_adjusted": lambda b, w=w: (
            _log_return(b).rolling(w).mean() / _log_return(b).rolling(w).std()
        )
        for w in (20, 60)
    },
    **{f"stat_zscore_{w}_close": lambda b, w=w: _zscore(b.close, w) for w in (20, 50, 60)},
    **{f"stat_linreg_{w}_r2": lambda b, w=w: _regression_r2(b.close, w) for w in (20, 60)},
    **{f"tech_hv_{w}_annual": lambda b, w=w: _annual(_log_return(b).rolling(w).var()) for w in (10, 20, 30, 60)},
    **{f"stat_autocorr_20_lag{lag}": lambda b, lag=lag: _autocorrelation(b, lag) for lag in (1, 5)},
    **{
        f"tech_vwma_{w}_raw": lambda b, w=w: (b.close * b.volume).rolling(w).sum() / b.volume.rolling(w).sum()
        for w in (10, 20, 50)
    },
    "tech_hma_20_raw": _hull,
    "tech_coppock_14_11_raw": _coppock,
    "stat_skewness_20_return": lambda b: _log_return(b).rolling(20).skew(),
    "stat_kurtosis_20_return": lambda b: _log_return(b).rolling(20).kurt(),
    "stat_zscore_60_volume": lambda b: _zscore(b.volume, 60),
    "tech_parkinson_20_annual": lambda b: _annual((np.log(b.high / b.low) ** 2).rolling(20).mean() / (4 * np.log(2))),
    "tech_garman_klass_20_annual": _garman_klass,
    "tech_rogers_satchell_20_annual": lambda b: _annual(_satchell(b).rolling(20).mean().clip(lower=0)),
    "tech_yang_zhang_20_annual": _yang_zhang,
    "tech_hv_20_percentile": lambda b: _log_return(b).rolling(20).std().rolling(252).rank(method="max", pct=True),
    "tech_hv_10_60_ratio": lambda b: _log_return(b).rolling(10).std() / _log_return(b).rolling(60).std(),
    "tech_cmf_20_raw": lambda b: _money_flow(b).rolling(20).sum() / b.volume.rolling(20).sum(),
    "tech_obv_20_change": lambda b: _signed_volume(b).rolling(20).sum() / b.volume.rolling(20).sum(),
    "tech_volume_20_ratio": lambda b: b.volume / b.volume.rolling(20).mean(),
    "tech_volume_20_surge": lambda b: (b.volume > 1.5 * b.volume.rolling(20).mean()) * 1.0,
    "tech_volume_5_20_ratio": lambda b: b.volume.rolling(5).mean() / b.volume.rolling(20).mean() - 1,
    "tech_force_1_raw": lambda b: b.close.diff() * b.volume,
    "tech_pvt_raw": lambda b: (b.close.pct_change() * b.volume).fillna(0.0).cumsum(),
    "tech_nvi_raw": lambda b: 1000 * (1 + b.close.pct_change().where(b.volume.diff() < 0, 0.0)).cumprod(),
    "tech_pvi_raw": lambda b: 1000 * (1 + b.close.pct_change().where(b.volume.diff() > 0, 0.0)).cumprod(),
    "micro_amihud_20_mean": lambda b: (
        1e6 * (_log_return(b).abs() / (b.close * b.volume)).where(b.volume > 0, 0.0).rolling(20).mean()
    ),
    "micro_roll_20_spread": _roll,
    "tech_highs_10_count": lambda b: (b.high.diff() > 0).rolling(10).sum(),
    "tech_lows_10_count": lambda b: (b.low.diff() < 0).rolling(10).sum(),
    "tech_donchian_20_position": lambda b: (
        (b.close - b.low.rolling(20).min()) / (b.high.rolling(20).max() - b.low.rolling(20).min())
    ),
    "tech_resistance_50_distance": lambda b: b.high.rolling(50).max() / b.close - 1,
    "tech_support_50_distance": lambda b: 1 - b.low.rolling(50).min() / b.close,
}


@pytest.fixture(scope="module", params=["daily", "intraday"])
def by_symbol(request: pytest.FixtureRequest) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """The bars that each symbol has, without gaps, and the features after each of them."""
    frames: FrameTensor = request.getfixturevalue(request.param)
    sessions: Sessions = request.getfixturevalue(f"{request.param}_sessions")
    values = FeatureEngine(4, sessions, BARS_PER_YEAR).replay(frames.select(np.arange(4)))
    pairs = []
    for i in range(4):
        has = frames.present[:, i]
        bars = pd.DataFrame({field: getattr(frames, field)[has, i] for field in BAR_FIELDS})
        pairs.append((bars, pd.DataFrame(values[has, i], columns=FEATURE_NAMES)))
    return pairs


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_column_agrees_with_pandas(name: str, by_symbol: list[tuple[pd.DataFrame, pd.DataFrame]]) -> None:
    for bars, values in by_symbol:
        expected = ORACLES[name](bars)
        has = expected.notna() & values[name].notna()
        assert has.sum() > 500
        # pandas carries sums of powers over the whole history and loses digits.
        scale = float(expected[has].abs().median())
        np.testing.assert_allclose(values.loc[has, name], expected[has], rtol=1e-6, atol=1e-6 * max(scale, 1e-3))
