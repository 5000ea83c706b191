"""Factors of feature columns are the formulas they state, over closes."""

import numpy as np
import pytest

from outcry.alphas.alpha import Alpha, alpha_features, score_alphas
from outcry.alphas.catalogue import ALPHAS
from outcry.alphas.forecast import forecast_score
from outcry.alphas.momentum import high, momentum, trend
from outcry.alphas.reversal import average_distance, oscillator, reversal
from outcry.errors import ConfigurationError
from outcry.features.config import FeatureSetConfig
from outcry.market.frame import FloatArray

NAN = np.nan
CLOSE = 50.0 * np.exp(np.cumsum(np.random.default_rng(3).normal(0.0, 0.02, (90, 4)), axis=0))


def columns_of(t: int) -> dict[str, FloatArray]:
    """Return feature columns after row t, by their definition; highs are closes."""
    now, returns = CLOSE[t], np.diff(np.log(CLOSE[t - 20 : t + 1]), axis=0)
    last = CLOSE[t - 19 : t + 1]
    return {
        "stat_return_60_close": now / CLOSE[t - 60] - 1.0,
        "stat_return_21_close": now / CLOSE[t - 21] - 1.0,
        "stat_return_5_close": now / CLOSE[t - 5] - 1.0,
        "tech_hv_20_annual": np.sqrt(252 * returns.var(axis=0, ddof=1)),
        "tech_resistance_60_distance": (CLOSE[t - 59 : t + 1].max(axis=0) - now) / now,
        "stat_zscore_20_close": (now - last.mean(axis=0)) / last.std(axis=0, ddof=1),
        "tech_rsi_2_raw": np.array([0.0, 10.0, 50.0, 100.0]),
    }


def score(alpha: Alpha, columns: dict[str, FloatArray]) -> FloatArray:
    return score_alphas([alpha], np.stack(list(columns.values()), axis=-1), list(columns))[0]


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (momentum(60, 21), CLOSE[65 - 21] / CLOSE[65 - 60] - 1.0),
        (momentum(21, 0), CLOSE[65] / CLOSE[65 - 21] - 1.0),
        (
            trend(60, 20),
            (CLOSE[65] / CLOSE[5] - 1.0) / np.sqrt(252 * np.diff(np.log(CLOSE[45:66]), axis=0).var(axis=0, ddof=1)),
        ),
        (high(60), CLOSE[65] / CLOSE[6:66].max(axis=0)),
        (reversal(5), 1.0 - CLOSE[65] / CLOSE[60]),
        (average_distance(20), (CLOSE[46:66].mean(axis=0) - CLOSE[65]) / CLOSE[46:66].std(axis=0, ddof=1)),
        (oscillator(2), np.array([1.0, 0.8, 0.0, -1.0])),
    ],
    ids=lambda given: given.name if isinstance(given, Alpha) else "",
)
def test_a_factor_is_its_formula(alpha: Alpha, expected: FloatArray) -> None:
    columns = columns_of(65)
    assert score(alpha, columns) == pytest.approx(expected, rel=1e-12)
    for name in alpha.reads:
        unknown = columns | {name: np.array([NAN, *columns[name][1:]])}
        assert np.isnan(score(alpha, unknown)).tolist() == [True, False, False, False]


def test_a_symbol_that_does_not_move_has_no_trend() -> None:
    columns = columns_of(65) | {"tech_hv_20_annual": np.array([0.0, 0.1, 0.1, 0.1])}
    assert np.isnan(score(trend(60, 20), columns)).tolist() == [True, False, False, False]


def test_a_missing_column_is_named_with_its_windows() -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"must hold stat_return_252_close, which alpha_momentum_252_21 reads; windows: return \[252\], return",
    ):
        score(ALPHAS["alpha_momentum_252_21"], columns_of(65))


def test_the_features_of_alphas_have_all_their_windows() -> None:
    assert alpha_features([momentum(60, 21), reversal(5), trend(60, 20)]) == FeatureSetConfig(
        windows={"return": ((5,), (21,), (60,)), "hv": ((20,),)},
        columns=("stat_return_60_close", "stat_return_21_close", "stat_return_5_close", "tech_hv_20_annual"),
    )


def test_a_forecast_is_scored_by_its_edge() -> None:
    probability = np.array([[[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [NAN, NAN, NAN]]])
    np.testing.assert_allclose(forecast_score(probability), [[0.3, 0.0, NAN]])
