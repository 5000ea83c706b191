"""What scores of symbols are worth before anybody trades them: their order, and how long it lasts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outcry.alphas.cross_section import standardise
from outcry.alphas.information import information_coefficients, rank_information_coefficients
from outcry.alphas.orthogonal import second_moments
from outcry.backtest.analytics.forecast_skill import MIN_FRAMES, MeanInterval, hit_rate, mean_over_frames
from outcry.labels.forward import forward_returns
from outcry.market.frame import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class AlphaSkill:
    """How good the scores of a span were.

    Attributes
    ----------
    n_frames : int
        In which two symbols had a score.
    ic, rank_ic : MeanInterval or None
        Mean over frames of the correlation, across symbols, of score and return over the horizon; of the values
        (Pearson), and of their ranks (Spearman). None where too few frames can be graded.
    late_rank_ic : MeanInterval or None
        Of ranks with the return over a horizon that begins a bar later, when an order can trade. What is lost by it was
        in the last price alone: a trade at the bid comes back without anybody earning it.
    rank_icir : float or None
        Mean of the rank correlations over their deviation, by frame.
    hit : MeanInterval or None
        How often a score above the mean of its frame came with a return above that of its frame, and below with below.
    decay : tuple of float or None
        Mean rank correlation with the return over each of the horizons that were asked for.
    """

    n_frames: int
    ic: MeanInterval | None
    rank_ic: MeanInterval | None
    late_rank_ic: MeanInterval | None
    rank_icir: float | None
    hit: MeanInterval | None
    decay: tuple[float | None, ...]


def alpha_skill(score: FloatArray, close: FloatArray, horizon_bars: int, horizons: Sequence[int]) -> AlphaSkill:
    """Grade scores against the returns that follow.

    Parameters
    ----------
    score : float64 (n_frames, n_symbols)
        NaN where not known.
    close : float64 (n_frames, n_symbols)
        As if no share had ever been split.
    horizon_bars : int
        Of the returns.
    horizons : sequence of int
        Bars; of `AlphaSkill.decay`.

    References
    ----------
    Grinold and Kahn, Active Portfolio Management, 1999, chapter 6 (information coefficient, ratio and horizon). Roll,
    A Simple Implicit Measure of the Effective Bid-Ask Spread, 1984 (prices that bounce).
    """
    forward = forward_returns(close, horizon_bars)
    ranked = rank_information_coefficients(score, forward)
    known = ranked[~np.isnan(ranked)]
    deviation = float(known.std(ddof=1)) if len(known) >= MIN_FRAMES else 0.0
    is_graded = np.isfinite(score) & np.isfinite(forward)
    decay = (mean_over_frames(rank_information_coefficients(score, forward_returns(close, h)), h) for h in horizons)
    return AlphaSkill(
        n_frames=int((np.isfinite(score).sum(axis=1) > 1).sum()),
        ic=mean_over_frames(information_coefficients(score, forward), horizon_bars),
        rank_ic=mean_over_frames(ranked, horizon_bars),
        late_rank_ic=mean_over_frames(rank_information_coefficients(score[:-1], forward[1:]), horizon_bars),
        rank_icir=float(known.mean()) / deviation if deviation > 0.0 else None,
        hit=hit_rate(_above_mean(score, is_graded), _above_mean(forward, is_graded), horizon_bars),
        decay=tuple(None if each is None else each.mean for each in decay),
    )


def alpha_correlations(scores: FloatArray) -> FloatArray:
    """Return how alike alphas are, float64 (n_alphas, n_alphas) in [-1, 1], of scores (n_alphas, n_frames, n_symbols).

    Across symbols, over all frames, where all alphas know a symbol; NaN for one whose scores are all equal.
    """
    moments = second_moments(standardise(scores))
    deviations = np.sqrt(np.diag(moments))
    scale = np.outer(deviations, deviations)
    found: FloatArray = np.divide(moments, scale, out=np.full(moments.shape, np.nan), where=scale > 0.0)
    return found


def _above_mean(values: FloatArray, is_graded: BoolArray) -> FloatArray:
    """Return graded values less the mean of their frame; NaN for the others."""
    kept = np.where(is_graded, values, 0.0)
    mean = kept.sum(axis=1, keepdims=True) / np.maximum(is_graded.sum(axis=1, keepdims=True), 1)
    return np.where(is_graded, values - mean, np.nan)
