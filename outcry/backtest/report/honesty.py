"""What comes first in a report: how far its result can be told from luck, every figure with its meaning in words."""

from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from outcry.backtest.analytics.summary import Summary
from outcry.backtest.analytics.sweep_evidence import SweepEvidence
from outcry.backtest.report.html_parts import card
from outcry.backtest.report.number_format import ABSENT, percent, plain

TITLE = "Can this be told from luck?"


class Answer(NamedTuple):
    """One test of a result: what was measured, the figure, what it means."""

    name: str
    figure: str
    meaning: str


def honesty_card(summary: Summary, sweep: SweepEvidence | None) -> str:
    """Return the tests as a table, and every caution under them."""
    rows = "".join(
        f"<tr><th>{escape(answer.name)}<small>{escape(answer.meaning)}</small></th><td>{escape(answer.figure)}</td></tr>"
        for answer in answers(summary, sweep)
    )
    items = "".join(f"<li>{escape(text)}</li>" for text in summary.warnings)
    listed = f"<h3>Before trusting these numbers</h3><ul>{items}</ul>" if items else ""
    return card(TITLE, f'<table class="answers">{rows}</table>{listed}', extra="notes")


def answers(summary: Summary, sweep: SweepEvidence | None) -> Iterator[Answer]:
    """Yield what is known of the chance in a result, of the run and then of the trials it was chosen from."""
    yield from _about_run(summary)
    yield _about_trials(summary)
    if sweep is not None:
        yield from _about_sweep(sweep)


def _about_run(summary: Summary) -> Iterator[Answer]:
    returns, evidence, interval = summary.returns, summary.evidence, summary.sharpe_interval
    yield Answer(
        "Sharpe ratio",
        plain(returns.sharpe),
        "Too few sessions for an interval."
        if interval is None
        else f"{100 * interval.level_frac:.0f} % interval {interval.low:.2f} to {interval.high:.2f}, its sessions "
        f"drawn again {interval.n_resamples:,} times in blocks; above 0 in "
        f"{percent(interval.probability_positive, 1)} of them.",
    )
    yield Answer(
        "Probabilistic Sharpe ratio",
        percent(evidence.probabilistic_sharpe_frac, 1),
        "How sure it is that the true Sharpe ratio is above 0, given length, skewness and tails of the returns.",
    )
    yield Answer(
        "t-test of the mean return",
        _p(returns.p_value),
        "Returns that do not vary have no test."
        if returns.p_value is None
        else f"t = {plain(returns.t_statistic)}: without any return of its own, a run is as far from 0 in "
        f"{percent(returns.p_value, 2)} of cases.",
    )
    timing = evidence.timing
    yield Answer(
        "Timing test",
        _p(None if timing is None else timing.p_value),
        "Too short, or a position that never changes: there is no timing to test."
        if timing is None
        else f"Positions earned {percent(timing.gain, signed=True)} before costs; the same ones at any time "
        f"{percent(timing.expected_gain, signed=True)} on average.",
    )
    needed = evidence.min_track_record_sessions
    yield Answer(
        "Least track record",
        ABSENT if needed is None else f"{needed:,} sessions",
        "No number of sessions like these would show a Sharpe ratio above 0."
        if needed is None
        else f"So many sessions like these would show a Sharpe ratio above 0; here are {returns.n_sessions:,}.",
    )
    share = summary.costs.share_of_gross_frac
    yield Answer(
        "Costs",
        ABSENT if share is None else percent(share, 1),
        f"There was no profit before costs; they were {summary.costs.total:,.2f}."
        if share is None
        else f"Of the profit before costs: {summary.costs.total:,.2f} of {summary.costs.gross_profit:,.2f}.",
    )


def _about_trials(summary: Summary) -> Answer:
    if summary.n_trials > 1:
        meaning = "The run is the best of so many; the figures above do not know that."
    elif summary.training_span_ns is None:
        meaning = "Nothing was fitted; parameters chosen by hand count as trials, and none of them is known here."
    else:
        meaning = "As far as is known here: settings tried by hand before this run count as trials too."
    return Answer("Trials", f"{summary.n_trials:,}", meaning)


def _about_sweep(sweep: SweepEvidence) -> Iterator[Answer]:
    deflated, overfitting, sensitivity = sweep.deflated, sweep.overfitting, sweep.sensitivity
    yield Answer(
        "Deflated Sharpe ratio",
        ABSENT if deflated is None else percent(deflated.deflated_sharpe_frac, 1),
        "Too few trials or sessions."
        if deflated is None
        else f"How sure it is that {deflated.sharpe:.3f} a session is more than the {deflated.expected_max_sharpe:.3f} "
        f"that luck makes of the best of {deflated.n_trials:,} trials.",
    )
    yield Answer(
        "Probability of overfitting (PBO)",
        ABSENT if overfitting is None else percent(overfitting.pbo_frac, 1),
        "Too few trials or sessions."
        if overfitting is None
        else f"How often the best trial of one half of the span is below the median in the other; it loses there in "
        f"{percent(overfitting.loss_frac, 1)} of the splits.",
    )
    near = None if sensitivity is None else sensitivity.near_frac
    yield Answer(
        "Neighbours about as good",
        percent(near, 0),
        "The best trial has no neighbours with a result."
        if sensitivity is None or near is None
        else f"Of {sensitivity.n_neighbours:,} trials one step away in one parameter; stability "
        f"{plain(sensitivity.stability_frac)} of 1.",
    )


def _p(value: float | None) -> str:
    """Return a p-value; a small one is not called 0."""
    if value is None:
        return f"p {ABSENT}"
    return "p < 0.001" if value < 5e-4 else f"p {value:.3f}"
