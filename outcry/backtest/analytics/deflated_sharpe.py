"""What a Sharpe ratio is worth once it is known how many were tried."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.backtest.analytics.significance import convincing_sharpe, probabilistic_sharpe
from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import BoolArray, FloatArray

MIN_DEVIATION = 1e-12  # returns that vary by less differ by rounding
_SAME_SHARPE = 1e-6


@dataclass(frozen=True, slots=True)
class DeflatedSharpe:
    """One trial against the best that luck makes of all of them; Sharpe ratios are of one period, not annualised.

    Attributes
    ----------
    sharpe : float
        Of the trial.
    expected_max_sharpe : float
        Of the best of as many trials without skill.
    deflated_sharpe_frac : float
        Probability that the true Sharpe ratio of the trial is above it.
    n_trials : int
        With a Sharpe ratio.
    n_independent : float
        The number of independent trials that was reckoned with.
    convincing_sharpe : float or None
        At which the deflated Sharpe ratio would be 0.95, returns being as long, skewed and heavy-tailed as they are.
    """

    sharpe: float
    expected_max_sharpe: float
    deflated_sharpe_frac: float
    n_trials: int
    n_independent: float
    convincing_sharpe: float | None


def deflated_sharpe(
    returns: FloatArray, trial_sharpes: FloatArray, n_independent: float | None = None
) -> DeflatedSharpe | None:
    """Return the probability that a trial is better than the best that luck makes of all of them.

    Parameters
    ----------
    returns : float64 (n_periods,)
        Simple returns of the trial, mostly the best, above the risk-free one; above those of a benchmark where every
        trial holds the market, since what the market earned is no skill and lifts them all.
    trial_sharpes : float64 (n_trials,)
        Sharpe ratio of every trial that could have been chosen, of one period, not annualised, the trial's own among
        them; NaN for a trial that failed or never traded, which is left out. See `sharpe_by_trial`.
    n_independent : float or None
        None takes the count of `trial_sharpes`; a number such as that of `effective_trials` deflates less.

    Returns
    -------
    DeflatedSharpe or None
        None for fewer than two trials with a Sharpe ratio, or where `probabilistic_sharpe` is None.

    Raises
    ------
    DataValidationError
        For an infinite Sharpe ratio, or where the trial's own is not among them: that of a year, for instance.
    ConfigurationError
        For an `n_independent` below 1.

    Notes
    -----
    The count is the default because it keeps its promise: of sweeps without skill, independent, in groups or with one
    factor in common, at most 5 % come out above 0.95. What trials have in common narrows the variance of their ratios,
    so that most of their correlation is in the threshold already; a smaller number discounts it twice. No p-value, all
    the same: without skill it gathers around 0.5, and for 100 independent trials 1 sweep in 500 is above 0.95, which
    asks for 1.6 standard errors more than the *expected* best. Skill among the trials widens the variance of their
    ratios, and raises the threshold too.

    References
    ----------
    Bailey and López de Prado, The Deflated Sharpe Ratio, 2014, eq. 2.
    """
    known = trial_sharpes[~np.isnan(trial_sharpes)]
    if np.isinf(known).any():
        raise DataValidationError("trial_sharpes must be finite, or NaN for a trial without one; some were infinite")
    ratio = sharpe_ratio(returns, per_year=1.0)
    if len(known) < 2 or ratio is None:
        return None
    if float(np.abs(known - ratio).min()) > _SAME_SHARPE * max(1.0, abs(ratio)):
        raise DataValidationError(f"trial_sharpes must hold that of returns, {ratio:.6g} a period, and did not")
    count = float(len(known)) if n_independent is None else n_independent
    threshold = expected_max_sharpe(float(known.var(ddof=1)), count)
    probability = probabilistic_sharpe(returns, threshold)
    if probability is None:
        return None
    enough = convincing_sharpe(returns, threshold)
    return DeflatedSharpe(ratio, threshold, probability, len(known), count, enough)


def expected_max_sharpe(sharpe_variance: float, n_independent: float) -> float:
    """Return the Sharpe ratio to expect of the best of independent trials without skill, in the unit of the variance.

    Parameters
    ----------
    sharpe_variance : float
        Of the Sharpe ratios across the trials, at least 0.
    n_independent : float
        Number of independent trials, at least 1; for one trial the result is 0.

    References
    ----------
    Bailey and López de Prado, The Deflated Sharpe Ratio, 2014, eq. 1 with a mean of 0:
    ``√V ((1 − γ) Φ⁻¹(1 − 1/N) + γ Φ⁻¹(1 − 1/(N e)))``, γ the Euler-Mascheroni constant. An approximation for many
    trials: 0.52 instead of 0.56 deviations for two. It turns negative between one trial and two; 0 is returned there.
    """
    if n_independent < 1 or not sharpe_variance >= 0:
        raise ConfigurationError(
            f"n_independent must be at least 1 and sharpe_variance at least 0, were {n_independent}, {sharpe_variance}"
        )
    if n_independent == 1:
        return 0.0
    low, high = ndtri(1.0 - 1.0 / n_independent), ndtri(1.0 - 1.0 / (n_independent * math.e))
    deviations = (1.0 - np.euler_gamma) * float(low) + np.euler_gamma * float(high)
    return math.sqrt(sharpe_variance) * max(deviations, 0.0)


def effective_trials(returns: FloatArray) -> float | None:
    """Return the number of independent trials that trials with this mean correlation amount to, in [1, n_trials].

    Parameters
    ----------
    returns : float64 (n_periods, n_trials)
        Of the same periods. A trial without variance is left out; None where all are.

    Raises
    ------
    DataValidationError
        For returns that are not finite, or not of two dimensions.

    Notes
    -----
    ``ρ̄ + (1 − ρ̄) N``, exact for trials that are all the same and for independent ones. What it ignores: how the
    correlation is spread. Ten groups of ten equal trials are ten trials, and count as 91. Given to `deflated_sharpe` it
    puts up to 8 % of the best of trials that share one strong factor above 0.95, instead of 5. The participation ratio
    of the eigenvalues, ``(Σλ)² / Σλ²``, finds the ten groups, but counts a hundred trials with a correlation of 0.5
    as four, and then calls luck skill in one sweep of five: it is not offered.

    References
    ----------
    Bailey and López de Prado, The Deflated Sharpe Ratio, 2014, appendix: the number of independent trials.
    """
    check_trial_returns(returns)
    varying = returns[:, _is_varying(returns)]
    n_periods, n_trials = varying.shape
    if n_trials < 2:
        return 1.0 if n_trials else None
    standard = (varying - varying.mean(axis=0)) / varying.std(axis=0, ddof=1)
    total = float((standard.sum(axis=1) ** 2).sum()) / (n_periods - 1)  # the sum of all correlations
    mean_correlation = (total - n_trials) / (n_trials * (n_trials - 1))
    return float(min(max(mean_correlation + (1.0 - mean_correlation) * n_trials, 1.0), n_trials))


def sharpe_by_trial(returns: FloatArray) -> FloatArray:
    """Return the Sharpe ratio of one period of every trial, float64 (n_trials,); NaN without variance.

    Parameters
    ----------
    returns : float64 (n_periods, n_trials)
        Simple returns above the risk-free one.

    Raises
    ------
    DataValidationError
        For returns that are not finite, or not of two dimensions.
    """
    check_trial_returns(returns)
    ratios = np.full(returns.shape[1], np.nan)
    is_varying = _is_varying(returns)
    varying = returns[:, is_varying]
    if varying.size:
        ratios[is_varying] = varying.mean(axis=0) / varying.std(axis=0, ddof=1)
    return ratios


def check_trial_returns(returns: FloatArray) -> None:
    """Raise `DataValidationError` unless returns are finite, float64 (n_periods, n_trials)."""
    if returns.ndim != 2:
        raise DataValidationError(f"returns must have the shape (n_periods, n_trials), was {returns.shape}")
    broken = np.flatnonzero(~np.isfinite(returns).all(axis=0))
    if broken.size:
        raise DataValidationError(f"returns must be finite, were not in {broken.size} trials, first in {broken[0]}")


def _is_varying(returns: FloatArray) -> BoolArray:
    if len(returns) < 2:
        return np.zeros(returns.shape[1], dtype=np.bool_)
    return np.asarray(returns.std(axis=0, ddof=1) > MIN_DEVIATION)
