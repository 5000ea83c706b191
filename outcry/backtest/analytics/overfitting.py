"""How often the best of many trials, chosen on half of the past, is a poor one on the other half."""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from outcry.backtest.analytics.deflated_sharpe import MIN_DEVIATION, check_trial_returns
from outcry.errors import ConfigurationError
from outcry.market.frame import FloatArray

N_BLOCKS = 16
MAX_BLOCKS = 20  # 184,756 combinations; two more blocks are four times as many
MIN_PERIODS_PER_BLOCK = 5
_CHUNK_CELLS = 1_000_000
_FLAT_VARIANCE = 1e-12  # of the variance of the trial; below it rounding is all there is
_TIE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Overfitting:
    """The trial that was best in sample, out of sample, for every way to split the blocks into halves.

    Attributes
    ----------
    n_trials, n_blocks : int
    logits : float64 (n_combinations,)
        Log odds of the relative rank out of sample, in (0, 1), of the trial that was best in sample: 0 is the median.
    in_sample_sharpes, out_of_sample_sharpes : float64 (n_combinations,)
        Of that trial, of one period.
    pbo_frac : float
        Probability of backtest overfitting: share of the combinations in which it fell below the median.
    slope, intercept : float or None
        Least squares of the ratios out of sample on those in sample: below 0, the better a trial looked the worse it
        did. None where the ratios in sample are all the same.
    loss_frac : float
        Share of the combinations in which it lost out of sample.
    """

    n_trials: int
    n_blocks: int
    logits: FloatArray
    in_sample_sharpes: FloatArray
    out_of_sample_sharpes: FloatArray
    pbo_frac: float
    slope: float | None
    intercept: float | None
    loss_frac: float


def backtest_overfitting(returns: FloatArray, n_blocks: int = N_BLOCKS) -> Overfitting | None:
    """Measure the choice of the best trial by combinatorially symmetric cross-validation.

    Parameters
    ----------
    returns : float64 (n_periods, n_trials)
        Simple returns above the risk-free one, of the same periods, one column for every trial that could have been
        chosen. The best few of a larger sweep give a figure that is too good.
    n_blocks : int
        Even, at most `MAX_BLOCKS`: consecutive blocks whose lengths differ by one period at most.

    Returns
    -------
    Overfitting or None
        None for fewer than two trials or `MIN_PERIODS_PER_BLOCK` periods a block, or where no trial varies.

    Raises
    ------
    ConfigurationError
        For a number of blocks that is odd or out of range.
    DataValidationError
        For returns that are not finite, or not of two dimensions.

    Notes
    -----
    No p-value: of sweeps of 20 trials without skill the figure is 0.5 on average with a deviation of 0.2, and below 0.2
    in one of ten.

    Where a trial does not vary in a half it did nothing there: its ratio is 0. Of trials equally good in sample the
    first is taken; equal ones out of sample share their mean rank. A logit of 0, the median itself, counts half, so
    that a choice without skill has 0.5 for any number of trials; software that counts it whole reports more for an odd
    one. What this ignores: what one block does to the next (positions held over the edge), and what it costs to change
    from trial to trial.

    Ten million pairs of combination and trial take about half a second on one core; beside three copies of the returns
    some 100 MB are needed, for any number of combinations.

    References
    ----------
    Bailey, Borwein, López de Prado and Zhu, The Probability of Backtest Overfitting, 2017: the CSCV procedure, and the
    overfit statistics (probability of overfitting, performance degradation, probability of loss).
    """
    check_trial_returns(returns)
    if n_blocks % 2 or not 2 <= n_blocks <= MAX_BLOCKS:
        raise ConfigurationError(f"n_blocks must be even and in [2, {MAX_BLOCKS}], was {n_blocks}")
    n_periods, n_trials = returns.shape
    if n_trials < 2 or n_periods < n_blocks * MIN_PERIODS_PER_BLOCK:
        return None
    deviations = returns.std(axis=0, ddof=1)
    if float(deviations.max()) <= MIN_DEVIATION:
        return None
    logits, inside, outside = _cross_validate(_block_sums(returns, deviations, n_blocks))
    slope, intercept = _regress(outside, inside)
    return Overfitting(
        n_trials=n_trials,
        n_blocks=n_blocks,
        logits=logits,
        in_sample_sharpes=inside,
        out_of_sample_sharpes=outside,
        pbo_frac=float((logits < 0).mean() + 0.5 * (logits == 0).mean()),
        slope=slope,
        intercept=intercept,
        loss_frac=float((outside < 0).mean()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _BlockSums:
    """Sums by block from which the Sharpe ratio of any union of blocks follows.

    Returns are standardised, so that little cancels. `n_periods` is float64 (n_blocks,), `sums` and `squares` are
    (n_blocks, n_trials), `overall` (n_trials,) is the ratio of the whole span.
    """

    n_periods: FloatArray
    sums: FloatArray
    squares: FloatArray
    overall: FloatArray

    def sharpes(self, is_in: FloatArray) -> FloatArray:
        """Return Sharpe ratios of unions of blocks (n_unions, n_blocks), 0 or 1, as float64 (n_unions, n_trials)."""
        n = (is_in @ self.n_periods)[:, np.newaxis]
        mean = (is_in @ self.sums) / n
        variance = (is_in @ self.squares - n * mean**2) / (n - 1.0)
        is_spread = variance > _FLAT_VARIANCE
        mean += self.overall
        np.sqrt(variance, out=variance, where=is_spread)
        return np.divide(mean, variance, out=np.zeros_like(mean), where=is_spread)


def _block_sums(returns: FloatArray, deviations: FloatArray, n_blocks: int) -> _BlockSums:
    n_periods = len(returns)
    edges = np.arange(n_blocks + 1) * n_periods // n_blocks
    mean = returns.mean(axis=0)
    scale = np.where(deviations > MIN_DEVIATION, deviations, np.inf)
    standard = (returns - mean) / scale
    return _BlockSums(
        n_periods=np.diff(edges).astype(np.float64),
        sums=np.add.reduceat(standard, edges[:-1], axis=0),
        squares=np.add.reduceat(standard**2, edges[:-1], axis=0),
        overall=mean / scale,
    )


def _cross_validate(blocks: _BlockSums) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return logits, ratios in sample and ratios out of sample, float64 (n_combinations,) each.

    Every half is computed once, and is in sample in one combination and out of sample in another.
    """
    n_blocks, n_trials = blocks.sums.shape
    halves = _halves_with_the_first_block(n_blocks)
    chunk = max(1, _CHUNK_CELLS // n_trials)
    forward, backward = [], []
    for start in range(0, len(halves), chunk):
        is_in = halves[start : start + chunk]
        one, other = blocks.sharpes(is_in), blocks.sharpes(1.0 - is_in)
        forward.append(_judge(one, other))
        backward.append(_judge(other, one))
    logits, inside, outside = np.concatenate(forward + backward, axis=1)
    return logits, inside, outside


def _halves_with_the_first_block(n_blocks: int) -> FloatArray:
    """Return every half of the blocks that holds block 0, float64 (n_combinations / 2, n_blocks), 0 or 1."""
    n_halves = math.comb(n_blocks - 1, n_blocks // 2 - 1)
    others = combinations(range(1, n_blocks), n_blocks // 2 - 1)
    is_in = np.zeros((n_halves, n_blocks))
    is_in[:, 0] = 1.0
    chosen = np.array(list(others), dtype=np.int64).reshape(n_halves, -1)
    np.put_along_axis(is_in, chosen, 1.0, axis=1)
    return is_in


def _judge(inside: FloatArray, outside: FloatArray) -> FloatArray:
    """Return logit, ratio in sample and out of sample of the best in sample, (3, n_unions), of (n_unions, n_trials)."""
    n_unions, n_trials = inside.shape
    row = np.arange(n_unions)
    best = (inside >= inside.max(axis=1, keepdims=True) - _TIE).argmax(axis=1)
    found = outside[row, best]
    n_below = np.count_nonzero(outside < found[:, np.newaxis] - _TIE, axis=1)
    n_up_to = np.count_nonzero(outside <= found[:, np.newaxis] + _TIE, axis=1)
    rank = 0.5 * (n_below + 1 + n_up_to)
    return np.stack((np.log(rank / (n_trials + 1 - rank)), inside[row, best], found))


def _regress(outside: FloatArray, inside: FloatArray) -> tuple[float | None, float | None]:
    centred = inside - inside.mean()
    spread = float(centred @ centred)
    if spread <= len(inside) * MIN_DEVIATION**2:
        return None, None
    slope = float(centred @ outside) / spread
    return slope, float(outside.mean()) - slope * float(inside.mean())
