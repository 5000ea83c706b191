"""Whether one run is better than another, or only luckier, over the sessions that both traded."""

import math
from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.bootstrap import MIN_RETURNS, optimal_mean_block, stationary_indices
from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.errors import DataValidationError
from outcry.market.frame import FloatArray

N_RESAMPLES = 5_000
LEVEL_FRAC = 0.95
_CHUNK_CELLS = 1_000_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of one run less that of another, with a percentile interval.

    `p_value` is the probability of a difference as large, of either sign, where there is none.
    """

    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two runs over the same sessions.

    Attributes
    ----------
    n_sessions : int
    mean_per_year : Difference
        Of mean returns, a simple annual fraction, of the first run less the second.
    sharpe : Difference or None
        Of annualised Sharpe ratios; None where one of them does not exist.
    correlation : float or None
        Of the returns; None where one of them does not vary.
    mean_block : float
        Mean length of a resampled block, in sessions.
    """

    n_sessions: int
    mean_per_year: Difference
    sharpe: Difference | None
    correlation: float | None
    mean_block: float
    n_resamples: int


def paired_test(
    first: FloatArray,
    second: FloatArray,
    per_year: float,
    rng: np.random.Generator,
    *,
    risk_free_per_year: float = 0.0,
    n_resamples: int = N_RESAMPLES,
) -> PairedTest | None:
    """Test the difference of two runs; None for fewer than `MIN_RETURNS` sessions.

    Parameters
    ----------
    first, second : float64 (n,)
        Simple returns of the same sessions.
    per_year : float
        Sessions in a year.

    Raises
    ------
    DataValidationError
        Where the lengths differ.

    Notes
    -----
    Sessions are drawn again in blocks, the same ones for both runs, so that what the runs have in common, the market,
    stays in common. The p-value is the share of the resampled differences, moved to a mean of 0, that are as far from 0
    as the one found. Block lengths are those that suit the difference of the returns. The difference is not
    studentised: of short spans the test says "different" somewhat too often.

    References
    ----------
    Ledoit and Wolf, Robust Performance Hypothesis Testing with the Sharpe Ratio, 2008, section 3.2, with the stationary
    bootstrap of Politis and Romano, 1994.
    """
    if first.shape != second.shape:
        raise DataValidationError(f"returns must be of the same sessions, had {len(first)} and {len(second)}")
    n = len(first)
    if n < MIN_RETURNS:
        return None
    gap = first - second
    block = optimal_mean_block(gap)
    risk_free = risk_free_per_year / per_year
    ratios = [sharpe_ratio(returns, per_year, risk_free_per_year) for returns in (first, second)]
    means, sharpes = [], []
    chunk = max(1, _CHUNK_CELLS // n)
    for start in range(0, n_resamples, chunk):
        drawn = stationary_indices(n, min(chunk, n_resamples - start), block, rng)
        means.append(gap[drawn].mean(axis=1))
        sharpes.append(_sharpes(first[drawn] - risk_free) - _sharpes(second[drawn] - risk_free))
    a, b = ratios
    is_spread = a is not None and b is not None
    return PairedTest(
        n_sessions=n,
        mean_per_year=_difference(float(gap.mean()) * per_year, np.concatenate(means) * per_year),
        sharpe=None if a is None or b is None else _difference(a - b, np.concatenate(sharpes) * math.sqrt(per_year)),
        correlation=float(np.corrcoef(first, second)[0, 1]) if is_spread else None,
        mean_block=block,
        n_resamples=n_resamples,
    )


def _sharpes(excess: FloatArray) -> FloatArray:
    """Return Sharpe ratios of resamples (n_resamples, n), of one session; 0 where returns do not vary."""
    mean, deviation = excess.mean(axis=1), excess.std(axis=1, ddof=1)
    return np.asarray(np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 1e-12))


def _difference(value: float, resampled: FloatArray) -> Difference:
    tail = (1.0 - LEVEL_FRAC) / 2.0
    low, high = np.quantile(resampled, (tail, 1.0 - tail))
    rounding = 1e-12 * max(1.0, abs(value))
    n_as_far = int(np.count_nonzero(np.abs(resampled - value) >= abs(value) - rounding))
    return Difference(value, float(low), float(high), (1 + n_as_far) / (1 + len(resampled)))
