"""Why the best trial of a sweep may mean less than it seems to, in words."""

from collections.abc import Iterator

from outcry.backtest.analytics.deflated_sharpe import DeflatedSharpe
from outcry.backtest.analytics.overfitting import Overfitting
from outcry.backtest.analytics.sensitivity import Sensitivity

# The level at which the authors of the deflated Sharpe ratio call a discovery one, a one-sided test at 5 %.
CONVINCING_FRAC = 0.95
# A choice without skill falls below the median out of sample in half of the cases.
PBO_OF_NO_SKILL_FRAC = 0.5
# One choice in five is below the median: not chance, but no ground to commit money on either; a convention.
HIGH_PBO_FRAC = 0.2
# The discount on Sharpe ratios of backtests that practice takes (Harvey and Liu, Backtesting, 2015): a loss that large
# was to be expected of overfitting, one that is larger is more than caution allows for.
KEPT_FRAC = 0.5
# Of what the best is above the median trial, less than half is left one step away; noise leaves none on average.
STABLE_FRAC = 0.5
# Not isolated, all the same, where most neighbours are near: the whole sweep is about as good as the best.
NEAR_MOST_FRAC = 0.5
# Half of the neighbours or more make nothing: the sign of the result is a matter of one step.
FLIPPED_FRAC = 0.5


def sweep_cautions(
    deflated: DeflatedSharpe | None,
    overfitting: Overfitting | None,
    sensitivity: Sensitivity | None,
    in_sample_sharpe: float | None = None,
    out_of_sample_sharpe: float | None = None,
) -> Iterator[str]:
    """Yield one sentence a reason, the weightiest first.

    Parameters
    ----------
    deflated, overfitting, sensitivity
        None where the sweep is too small for one, which is a caution too.
    in_sample_sharpe, out_of_sample_sharpe : float or None
        Of the best trial where it was chosen and where it was not, of periods of the same length; None where not known.
    """
    yield from _about_luck(deflated)
    yield from _about_choice(overfitting)
    yield from _about_decay(in_sample_sharpe, out_of_sample_sharpe)
    yield from _about_parameters(sensitivity)


def _about_luck(deflated: DeflatedSharpe | None) -> Iterator[str]:
    if deflated is None:
        yield "Too few trials or periods to say how much of the best Sharpe ratio is luck."
    elif deflated.sharpe <= deflated.expected_max_sharpe:
        yield (
            f"The best of {deflated.n_trials} trials is no better than luck would make it: a Sharpe ratio of "
            f"{deflated.sharpe:.3f} a period, and {deflated.expected_max_sharpe:.3f} is expected of the best of as "
            "many without skill."
        )
    elif deflated.deflated_sharpe_frac < CONVINCING_FRAC:
        yield (
            f"The best of {deflated.n_trials} trials cannot be told from what luck would make it: its deflated Sharpe "
            f"ratio is {deflated.deflated_sharpe_frac:.2f}, below {CONVINCING_FRAC}."
        )


def _about_choice(overfitting: Overfitting | None) -> Iterator[str]:
    if overfitting is None:
        yield "Too few trials or periods to say how often choosing the best one overfits."
        return
    share = f"in {100 * overfitting.pbo_frac:.0f} % of the splits the best trial of one half was below the median"
    if overfitting.pbo_frac > PBO_OF_NO_SKILL_FRAC:
        yield f"Choosing the best trial is worse than drawing lots: {share} on the other half."
    elif overfitting.pbo_frac > HIGH_PBO_FRAC:
        yield f"Choosing the best trial overfits: {share} on the other half."


def _about_decay(in_sample_sharpe: float | None, out_of_sample_sharpe: float | None) -> Iterator[str]:
    if in_sample_sharpe is None or out_of_sample_sharpe is None or in_sample_sharpe <= 0:
        return
    if out_of_sample_sharpe < KEPT_FRAC * in_sample_sharpe:
        yield (
            f"The Sharpe ratio fell from {in_sample_sharpe:.2f} in sample to {out_of_sample_sharpe:.2f} out of sample, "
            f"by more than the {100 * (1 - KEPT_FRAC):.0f} % that are to be expected: the parameters fit the past."
        )


def _about_parameters(sensitivity: Sensitivity | None) -> Iterator[str]:
    if sensitivity is None:
        return
    for name in sensitivity.edge_parameters:
        yield f"The best {name} is at the edge of the values tried; a better one may lie beyond."
    if sensitivity.stability_frac is None:
        yield "The best trial has no neighbours with a result: whether it is an isolated peak is not known."
    elif (sensitivity.flipped_frac or 0.0) >= FLIPPED_FRAC:
        yield (
            f"The best trial is an isolated peak: {100 * (sensitivity.flipped_frac or 0.0):.0f} % of the trials one "
            "step away make nothing or lose."
        )
    elif sensitivity.stability_frac < STABLE_FRAC and (sensitivity.near_frac or 0.0) <= NEAR_MOST_FRAC:
        yield (
            f"The best trial is an isolated peak: one step away {100 * sensitivity.stability_frac:.0f} % is left of "
            "what it is above the median trial."
        )
    if sensitivity.n_failed:
        yield f"{sensitivity.n_failed} of {sensitivity.n_trials} trials failed and are in none of these figures."
