"""Return columns agree with TA-Lib, NumPy and SciPy on real bars; a constant price has the documented values."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
import talib
from numpy.lib.stride_tricks import sliding_window_view

from outcry.errors import ConfigurationError
from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import build_feature_set
from outcry.market.frame import BAR_FIELDS, FloatArray, FrameTensor
from outcry.market.sessions import Sessions

MINUTE_NS = 60_000_000_000
Bars = dict[str, FloatArray]
Oracle = Callable[[Bars], FloatArray]


def rolled(x: FloatArray, window: int, statistic: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Return the statistic of every window of `x`, a row a window; NaN where the window is not full or holds NaN."""
    values = np.full(len(x), np.nan)
    values[window - 1 :] = statistic(sliding_window_view(x, window))
    return values


def log_return(b: Bars) -> FloatArray:
    return np.concatenate([[np.nan], np.log(b["close"][1:] / b["close"][:-1])])


def _zscore(windows: FloatArray) -> FloatArray:
    return (windows[:, -1] - windows.mean(axis=1)) / windows.std(axis=1, ddof=1)


def _autocorrelation(windows: FloatArray, lag: int) -> FloatArray:
    return np.array([np.corrcoef(window[lag:], window[:-lag])[0, 1] for window in windows])


ORACLES: dict[str, Oracle] = {
    **{f"stat_return_{w}_close": lambda b, w=w: talib.ROCP(b["close"], w) for w in (1, 5, 10, 15, 20, 60)},
    **{
        f"stat_logreturn_{w}_close": lambda b, w=w: np.log(1.0 + talib.ROCP(b["close"], w))
        for w in (1, 5, 10, 15, 20, 60)
    },
    **{f"stat_logreturn_{w}_mean": lambda b, w=w: rolled(log_return(b), w, lambda x: x.mean(axis=1)) for w in (20, 60)},
    **{
        f"stat_logreturn_{w}_std": lambda b, w=w: rolled(log_return(b), w, lambda x: x.std(axis=1, ddof=1))
        for w in (20, 60)
    },
    **{
        f"stat_logreturn_{w}_adjusted": lambda b, w=w: rolled(
            log_return(b), w, lambda x: x.mean(axis=1) / x.std(axis=1, ddof=1)
        )
        for w in (20, 60)
    },
    **{
        f"stat_skewness_{w}_return": lambda b, w=w: rolled(
            log_return(b), w, lambda x: scipy.stats.skew(x, axis=1, bias=False)
        )
        for w in (20, 60)
    },
    **{
        f"stat_kurtosis_{w}_return": lambda b, w=w: rolled(
            log_return(b), w, lambda x: scipy.stats.kurtosis(x, axis=1, bias=False)
        )
        for w in (20, 60)
    },
    **{f"stat_zscore_{w}_close": lambda b, w=w: rolled(b["close"], w, _zscore) for w in (20, 50, 60)},
    **{
        f"stat_autocorr_{w}_lag{lag}": lambda b, w=w, lag=lag: rolled(
            log_return(b), w, lambda x: _autocorrelation(x, lag)
        )
        for w, lag in ((20, 1), (20, 5), (60, 1), (60, 2), (60, 3), (60, 4), (60, 5))
    },
}


@pytest.fixture(scope="module", params=["daily", "intraday"])
def by_symbol(request: pytest.FixtureRequest) -> list[tuple[Bars, dict[str, FloatArray]]]:
    """The bars that each symbol has, without gaps, and the columns after each of them."""
    frames: FrameTensor = request.getfixturevalue(request.param)
    sessions: Sessions = request.getfixturevalue(f"{request.param}_sessions")
    features = build_feature_set(FeatureSetConfig(groups=("returns",)), 5 * MINUTE_NS)
    values = FeatureEngine(features, frames.n_symbols, sessions, 252.0).replay(frames)
    pairs = []
    for i in range(4):
        has = frames.present[:, i]
        bars = {field: getattr(frames, field)[has, i] for field in BAR_FIELDS}
        pairs.append((bars, dict(zip(features.names, values[has, i].T, strict=True))))
    return pairs


@pytest.mark.realdata
@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_column_agrees_with_another_library(name: str, by_symbol: list[tuple[Bars, dict[str, FloatArray]]]) -> None:
    for bars, values in by_symbol:
        expected = ORACLES[name](bars)
        has = np.isfinite(expected)
        assert has.sum() > 500
        np.testing.assert_allclose(values[name][has], expected[has], rtol=1e-9, atol=1e-12)
        assert np.isnan(values[name][: np.argmax(has)]).all()


def test_every_column_has_an_oracle() -> None:
    assert set(build_feature_set(FeatureSetConfig(groups=("returns",)), MINUTE_NS).names) == set(ORACLES)


def test_a_constant_price_has_no_return_no_shape_and_no_score(
    make_market: Callable[..., FrameTensor], around_the_clock: Sessions
) -> None:
    frames = make_market(1, 100, 1, absent_frac=0.0)
    price = np.full(frames.present.shape, 12.34)
    still = FrameTensor(0, frames.ts_close_ns, *[price] * 4, frames.volume, price, frames.present)
    features = build_feature_set(FeatureSetConfig(groups=("returns",)), 60 * MINUTE_NS)
    values = FeatureEngine(features, 1, around_the_clock, 8760.0).replay(still)
    np.testing.assert_array_equal(values[-1, 0], np.zeros(len(features.names)))


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ({"higher_moments": [3]}, "windows.higher_moments: window must be at least 4, was 3"),
        ({"autocorr": [[10, 9]]}, "windows.autocorr: lag must be at most window - 2, was 9 of 10"),
    ],
)
def test_a_window_too_short_for_its_statistic_is_refused(windows: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        build_feature_set(FeatureSetConfig(groups=("returns",), windows=windows), MINUTE_NS)
