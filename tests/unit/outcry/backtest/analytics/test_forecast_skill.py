"""Skill that is there is found, skill that is not there is not, and every figure is that of another library."""

import numpy as np
import statsmodels.api as sm
from scipy.stats import spearmanr
from sklearn.metrics import log_loss

from outcry.backtest.analytics.forecast_skill import MIN_FRAMES, ForecastSkill, forecast_skill
from outcry.market.frame import FloatArray

HORIZON_BARS = 3


def _market(
    rng: np.random.Generator, n_frames: int, n_symbols: int, strength: float
) -> tuple[FloatArray, FloatArray, np.ndarray, FloatArray]:
    """Forecasts whose log odds hold `strength` of the return that follows, base rates, labels, returns."""
    forward = 0.02 * rng.normal(size=(n_frames, n_symbols))
    noise = rng.normal(size=forward.shape)
    odds = strength * forward / 0.02 + noise
    scores = np.stack((odds, np.zeros_like(odds), -odds), axis=-1)
    probability = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    labels = np.digitize(-forward, (-0.01, 0.01)).astype(np.int8)
    base = np.tile((0.31, 0.38, 0.31), (n_frames, 1))
    return probability, base, labels, forward


def _skill(rng: np.random.Generator, n_frames: int, n_symbols: int, strength: float) -> ForecastSkill:
    found = forecast_skill(*_market(rng, n_frames, n_symbols, strength), HORIZON_BARS)
    assert found is not None
    return found


def test_figures_are_those_of_other_libraries() -> None:
    probability, base, labels, forward = _market(np.random.default_rng(3), 200, 15, 0.4)
    labels[-HORIZON_BARS:], forward[-HORIZON_BARS:] = -1, np.nan
    probability[20, 3] = np.nan
    found = forecast_skill(probability, base, labels, forward, HORIZON_BARS)
    assert found is not None
    is_graded = (labels >= 0) & np.isfinite(probability).all(axis=2)
    assert found.n_forecasts == is_graded.sum() == 197 * 15 - 1
    assert found.n_frames == 197
    np.testing.assert_allclose(found.log_loss, log_loss(labels[is_graded], probability[is_graded]))
    base_rows = np.tile(base[0], (found.n_forecasts, 1))
    np.testing.assert_allclose(found.base_log_loss, log_loss(labels[is_graded], base_rows))
    side = probability[..., 0] - probability[..., 2]
    series = np.array([spearmanr(s, r, nan_policy="omit")[0] for s, r in zip(side[:197], forward[:197], strict=True)])
    lags = 4  # floor(4 (197 / 100)^(2/9))
    fit = sm.OLS(series, np.ones(197)).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True})
    assert found.rank_ic is not None
    assert found.rank_icir is not None
    low, high = fit.conf_int()[0]
    np.testing.assert_allclose((found.rank_ic.mean, found.rank_ic.low, found.rank_ic.high), (series.mean(), low, high))
    np.testing.assert_allclose(found.rank_icir, series.mean() / series.std(ddof=1))
    assert found.hit is not None
    hits = (np.sign(side) == np.sign(forward))[is_graded & np.isfinite(forward)]
    np.testing.assert_allclose(found.hit.mean, hits.mean())


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Without skill the correlation is 0 and the hit rate one half, and an interval of 95 % misses one in twenty."""
    rng = np.random.default_rng(4)
    found = [_skill(rng, 250, 20, 0.0) for _ in range(300)]
    for intervals, truth in (
        ([each.ic for each in found], 0.0),
        ([each.rank_ic for each in found], 0.0),
        ([each.hit for each in found], 0.5),
    ):
        held = [each is not None and each.low <= truth <= each.high for each in intervals]
        assert 0.90 <= np.mean(held) <= 0.98  # binomial, 300 draws: 0.95 within four deviations


def test_skill_is_seen() -> None:
    found = _skill(np.random.default_rng(5), 250, 20, 0.3)
    assert found.rank_ic is not None
    assert found.rank_ic.low > 0.15
    assert found.hit is not None
    assert found.hit.low > 0.5


def test_overlapping_horizons_widen_the_interval() -> None:
    """A forecast that stays while the returns it is graded by overlap says the same thing again and again."""
    rng = np.random.default_rng(6)
    n_frames, n_symbols, horizon_bars = 600, 10, 20
    steps = rng.normal(size=(n_frames + horizon_bars, n_symbols))
    forward = np.stack([steps[t + 1 : t + 1 + horizon_bars].sum(axis=0) for t in range(n_frames)])
    odds = np.repeat(rng.normal(size=(n_frames // 20, n_symbols)), 20, axis=0)
    probability = np.stack((odds, np.zeros_like(odds), -odds), axis=-1)
    probability = np.exp(probability) / np.exp(probability).sum(axis=-1, keepdims=True)
    labels = np.digitize(-forward, (-2.0, 2.0)).astype(np.int8)
    base = np.tile((0.3, 0.4, 0.3), (n_frames, 1))
    naive = forecast_skill(probability, base, labels, forward, 1)
    aware = forecast_skill(probability, base, labels, forward, horizon_bars)
    assert naive is not None
    assert aware is not None
    assert naive.rank_ic is not None
    assert aware.rank_ic is not None
    assert aware.rank_ic.high - aware.rank_ic.low > 1.3 * (naive.rank_ic.high - naive.rank_ic.low)


def test_what_cannot_be_graded_is_not() -> None:
    probability, base, labels, forward = _market(np.random.default_rng(7), MIN_FRAMES - 1, 4, 0.3)
    few = forecast_skill(probability, base, labels, forward, 1)
    assert few is not None
    assert few.ic is few.rank_ic is few.rank_icir is few.hit is None
    assert forecast_skill(probability, base, np.full_like(labels, -1), forward, 1) is None
    alone = forecast_skill(*_market(np.random.default_rng(7), 100, 1, 0.3), 1)
    assert alone is not None
    assert alone.rank_ic is None
    assert alone.hit is not None
