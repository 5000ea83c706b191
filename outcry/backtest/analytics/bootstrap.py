"""How sure a Sharpe ratio is: a bootstrap that keeps the dependence of neighbouring returns."""

import math
from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.errors import ConfigurationError
from outcry.market.frame import FloatArray, IntArray

MIN_RETURNS = 10
_CHUNK_CELLS = 1_000_000


@dataclass(frozen=True, slots=True)
class SharpeInterval:
    """A percentile interval of the annualised Sharpe ratio.

    Attributes
    ----------
    low, high : float
        Of the interval that holds `level_frac` of the resamples.
    probability_positive : float
        Share of the resamples with a Sharpe ratio above 0.
    mean_block : float
        Mean length of a resampled block, in returns.
    """

    low: float
    high: float
    level_frac: float
    probability_positive: float
    mean_block: float
    n_resamples: int


def sharpe_interval(
    returns: FloatArray,
    per_year: float,
    rng: np.random.Generator,
    *,
    n_resamples: int = 2_000,
    level_frac: float = 0.95,
    mean_block: float | None = None,
) -> SharpeInterval | None:
    """Return the interval, or None for fewer than `MIN_RETURNS` returns or returns without variance.

    Parameters
    ----------
    returns : float64 (n,)
        Simple returns of equal periods, `per_year` of them in a year.
    mean_block : float or None
        In returns; None takes the rule of `optimal_mean_block`.

    References
    ----------
    Politis and Romano, The Stationary Bootstrap, JASA 1994: blocks of geometric length on a circle.
    """
    if not 0 < level_frac < 1:
        raise ConfigurationError(f"level_frac must be in (0, 1), was {level_frac}")
    if len(returns) < MIN_RETURNS or sharpe_ratio(returns, per_year) is None:
        return None
    block = optimal_mean_block(returns) if mean_block is None else mean_block
    chunk = max(1, _CHUNK_CELLS // len(returns))
    ratios = []
    for start in range(0, n_resamples, chunk):
        sample = returns[stationary_indices(len(returns), min(chunk, n_resamples - start), block, rng)]
        deviation = sample.std(axis=1, ddof=1)
        mean = sample.mean(axis=1)
        ratios.append(np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 0))
    sharpe = np.concatenate(ratios) * math.sqrt(per_year)
    tail = (1.0 - level_frac) / 2.0
    low, high = np.quantile(sharpe, (tail, 1.0 - tail))
    return SharpeInterval(float(low), float(high), level_frac, float((sharpe > 0).mean()), block, n_resamples)


def stationary_indices(n: int, n_resamples: int, mean_block: float, rng: np.random.Generator) -> IntArray:
    """Return rows of indices into a series of length `n`, int64 (n_resamples, n).

    Each index follows its neighbour, around the circle, except that with probability ``1 / mean_block`` a new block
    starts anywhere.
    """
    if mean_block < 1:
        raise ConfigurationError(f"mean_block must be at least 1, was {mean_block}")
    column = np.arange(n)
    is_start = rng.random((n_resamples, n)) < 1.0 / mean_block
    is_start[:, 0] = True
    started_at = np.maximum.accumulate(np.where(is_start, column, 0), axis=1)
    origin = np.take_along_axis(rng.integers(0, n, size=(n_resamples, n)), started_at, axis=1)
    return np.asarray((origin + column - started_at) % n, dtype=np.int64)


def optimal_mean_block(returns: FloatArray) -> float:
    """Return the mean block length that estimates the variance of the mean best, at least 1, in returns.

    References
    ----------
    Politis and White, Automatic Block-Length Selection, 2004, section 3.2, with the correction of Patton, Politis and
    White, 2009: ``b = (2 G^2 / D)^(1/3) n^(1/3)``, ``D = 2 g(0)^2`` for the stationary bootstrap.
    """
    n = len(returns)
    demeaned = returns - returns.mean()
    quiet_lags = max(5, math.isqrt(int(math.log10(n))))
    max_lag = min(math.ceil(math.sqrt(n)) + quiet_lags, n - 1)
    covariance = np.array([demeaned[lag:] @ demeaned[: n - lag] / n for lag in range(max_lag + 1)])
    if covariance[0] <= 0:
        return 1.0
    is_loud = np.abs(covariance[1:] / covariance[0]) >= 2.0 * math.sqrt(math.log10(n) / n)
    bandwidth = min(2 * max(_last_loud_lag(is_loud, quiet_lags), 1), max_lag)
    lags = np.arange(1, bandwidth + 1)
    window = np.minimum(1.0, 2.0 * (1.0 - lags / bandwidth))  # flat top: 1 up to half the bandwidth, then down to 0
    weighted = window * covariance[1 : bandwidth + 1]
    spectrum = covariance[0] + 2.0 * weighted.sum()
    slope = 2.0 * (weighted * lags).sum()
    if spectrum <= 0:
        return 1.0
    block = ((slope / spectrum) ** 2) ** (1 / 3) * n ** (1 / 3)
    return float(min(max(block, 1.0), math.ceil(min(3.0 * math.sqrt(n), n / 3.0))))


def _last_loud_lag(is_loud: np.ndarray[tuple[int], np.dtype[np.bool_]], quiet_lags: int) -> int:
    """Return the last lag before `quiet_lags` quiet ones in a row; without such a stretch, the last loud lag."""
    for lag in range(len(is_loud) - quiet_lags + 1):
        if not is_loud[lag : lag + quiet_lags].any():
            return lag
    return int(np.flatnonzero(is_loud)[-1]) + 1 if is_loud.any() else 0
