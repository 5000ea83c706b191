"""What forecasts are worth before anybody trades them: their order, their side, their probabilities, with intervals."""

import math
from dataclasses import dataclass

import numpy as np

from outcry.alphas.information import information_coefficients, rank_information_coefficients
from outcry.backtest.analytics.factor_attribution import newey_west, newey_west_lags
from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.evaluation import score

MIN_FRAMES = 30
"""With fewer, no interval is given."""
LEVEL_FRAC = 0.95
_HALF_WIDTH = 1.959963984540054
"""Of the normal interval of `LEVEL_FRAC`, in deviations."""


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """A mean over frames, and the interval that holds it with probability `LEVEL_FRAC`.

    Neighbouring frames have horizons in common: deviations are those of Newey and West.
    """

    mean: float
    low: float
    high: float

    @property
    def t(self) -> float:
        """The mean in units of its deviation; NaN where there is none."""
        half = self.high - self.mean
        return _HALF_WIDTH * self.mean / half if half > 0.0 else math.nan


@dataclass(frozen=True, slots=True)
class ForecastSkill:
    """How good the forecasts of a span were.

    Attributes
    ----------
    n_frames, n_forecasts : int
        That could be graded.
    ic, rank_ic : MeanInterval or None
        Mean over frames of the correlation, across symbols, of ``p_up - p_down`` and the return over the horizon; of
        the values (Pearson), and of their ranks (Spearman). None where too few frames have two symbols that differ.
    rank_icir : float or None
        Mean of the rank correlations over their deviation, by frame.
    hit : MeanInterval or None
        How often the sign of ``p_up - p_down`` was that of the return, a fraction.
    log_loss, base_log_loss : float
        In nats; the second is what the class frequencies of the training rows alone achieve.
    ece_frac : float
        Expected calibration error, see `outcry.models.evaluation.score`.
    """

    n_frames: int
    n_forecasts: int
    ic: MeanInterval | None
    rank_ic: MeanInterval | None
    rank_icir: float | None
    hit: MeanInterval | None
    log_loss: float
    base_log_loss: float
    ece_frac: float


def forecast_skill(
    probability: FloatArray, base: FloatArray, labels: LabelArray, forward: FloatArray, horizon_bars: int
) -> ForecastSkill | None:
    """Grade forecasts against labels and returns of the same frames; None where none can be graded.

    Parameters
    ----------
    probability : float64 (n_frames, n_symbols, 3)
        NaN where there is no forecast.
    base : float64 (n_frames, 3)
        Class frequencies that were known at the frame.
    labels : int8 (n_frames, n_symbols)
        Negative where the horizon has not passed.
    forward : float64 (n_frames, n_symbols)
        Returns over the horizon.
    horizon_bars : int

    References
    ----------
    Grinold and Kahn, Active Portfolio Management, 1999, chapter 6 (information coefficient and ratio).
    Newey and West, 1987: see `outcry.backtest.analytics.factor_attribution.newey_west`.
    """
    is_graded = np.isfinite(probability).all(axis=2) & (labels >= 0)
    if not is_graded.any():
        return None
    side = np.where(is_graded, probability[:, :, Direction.UP] - probability[:, :, Direction.DOWN], np.nan)
    ranked = rank_information_coefficients(side, forward)
    scores = score(probability[is_graded], labels[is_graded])
    of_base = np.broadcast_to(base[:, np.newaxis], probability.shape)[is_graded]
    known = ranked[~np.isnan(ranked)]
    deviation = known.std(ddof=1) if len(known) >= MIN_FRAMES else 0.0
    return ForecastSkill(
        n_frames=int(is_graded.any(axis=1).sum()),
        n_forecasts=int(is_graded.sum()),
        ic=mean_over_frames(information_coefficients(side, forward), horizon_bars),
        rank_ic=mean_over_frames(ranked, horizon_bars),
        rank_icir=float(known.mean() / deviation) if deviation > 0.0 else None,
        hit=hit_rate(side, forward, horizon_bars),
        log_loss=scores.log_loss,
        base_log_loss=score(of_base, labels[is_graded]).log_loss,
        ece_frac=scores.ece_frac,
    )


def hit_rate(side: FloatArray, forward: FloatArray, horizon_bars: int) -> MeanInterval | None:
    """Return how often the sign of one is that of the other, both float64 (n_frames, n_symbols); NaN and 0 are none."""
    sign = np.sign(side) * np.sign(forward)
    is_taken = np.isfinite(sign) & (sign != 0.0)
    n_taken, n_hits = is_taken.sum(axis=1), (sign > 0.0).sum(axis=1)
    used = n_taken > 0
    n_frames = int(used.sum())
    if n_frames < MIN_FRAMES:
        return None
    # a ratio of two sums over frames: what is left of each frame, over the mean number of forecasts in one
    mean = float(n_hits.sum() / n_taken.sum())
    left = (n_hits - mean * n_taken)[used] / n_taken[used].mean()
    return _around(mean, left, horizon_bars)


def mean_over_frames(values: FloatArray, horizon_bars: int) -> MeanInterval | None:
    """Return the mean of float64 (n_frames,), NaN left out; None where fewer than `MIN_FRAMES` are known."""
    known = values[~np.isnan(values)]
    if len(known) < MIN_FRAMES:
        return None
    return _around(float(known.mean()), known, horizon_bars)


def _around(mean: float, values: FloatArray, horizon_bars: int) -> MeanInterval:
    n_lags = min(max(horizon_bars, newey_west_lags(len(values))), len(values) - 1)
    deviation = float(newey_west(np.ones((len(values), 1)), values, n_lags)[1][0])
    half = _HALF_WIDTH * deviation if math.isfinite(deviation) else math.nan
    return MeanInterval(mean, mean - half, mean + half)
