"""How a run does lately: its forecasts whose outcome came in the last days, its equity and its speed over them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from outcry.backtest.analytics.bootstrap import MIN_RETURNS
from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.labels.horizon import LabelArray
from outcry.market.frame import BoolArray, FloatArray
from outcry.models.evaluation import score


@dataclass(frozen=True, slots=True)
class ShadowPerformance:
    """How a shadow did beside the model that traded, on the outcomes of which both had said something.

    Attributes
    ----------
    model_version : str
        Of the shadow.
    n_graded : int
        Those outcomes.
    accuracy, log_loss, ece_frac : float or None
        As of `RecentPerformance`.
    traded_accuracy, traded_log_loss, traded_ece_frac : float or None
        The same of what was traded on.
    """

    model_version: str
    n_graded: int
    accuracy: float | None
    log_loss: float | None
    ece_frac: float | None
    traded_accuracy: float | None
    traded_log_loss: float | None
    traded_ece_frac: float | None


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
        Of the returns from frame to frame, a year, of `MIN_RETURNS` or more; of so few days a direction at most.
    latency_p50_ms, latency_p99_ms : float or None
        From a frame in the journal to all of its decisions there.
    shadows : tuple of ShadowPerformance
        Of each model that was asked beside the one that traded, in the order of their first frames.
    """

    n_frames: int
    n_graded: int
    accuracy: float | None
    log_loss: float | None
    ece_frac: float | None
    sharpe: float | None
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    shadows: tuple[ShadowPerformance, ...] = ()


def recent_performance(
    equity: FloatArray,
    probability: FloatArray,
    labels: LabelArray,
    latency_ms: FloatArray,
    bars_per_year: float,
    *,
    shadows: Mapping[str, FloatArray] = MappingProxyType({}),
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
    shadows : mapping of str to float64 (n_rows, n_symbols, 3)
        What other models said of the same frames.
    """
    is_graded = np.isfinite(probability).all(axis=2) & (labels >= 0)
    accuracy, log_loss, ece_frac = _grade(probability, labels, is_graded)
    returns = np.diff(equity) / equity[:-1]
    p50, p99 = np.percentile(latency_ms, [50, 99]) if len(latency_ms) else (None, None)
    return RecentPerformance(
        n_frames=len(returns),
        n_graded=int(is_graded.sum()),
        accuracy=accuracy,
        log_loss=log_loss,
        ece_frac=ece_frac,
        sharpe=sharpe_ratio(returns, bars_per_year) if len(returns) >= MIN_RETURNS else None,
        latency_p50_ms=None if p50 is None else float(p50),
        latency_p99_ms=None if p99 is None else float(p99),
        shadows=tuple(
            _compare(version, said, probability, labels, is_graded & np.isfinite(said).all(axis=2))
            for version, said in shadows.items()
        ),
    )


def _compare(
    version: str, said: FloatArray, traded: FloatArray, labels: LabelArray, is_graded: BoolArray
) -> ShadowPerformance:
    grades = *_grade(said, labels, is_graded), *_grade(traded, labels, is_graded)
    return ShadowPerformance(version, int(is_graded.sum()), *grades)


def _grade(
    probability: FloatArray, labels: LabelArray, is_graded: BoolArray
) -> tuple[float | None, float | None, float | None]:
    """Return accuracy, log loss and calibration error of the chosen rows; None where there are none."""
    if not is_graded.any():
        return None, None, None
    found = score(probability[is_graded], labels[is_graded])
    return found.accuracy, found.log_loss, found.ece_frac
