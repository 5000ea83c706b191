"""Intervals cover as promised, whatever the noise."""

import numpy as np
import pytest
from scipy.stats import beta

from outcry.models.uncertainty.prediction_intervals import PredictionIntervals, quantile_scores
from outcry.models.uncertainty.ranked_scores import RankedScores
from training.conformal import fit_prediction_intervals


def _sample(seed: int, n_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scale = rng.uniform(0.01, 0.05, n_rows)
    forecast = rng.normal(0, 0.01, n_rows)
    return forecast, forecast + scale * rng.standard_t(3, n_rows), scale


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5])
def test_new_returns_are_covered_as_promised(alpha: float) -> None:
    """The coverage of one fit is beta distributed around 1 - alpha: Vovk, "Conditional validity", 2012."""
    n = 900
    forecast, outcome, scale = _sample(1, n + 50_000)
    fitted = fit_prediction_intervals(forecast[:n], outcome[:n], scale[:n])
    low, high = fitted.around(forecast[n:], scale[n:], alpha)
    miss = np.floor((n + 1) * alpha)
    least, most = beta.ppf([0.0005, 0.9995], n + 1 - miss, miss)
    assert least - 0.01 <= ((low <= outcome[n:]) & (outcome[n:] <= high)).mean() <= most + 0.01
    np.testing.assert_allclose((low + high) / 2, forecast[n:], atol=1e-15)


def test_a_scale_gives_quiet_symbols_narrow_intervals() -> None:
    forecast, outcome, scale = _sample(2, 5_000)
    fitted = fit_prediction_intervals(forecast, outcome, scale)
    low, high = fitted.around(np.zeros(2), np.array([0.01, 0.03]), 0.1)
    assert (high - low)[1] == pytest.approx(3 * (high - low)[0])


def test_forecast_quantiles_are_moved_until_they_cover() -> None:
    _, outcome, scale = _sample(3, 20_000)
    low, high = -0.3 * scale, 0.3 * scale  # far too narrow
    old, new = slice(0, 10_000), slice(10_000, None)
    fitted = PredictionIntervals(RankedScores.of(quantile_scores(low[old], high[old], outcome[old])))
    wider, higher = fitted.between(low[new], high[new], 0.1)
    assert ((wider <= outcome[new]) & (outcome[new] <= higher)).mean() == pytest.approx(0.9, abs=0.012)
    assert ((low[new] <= outcome[new]) & (outcome[new] <= high[new])).mean() < 0.3


def test_unknown_rows_are_left_out_and_too_few_promise_nothing() -> None:
    forecast, outcome, scale = _sample(4, 20)
    outcome[3], scale[5] = np.nan, np.nan
    fitted = fit_prediction_intervals(forecast, outcome, scale)
    assert fitted.ranked.n == 18
    low, high = fitted.around(forecast, scale, 0.05)
    assert np.isinf(low[0])
    assert np.isinf(high[0])
    assert np.isnan(high[5])
