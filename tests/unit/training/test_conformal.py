"""Coverage on real prices: of sets and intervals at a fixed level, and of sets that follow the outcomes."""

import lightgbm
import numpy as np
import polars as pl
import pytest

from outcry.errors import DataValidationError
from outcry.labels.direction import direction_labels, volatility_band
from outcry.labels.forward import forward_returns
from outcry.models.uncertainty.adaptive_sets import AdaptiveSets
from outcry.models.uncertainty.coverage import CoverageMonitor
from training.conformal import fit_prediction_intervals, fit_prediction_sets

HORIZON, ALPHA, GAMMA = 5, 0.1, 0.05
SYMBOLS = ("AAPL", "GE", "IBM", "JPM", "KO", "MSFT", "PG", "XOM")


@pytest.fixture(scope="module")
def market(market_data_dir):
    """Return features (n, 8, 6), labels, forward returns and volatility over the horizon, each (n, 8)."""
    bars = pl.read_parquet(market_data_dir / "sp500_daily_2013_2018.parquet").filter(pl.col("symbol").is_in(SYMBOLS))
    close = bars.pivot(on="symbol", index="ts", values="close").sort("ts").select(SYMBOLS).to_numpy()
    features = np.full((*close.shape, 6), np.nan)
    for column, k in enumerate((1, 2, 5, 10, 20)):
        features[k:, :, column] = close[k:] / close[:-k] - 1.0
    features[..., 5] = volatility_band(close, HORIZON, 1.0, 20)
    labels = direction_labels(close, HORIZON, volatility_band(close, HORIZON, 0.5, 20))
    return features, labels, forward_returns(close, HORIZON), features[..., 5]


@pytest.mark.realdata
def test_sets_that_follow_the_outcomes_cover_as_promised_where_a_fixed_level_is_found_to_be_off(market, capsys) -> None:
    features, labels, _, _ = market
    n = len(labels)
    train, fit, new = slice(20, n // 2 - HORIZON), slice(n // 2, n * 7 // 10 - HORIZON), slice(n * 7 // 10, n)
    model = lightgbm.LGBMClassifier(n_estimators=40, num_leaves=7, min_child_samples=60, n_jobs=1, verbose=-1)
    known = labels[train] >= 0
    model.fit(features[train][known], labels[train][known])
    probability = model.predict_proba(features.reshape(-1, 6)).reshape(*labels.shape, 3)
    sets = fit_prediction_sets(probability[fit].reshape(-1, 3), labels[fit].ravel())
    found = {}
    for name, gamma in (("split", 0.0), ("adaptive", GAMMA)):
        adaptive = AdaptiveSets(sets, ALPHA, gamma, HORIZON, len(SYMBOLS))
        monitor = CoverageMonitor(ALPHA, HORIZON, n - new.start)
        missed, sizes = [], []
        for t in range(new.start, n):
            outcome = labels[t - HORIZON] if t - HORIZON >= new.start else np.full(len(SYMBOLS), -1, dtype=np.int8)
            adaptive.update(probability[t], outcome)
            monitor.update(*adaptive.counts)
            sizes.append(adaptive.sets.sum(axis=1).mean())
            if adaptive.counts[1]:
                missed.append(1 - adaptive.counts[0] / adaptive.counts[1])
        found[name] = 1 - np.mean(missed)
        report = monitor.report
        assert report is not None
        assert report.is_off == (name == "split")
        with capsys.disabled():
            print(
                f"\n{name}: stated {1 - ALPHA:.3f}, came {found[name]:.3f}, "
                f"interval {report.low_frac:.3f} to {report.high_frac:.3f}, {np.mean(sizes):.2f} classes a set"
            )
    bound = (max(ALPHA, 1 - ALPHA) + HORIZON * GAMMA) / (GAMMA * len(missed))
    assert abs(found["adaptive"] - (1 - ALPHA)) <= bound
    assert 0.94 < found["split"] < 0.99  # the last years are calmer than those it was fitted on
    assert abs(found["adaptive"] - (1 - ALPHA)) < 0.02


@pytest.mark.realdata
def test_intervals_of_real_returns_in_units_of_their_volatility_cover_nearly_as_promised(market) -> None:
    _, _, forward, volatility = market
    n = len(forward)
    forecast = np.zeros(n * len(SYMBOLS))  # the best guess of a five-day return
    old, new = slice(0, n // 2 * len(SYMBOLS)), slice((n // 2 + HORIZON) * len(SYMBOLS), None)
    outcome, scale = forward.ravel(), volatility.ravel()
    fitted = fit_prediction_intervals(forecast[old], outcome[old], scale[old])
    low, high = fitted.around(forecast[new], scale[new], 0.2)
    is_known = np.isfinite(outcome[new])
    covered = ((low <= outcome[new]) & (outcome[new] <= high))[is_known]
    assert covered.mean() == pytest.approx(0.8, abs=0.04)


def test_probabilities_of_another_shape_are_refused() -> None:
    with pytest.raises(DataValidationError, match=r"probability must have shape \(4, 3\), was \(4, 2\)"):
        fit_prediction_sets(np.ones((4, 2)), np.zeros(4, dtype=np.int8))
