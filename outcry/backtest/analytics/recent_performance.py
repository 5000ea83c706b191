"""How a run does lately: its forecasts whose outcome came in the last days, its equity and its speed over them."""

from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray
from outcry.models.evaluation import score


@dataclass(frozen=True, slots=True)
class RecentPerformance:
    """Figures of a window that ends now; None where there is nothing to measure.

    Attributes
    ----------
    n_frames, n_graded : int
        Frames that closed in it, forecasts whose outcome came in it.
    accuracy, log_loss, ece_frac : float or None
        See `outcry.models.evaluation.score`; log loss in nats.
    sharpe : float or None
        Of the returns from frame to frame, a year; of so few days a direction at most.
    latency_p50_ms, latency_p99_ms : float or None
        From a frame in the journal to all of its decisions there.
    """

    n_frames: int
    n_graded: int
    accuracy: float | None
    log_loss: float | None
    ece_frac: float | None
    sharpe: float | None
    latency_p50_ms: float | None
    latency_p99_ms: float | None


def recent_performance(
    equity: FloatArray,
    probability: FloatArray,
    labels: LabelArray,
    latency_ms: FloatArray,
    bars_per_year: float,
) -> RecentPerformance:
    """Measure a window.

    Parameters
    ----------
    equity : float64 (n_frames + 1,)
        After the frame before the window, and after each frame of it.
    probability : float64 (n_rows, n_symbols, 3)
        Of the frames whose outcome came in the window; NaN where there was no forecast.
    labels : int8 (n_rows, n_symbols)
        Of the same frames; negative where not known.
    latency_ms : float64 (n_frames,)
    bars_per_year : float
    """
    is_graded = np.isfinite(probability).all(axis=2) & (labels >= 0)
    found = score(probability[is_graded], labels[is_graded]) if is_graded.any() else None
    returns = np.diff(equity) / equity[:-1]
    p50, p99 = np.percentile(latency_ms, [50, 99]) if len(latency_ms) else (None, None)
    return RecentPerformance(
        n_frames=len(returns),
        n_graded=int(is_graded.sum()),
        accuracy=None if found is None else found.accuracy,
        log_loss=None if found is None else found.log_loss,
        ece_frac=None if found is None else found.ece_frac,
        sharpe=sharpe_ratio(returns, bars_per_year) if len(returns) > 1 else None,
        latency_p50_ms=None if p50 is None else float(p50),
        latency_p99_ms=None if p99 is None else float(p99),
    )
