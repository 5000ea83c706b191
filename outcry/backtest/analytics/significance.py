"""Whether a result can be told from luck: how likely skill is, how long it takes to show, and what timing was worth."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import kurtosis, skew

from outcry.backtest.analytics.bootstrap import MIN_RETURNS
from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.market.frame import FloatArray

MIN_FRAMES = 60
LEVEL_FRAC = 0.95


@dataclass(frozen=True, slots=True)
class Evidence:
    """How far the result of a run can be told from luck.

    Attributes
    ----------
    probabilistic_sharpe_frac : float or None
        Probability that the true Sharpe ratio is above 0.
    min_track_record_sessions : int or None
        Sessions like these that would make it `LEVEL_FRAC`; None where no number of them does.
    timing : TimingTest or None
    """

    probabilistic_sharpe_frac: float | None
    min_track_record_sessions: int | None
    timing: "TimingTest | None"


@dataclass(frozen=True, slots=True)
class TimingTest:
    """The positions of a run against the same positions held at other times.

    Attributes
    ----------
    gain : float
        Sum over frames and symbols of weight before and return after: what the positions earned, before costs.
    expected_gain : float
        Its mean over all shifts in time: what the same positions earn without timing.
    p_value : float
        Share of the shifts that earned as much or more, the run itself included.
    n_shifts : int
    """

    gain: float
    expected_gain: float
    p_value: float
    n_shifts: int


def probabilistic_sharpe(returns: FloatArray, target: float = 0.0) -> float | None:
    """Return the probability that the true Sharpe ratio exceeds `target`; None without variance or `MIN_RETURNS`.

    Parameters
    ----------
    returns : float64 (n,)
        Simple returns of equal periods, above the risk-free one.
    target : float
        A Sharpe ratio of one period, not annualised.

    References
    ----------
    Bailey and López de Prado, The Sharpe Ratio Efficient Frontier, 2012, eq. 11:
    ``Φ((SR − SR*) √(n − 1) / √(1 − γ₃ SR + (γ₄ − 1) SR² / 4))``, unbiased skewness γ₃ and kurtosis γ₄.
    """
    moments = _moments(returns)
    if moments is None:
        return None
    ratio, variance = moments
    return float(ndtr((ratio - target) * math.sqrt((len(returns) - 1) / variance)))


def min_track_record(returns: FloatArray, target: float = 0.0, level_frac: float = LEVEL_FRAC) -> int | None:
    """Return how many returns like these tell their Sharpe ratio from `target` at a level of confidence.

    None where it is not above the target, or where `probabilistic_sharpe` is None.

    References
    ----------
    Bailey and López de Prado, The Sharpe Ratio Efficient Frontier, 2012, eq. 12:
    ``1 + (1 − γ₃ SR + (γ₄ − 1) SR² / 4) (z / (SR − SR*))²``.
    """
    moments = _moments(returns)
    if moments is None or moments[0] <= target:
        return None
    ratio, variance = moments
    return math.ceil(1.0 + variance * (float(ndtri(level_frac)) / (ratio - target)) ** 2)


def convincing_sharpe(returns: FloatArray, target: float, level_frac: float = LEVEL_FRAC) -> float | None:
    """Return the Sharpe ratio that returns like these would need for their `probabilistic_sharpe` to be at a level.

    Length, skewness and kurtosis stay as they are, and only the mean is another: the larger root S of
    ``(n − 1)(S − SR*)² = z² (1 − γ₃ S + (γ₄ − 1) S² / 4)``. None where `probabilistic_sharpe` is None, or where no
    Sharpe ratio is enough.
    """
    if _moments(returns) is None:
        return None
    third, fourth = _shape(returns)
    n, z = len(returns) - 1, float(ndtri(level_frac))
    square, linear, constant = n - z**2 * (fourth - 1.0) / 4.0, -2.0 * n * target + z**2 * third, n * target**2 - z**2
    discriminant = linear**2 - 4.0 * square * constant
    if square <= 0 or discriminant < 0:
        return None
    return (math.sqrt(discriminant) - linear) / (2.0 * square)


def timing_test(weights: FloatArray, returns: FloatArray) -> TimingTest | None:
    """Test whether positions were held when it paid, by every shift in time of the returns against them.

    Parameters
    ----------
    weights : float64 (n, n_symbols)
        Signed fractions of equity held when the return begins.
    returns : float64 (n, n_symbols)
        Of the symbols, over the frame that follows; 0 where there is none.

    Returns
    -------
    TimingTest or None
        None below `MIN_FRAMES`, or where no weight ever changes: there is no timing then.

    Notes
    -----
    All symbols are shifted together around a circle, so the correlation of the symbols, the clusters of volatility and
    the habits of the positions stay as they are; only which return met which position is another. Where positions and
    returns have nothing to do with each other, every shift is as likely as the one that happened, and the p-value is
    uniform. What a constant exposure to a rising market earns is earned at every shift, and is no timing.

    References
    ----------
    Aronson, Evidence-Based Technical Analysis, 2006, chapter 5: the Monte Carlo permutation of positions against
    returns. The shifts are circular, all of them instead of a sample: Politis and Romano, A circular block-resampling
    procedure, 1992.
    """
    if len(weights) < MIN_FRAMES or not np.ptp(weights, axis=0).any():
        return None
    spectrum = np.fft.rfft(weights, axis=0).conj() * np.fft.rfft(returns, axis=0)
    gains = np.fft.irfft(spectrum.sum(axis=1), n=len(weights))
    gain = float((weights * returns).sum())
    rounding = 1e-9 * float(np.abs(weights).sum(axis=1) @ np.abs(returns).max(axis=1))
    n_as_good = int(np.count_nonzero(gains[1:] >= gain - rounding))
    return TimingTest(gain, float(gains.mean()), (1 + n_as_good) / len(gains), len(gains))


def _moments(returns: FloatArray) -> tuple[float, float] | None:
    """Return the Sharpe ratio of one period, and n − 1 times the variance of its estimate."""
    ratio = sharpe_ratio(returns, per_year=1.0)
    if len(returns) < MIN_RETURNS or ratio is None:
        return None
    third, fourth = _shape(returns)
    variance = 1.0 - third * ratio + (fourth - 1.0) / 4.0 * ratio**2
    return (ratio, variance) if variance > 0 else None


def _shape(returns: FloatArray) -> tuple[float, float]:
    """Return skewness and kurtosis, without bias; 3 is the kurtosis of a normal distribution."""
    return float(skew(returns, bias=False)), float(kurtosis(returns, fisher=False, bias=False))
