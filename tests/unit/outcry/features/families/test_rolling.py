"""Rolling statistics agree with NumPy, SciPy and TA-Lib on real bars; what no library has is written out beside."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
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
MakeMarket = Callable[..., FrameTensor]


def rolled(x: FloatArray, window: int, statistic: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Return the statistic of every window of `x`, a row a window; NaN where the window is not full or holds NaN."""
    values = np.full(len(x), np.nan)
    values[window - 1 :] = statistic(sliding_window_view(x, window))
    return values


def log_return(b: Bars) -> FloatArray:
    return np.concatenate([[np.nan], np.log(b["close"][1:] / b["close"][:-1])])


def of_close(window: int, statistic: Callable[[FloatArray], FloatArray]) -> Oracle:
    return lambda b: rolled(b["close"], window, statistic)


def of_return(window: int, statistic: Callable[[FloatArray], FloatArray]) -> Oracle:
    return lambda b: rolled(log_return(b), window, statistic)


def _close_position(x: FloatArray) -> FloatArray:
    low, high = np.quantile(x, [0.1, 0.9], axis=1)
    return (x[:, -1] - low) / (high - low)


def _expected_shortfall(percent: float) -> Callable[[FloatArray], FloatArray]:
    def statistic(x: FloatArray) -> FloatArray:
        is_tail = x <= np.quantile(x, percent / 100, axis=1, keepdims=True)
        known = is_tail.any(axis=1)
        mean = np.where(is_tail, x, 0.0).sum(axis=1) / np.maximum(is_tail.sum(axis=1), 1)
        return np.where(known, np.maximum(-mean, 0.0), np.nan)

    return statistic


def _tail_ratio(x: FloatArray) -> FloatArray:
    return np.minimum(np.abs(np.quantile(x, 0.95, axis=1)) / np.abs(np.quantile(x, 0.05, axis=1)), 100.0)


def _asymmetry(x: FloatArray) -> FloatArray:
    gain = np.where(x > 0, x, 0).sum(axis=1) / np.maximum((x > 0).sum(axis=1), 1)
    loss = np.where(x < 0, -x, 0).sum(axis=1) / np.maximum((x < 0).sum(axis=1), 1)
    return np.where(np.isnan(x).any(axis=1), np.nan, (gain - loss) / (gain + loss))


def _fit(x: FloatArray, degree: int) -> tuple[FloatArray, FloatArray]:
    """Return coefficients, highest first, and residuals of every window; the newest bar is 0."""
    bars = np.arange(1.0 - x.shape[1], 1.0)
    coefficients = np.polyfit(bars, x.T, degree)
    return coefficients, x - (np.vander(bars, degree + 1) @ coefficients).T


def _standard_error(x: FloatArray) -> FloatArray:
    return np.sqrt((_fit(x, 1)[1] ** 2).sum(axis=1) / (x.shape[1] - 2))


def _slope_error(x: FloatArray) -> FloatArray:
    bars = np.arange(x.shape[1])
    return np.array([scipy.stats.linregress(bars, row).stderr for row in x]) / x[:, -1]


def _gain(x: FloatArray) -> FloatArray:
    total = ((x - x.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return ((_fit(x, 1)[1] ** 2).sum(axis=1) - (_fit(x, 2)[1] ** 2).sum(axis=1)) / total


def _inflection(b: Bars, window: int) -> FloatArray:
    curvature = rolled(b["close"], window, lambda x: _fit(x, 2)[0][0])
    sign = np.sign(np.where(np.abs(curvature) * (window / 2) ** 2 > 1e-11 * b["close"], curvature, 0.0 * curvature))
    before = np.concatenate([[np.nan], sign[:-1]])
    turned = np.where(sign * before <= 0, sign, 0.0)
    return np.where(np.isnan(before), np.nan, turned)


def _variance_ratio(b: Bars, window: int, q: int) -> FloatArray:
    """Equation 12 of Lo and MacKinlay (1988), as it stands there."""
    x = np.log(b["close"])
    values = np.full(len(x), np.nan)
    for t in range(window, len(x)):
        path = x[t - window : t + 1]
        mean = (path[-1] - path[0]) / window
        one = np.sum((np.diff(path) - mean) ** 2) / (window - 1)
        m = q * (window - q + 1) * (1 - q / window)
        values[t] = np.sum((path[q:] - path[:-q] - q * mean) ** 2) / m / one if one > 0 else np.nan
    return values


def _sign_entropy(x: FloatArray) -> FloatArray:
    counts = np.stack([(x > 0).sum(axis=1), (x < 0).sum(axis=1), (x == 0).sum(axis=1)])
    entropy = scipy.stats.entropy(counts, base=3, axis=0)
    return np.where(np.isnan(x).any(axis=1), np.nan, entropy)


def _up_volume(b: Bars, window: int) -> tuple[FloatArray, FloatArray]:
    signs = sliding_window_view(log_return(b), window)
    volume = sliding_window_view(b["volume"], window)
    up, down = np.where(signs > 0, volume, 0).sum(axis=1), np.where(signs < 0, volume, 0).sum(axis=1)
    a = up / np.maximum((signs > 0).sum(axis=1), 1)
    z = down / np.maximum((signs < 0).sum(axis=1), 1)
    empty = np.full(window - 1, np.nan)
    known = ~np.isnan(signs).any(axis=1)
    share, a_bar = np.where(known, up / (up + down), np.nan), np.where(known, (a - z) / (a + z), np.nan)
    return np.concatenate([empty, share]), np.concatenate([empty, a_bar])


def _correlation(x: FloatArray, volume: FloatArray, window: int) -> FloatArray:
    values = np.full(len(x), np.nan)
    for t in range(window - 1, len(x)):
        a, b = x[t - window + 1 : t + 1], volume[t - window + 1 : t + 1]
        if np.ptp(a) > 0 and np.ptp(b) > 0:
            values[t] = np.corrcoef(a, b)[0, 1]
    return values


def _cusum(b: Bars, window: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    score = rolled(log_return(b), window, lambda x: (x[:, -1] - x.mean(axis=1)) / x.std(axis=1, ddof=1))
    levels = np.full((3, len(score)), np.nan)
    up = down = 0.0
    for t in np.flatnonzero(np.isfinite(score)):
        up, down = max(0.0, up + score[t]), min(0.0, down + score[t])
        levels[:, t] = up, down, (up > 1) * 1.0 - (down < -1) * 1.0
        up, down = up if up <= 1 else 0.0, down if down >= -1 else 0.0
    return levels[0], levels[1], levels[2]


ORACLES: dict[str, Oracle] = {
    **{f"stat_close_{w}_mean": of_close(w, lambda x: x.mean(axis=1) / x[:, -1]) for w in (20, 60)},
    **{f"stat_close_{w}_std": of_close(w, lambda x: x.std(axis=1, ddof=1) / x[:, -1]) for w in (20, 60)},
    **{f"stat_close_{w}_variance": of_close(w, lambda x: x.var(axis=1, ddof=1) / x[:, -1] ** 2) for w in (20, 60)},
    **{
        f"stat_logreturn_60_q{q}": of_return(60, lambda x, q=q: np.quantile(x, q / 100, axis=1))
        for q in (10, 25, 50, 75, 90)
    },
    "stat_logreturn_60_mad": of_return(60, lambda x: scipy.stats.median_abs_deviation(x, axis=1)),
    "stat_close_60_rank": of_close(
        60, lambda x: np.array([scipy.stats.percentileofscore(row, row[-1], kind="mean") / 100 for row in x])
    ),
    "stat_close_60_position": of_close(60, _close_position),
    "stat_close_60_median": of_close(60, lambda x: 1 - np.median(x, axis=1) / x[:, -1]),
    "stat_var_100_95": of_return(100, lambda x: np.maximum(-np.quantile(x, 0.05, axis=1), 0)),
    "stat_var_100_99": of_return(100, lambda x: np.maximum(-np.quantile(x, 0.01, axis=1), 0)),
    "stat_cvar_100_95": of_return(100, _expected_shortfall(5)),
    "stat_cvar_100_99": of_return(100, _expected_shortfall(1)),
    "stat_tail_100_ratio": of_return(100, _tail_ratio),
    "stat_extreme_100_max": of_return(100, lambda x: scipy.stats.zscore(x, axis=1, ddof=1).max(axis=1)),
    "stat_extreme_100_min": of_return(100, lambda x: scipy.stats.zscore(x, axis=1, ddof=1).min(axis=1)),
    **{
        f"stat_semideviation_{w}_down": of_return(w, lambda x: np.sqrt((np.minimum(x, 0) ** 2).mean(axis=1)))
        for w in (20, 60)
    },
    **{
        f"stat_semideviation_{w}_up": of_return(w, lambda x: np.sqrt((np.maximum(x, 0) ** 2).mean(axis=1)))
        for w in (20, 60)
    },
    **{f"stat_asymmetry_{w}_gain": of_return(w, _asymmetry) for w in (20, 60)},
    **{f"stat_linreg_{w}_residual": of_close(w, lambda x: _fit(x, 1)[1][:, -1] / _standard_error(x)) for w in (20, 60)},
    **{f"stat_linreg_{w}_std": of_close(w, lambda x: _standard_error(x) / x[:, -1]) for w in (20, 60)},
    **{f"stat_linreg_{w}_error": of_close(w, _slope_error) for w in (20, 60)},
    **{f"stat_linreg_{w}_forecast": lambda b, w=w: talib.TSF(b["close"], w) / b["close"] - 1 for w in (20, 60)},
    **{f"stat_quadratic_{w}_curvature": of_close(w, lambda x: _fit(x, 2)[0][0] / x[:, -1]) for w in (20, 60)},
    **{f"stat_quadratic_{w}_gain": of_close(w, _gain) for w in (20, 60)},
    **{f"stat_quadratic_{w}_inflection": lambda b, w=w: _inflection(b, w) for w in (20, 60)},
    **{f"stat_cusum_60_{name}": lambda b, i=i: _cusum(b, 60)[i] for i, name in enumerate(("up", "down", "hit"))},
    **{
        f"stat_variance_{w}_ratio{q}": lambda b, w=w, q=q: _variance_ratio(b, w, q)
        for w in (60, 100)
        for q in (2, 5, 10)
    },
    **{
        f"stat_efficiency_{w}_ratio": of_return(w, lambda x: np.abs(x.sum(axis=1)) / np.abs(x).sum(axis=1))
        for w in (60, 100)
    },
    "stat_entropy_60_sign": of_return(60, _sign_entropy),
    **{f"stat_drawdown_{w}_close": of_close(w, lambda x: 1 - x[:, -1] / x.max(axis=1)) for w in (20, 60, 252)},
    **{f"stat_runup_{w}_close": of_close(w, lambda x: x[:, -1] / x.min(axis=1) - 1) for w in (20, 60, 252)},
    **{f"stat_high_{w}_age": of_close(w, lambda x: 1.0 * x[:, ::-1].argmax(axis=1)) for w in (20, 60, 252)},
    **{f"stat_low_{w}_age": of_close(w, lambda x: 1.0 * x[:, ::-1].argmin(axis=1)) for w in (20, 60, 252)},
    **{f"stat_volume_{w}_up": lambda b, w=w: _up_volume(b, w)[0] for w in (20, 60)},
    **{f"stat_volume_{w}_up_bar": lambda b, w=w: _up_volume(b, w)[1] for w in (20, 60)},
    **{f"stat_volume_{w}_corr_close": lambda b, w=w: _correlation(b["close"], b["volume"], w) for w in (20, 60)},
    **{f"stat_volume_{w}_corr_return": lambda b, w=w: _correlation(log_return(b), b["volume"], w) for w in (20, 60)},
    **{f"stat_volume_{w}_corr_size": lambda b, w=w: _correlation(abs(log_return(b)), b["volume"], w) for w in (20, 60)},
}


def held(expected: FloatArray, bars: int) -> FloatArray:
    """Keep every so many-th value from the first in place of those after it."""
    first = int(np.argmax(np.isfinite(expected)))
    rows = np.arange(len(expected))
    return np.where(rows < first, np.nan, expected[first + (rows - first) // bars * bars])


CADENCE_BARS = {
    **{f"stat_variance_{w}_ratio{q}": 5 for w in (60, 100) for q in (2, 5, 10)},
    **{f"stat_efficiency_{w}_ratio": 5 for w in (60, 100)},
}
LOSING_DIGITS = {
    # near 0, what two prices of 250 leave of each other's last digits, in standard errors of a few cents
    "stat_linreg_20_residual": 1e-8,
    "stat_linreg_60_residual": 1e-8,
    "stat_linreg_20_forecast": 1e-7,  # TA-Lib solves the normal equations of raw sums
    "stat_linreg_60_forecast": 1e-7,
    "stat_quadratic_20_gain": 1e-8,  # the oracle takes the difference of two sums of squares
    "stat_quadratic_60_gain": 1e-8,
}


def compute(frames: FrameTensor, sessions: Sessions, windows: dict[str, object] | None = None) -> dict[str, FloatArray]:
    """Return every column of the family, float64 (n_frames, n_symbols)."""
    features = build_feature_set(FeatureSetConfig(groups=("rolling",), windows=windows or {}), 5 * MINUTE_NS)
    values = FeatureEngine(features, frames.n_symbols, sessions, 252.0).replay(frames)
    return {name: values[..., j] for j, name in enumerate(features.names)}


@pytest.fixture(scope="module", params=["daily", "intraday"])
def by_symbol(request: pytest.FixtureRequest) -> list[tuple[Bars, dict[str, FloatArray]]]:
    """The bars that each of three symbols has, without gaps, and the columns after each of them."""
    frames: FrameTensor = request.getfixturevalue(request.param)
    values = compute(frames, request.getfixturevalue(f"{request.param}_sessions"))
    pairs = []
    for i in range(3):
        has = frames.present[:, i]
        bars = {field: getattr(frames, field)[has, i] for field in BAR_FIELDS}
        pairs.append((bars, {name: column[has, i] for name, column in values.items()}))
    return pairs


@pytest.mark.realdata
@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_column_agrees_with_its_oracle(name: str, by_symbol: list[tuple[Bars, dict[str, FloatArray]]]) -> None:
    for bars, values in by_symbol:
        expected = held(ORACLES[name](bars), CADENCE_BARS.get(name, 1))
        has = np.isfinite(expected)
        assert has.sum() > 500
        tolerance = LOSING_DIGITS.get(name, 1e-9)
        np.testing.assert_allclose(values[name][has], expected[has], rtol=tolerance, atol=tolerance * 1e-3)


@pytest.mark.realdata
def test_correlation_of_price_and_volume_is_that_of_talib(by_symbol: list[tuple[Bars, dict[str, FloatArray]]]) -> None:
    for bars, values in by_symbol:
        expected = talib.CORREL(bars["close"], bars["volume"], 20)
        has = np.isfinite(expected) & (np.abs(expected) > 0)
        # TA-Lib carries sums of squares over the whole history and loses digits.
        np.testing.assert_allclose(values["stat_volume_20_corr_close"][has], expected[has], atol=1e-5)


def test_every_column_has_an_oracle_and_its_cadence() -> None:
    columns = build_feature_set(FeatureSetConfig(groups=("rolling",)), MINUTE_NS).columns
    assert {column.name: column.cadence_bars for column in columns} == dict.fromkeys(ORACLES, 1) | CADENCE_BARS


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), window=st.integers(1, 90))
def test_order_statistics_hold_for_every_window_and_for_ties(
    make_market: MakeMarket, around_the_clock: Sessions, seed: int, window: int
) -> None:
    frames = make_market(seed, 200, 1, absent_frac=0.0)
    kinds = {"return_quantiles": [window], "close_quantiles": [window], "tail_risk": [window], "drawdown": [window]}
    values = compute(frames, around_the_clock, kinds)
    bars = {"close": frames.close[:, 0]}
    oracles = {
        f"stat_logreturn_{window}_q25": of_return(window, lambda x: np.quantile(x, 0.25, axis=1)),
        f"stat_logreturn_{window}_mad": of_return(window, lambda x: scipy.stats.median_abs_deviation(x, axis=1)),
        f"stat_close_{window}_median": of_close(window, lambda x: 1 - np.median(x, axis=1) / x[:, -1]),
        f"stat_var_{window}_99": of_return(window, lambda x: np.maximum(-np.quantile(x, 0.01, axis=1), 0)),
        f"stat_cvar_{window}_95": of_return(window, _expected_shortfall(5)),
        f"stat_high_{window}_age": of_close(window, lambda x: 1.0 * x[:, ::-1].argmax(axis=1)),
        f"stat_runup_{window}_close": of_close(window, lambda x: x[:, -1] / x.min(axis=1) - 1),
    }
    for name, oracle in oracles.items():
        np.testing.assert_allclose(values[name][:, 0], oracle(bars), rtol=1e-9, atol=1e-14, err_msg=name)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_cvar_is_at_least_var_and_the_tail_of_99_at_least_that_of_95(
    make_market: MakeMarket, around_the_clock: Sessions, seed: int
) -> None:
    values = compute(make_market(seed, 200, 2), around_the_clock, {"tail_risk": [37]})
    var_95, var_99, cvar_95, cvar_99 = (
        values[f"stat_{n}"][60:] for n in ("var_37_95", "var_37_99", "cvar_37_95", "cvar_37_99")
    )
    assert (cvar_95 >= var_95).all()
    assert (cvar_99 >= var_99).all()
    assert (var_99 >= var_95).all()
    assert (cvar_99 >= cvar_95).all()


@pytest.fixture
def still(make_market: MakeMarket) -> FrameTensor:
    """400 bars of one price, with volume."""
    frames = make_market(1, 400, 1, absent_frac=0.0)
    price = np.full(frames.present.shape, 12.34)
    return replace(frames, open=price, high=price, low=price, close=price, vwap=price)


def test_a_constant_price_has_the_documented_values(still: FrameTensor, around_the_clock: Sessions) -> None:
    values = {name: column[-1, 0] for name, column in compute(still, around_the_clock).items()}
    half = {"stat_close_60_rank", "stat_close_60_position", "stat_volume_20_up", "stat_volume_60_up"}
    one = {f"stat_variance_{w}_ratio{q}" for w in (60, 100) for q in (2, 5, 10)}
    one |= {"stat_close_20_mean", "stat_close_60_mean", "stat_tail_100_ratio"}
    for name, value in values.items():
        assert value == pytest.approx(0.5 if name in half else 1.0 if name in one else 0.0, abs=1e-15), name


def test_a_straight_line_has_no_residual_and_no_curvature(
    make_market: MakeMarket, around_the_clock: Sessions, still: FrameTensor
) -> None:
    price = 10.0 + 0.25 * np.arange(400.0)[:, np.newaxis]
    values = compute(replace(still, high=price, low=price, close=price), around_the_clock)
    assert values["stat_linreg_20_residual"][-1, 0] == 0.0
    assert not values["stat_quadratic_20_inflection"][20:, 0].any()
    assert values["stat_linreg_20_forecast"][-1, 0] == pytest.approx(0.25 / price[-1, 0])


def test_a_parabola_gives_its_coefficient_and_turns_once(around_the_clock: Sessions, still: FrameTensor) -> None:
    bars = np.arange(400.0)
    price = (1000.0 + np.where(bars < 200, -0.01, 0.01) * (bars - 200) ** 2)[:, np.newaxis]
    values = compute(replace(still, high=price, low=price, close=price), around_the_clock)
    assert values["stat_quadratic_20_curvature"][-1, 0] * price[-1, 0] == pytest.approx(0.01)
    inflection = values["stat_quadratic_20_inflection"][20:, 0]
    assert inflection.sum() == np.abs(inflection).sum() == 1.0


def test_a_jump_is_hit_once_and_the_sum_starts_anew(around_the_clock: Sessions, still: FrameTensor) -> None:
    price = np.where(np.arange(400) < 300, 10.0, 11.0)[:, np.newaxis]
    values = compute(replace(still, high=price, low=price, close=price), around_the_clock)
    hit = values["stat_cusum_60_hit"][60:, 0]
    assert np.flatnonzero(hit == 1.0).tolist()[0] == 240
    assert values["stat_cusum_60_up"][300, 0] == pytest.approx(59 / math.sqrt(60))
    assert values["stat_cusum_60_up"][301, 0] == 0.0


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ({"polynomial_fit": [3]}, "windows.polynomial_fit: window must be at least 4, was 3"),
        ({"variance_ratio": [10]}, "windows.variance_ratio: window must be at least 11, was 10"),
    ],
)
def test_a_window_too_short_for_its_statistic_is_refused(windows: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        build_feature_set(FeatureSetConfig(groups=("rolling",), windows=windows), MINUTE_NS)
