"""Why the figures of a run may mean less than they seem to, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from outcry.backtest.analytics.summary import Summary

CHANCE = 0.05
FEW_TRADES = 30
SHORT_SESSIONS = 60
HIGH_TURNOVER_PER_YEAR = 100.0
NAMED_COLUMNS = 3


def cautions(summary: Summary) -> Iterator[str]:
    """Yield one sentence a reason, the weightiest first."""
    yield from _about_halt(summary)
    yield from _about_evidence(summary)
    yield from _about_single_parts(summary)
    yield from _about_features(summary)
    yield from _about_costs(summary)
    yield from _about_sample(summary)


def _about_halt(summary: Summary) -> Iterator[str]:
    halt = summary.halt
    if halt is None or halt.halted_frac == 0:
        return
    who = "An operator" if halt.is_by_operator else "The drawdown limit"
    when = np.datetime64(halt.first_ts_ns, "ns").astype("datetime64[D]")
    yield (
        f"{who} halted the run on {when}, {100 * halt.drawdown_frac:.1f} % below its peak: "
        f"{100 * halt.halted_frac:.0f} % of its frames were not traded, and every figure counts them as time at rest."
    )


def _about_single_parts(summary: Summary) -> Iterator[str]:
    for each in summary.concentrations:
        if not each.is_single:
            continue
        left = max(1.0 - each.share_frac, 0.0)
        time = "" if each.time_frac is None else f" ({100 * each.time_frac:.0f} % of the sessions)"
        yield (
            f"The profit comes from one {each.kind} alone, {each.name}{time}: without it "
            f"{f'{100 * left:.0f} % of it' if left else 'nothing'} would be left."
        )


def _about_evidence(summary: Summary) -> Iterator[str]:
    interval = summary.sharpe_interval
    if interval is None:
        yield "Too few sessions with a result to say how sure the Sharpe ratio is."
    elif interval.low <= 0 <= interval.high:
        yield (
            f"The {100 * interval.level_frac:.0f} % interval of the Sharpe ratio, {interval.low:.2f} to "
            f"{interval.high:.2f}, includes 0: this result cannot be told from luck."
        )
    timing = summary.evidence.timing
    if timing is not None and timing.p_value > CHANCE:
        yield (
            f"Positions were not held at better times than by chance: shifted in time they earned as much or more in "
            f"{100 * timing.p_value:.0f} % of cases."
        )
    forecasts = summary.forecasts
    if forecasts is not None and forecasts.skill_frac <= 0:
        yield (
            f"The forecasts had no skill: their log loss of {forecasts.scores.log_loss:.4f} is not below the "
            f"{forecasts.base_log_loss:.4f} of always forecasting the frequency of each class."
        )
    if forecasts is not None and forecasts.scores.accuracy <= forecasts.majority_accuracy:
        yield (
            f"The forecasts were right in {100 * forecasts.scores.accuracy:.1f} % of cases; always naming the "
            f"commonest class is right in {100 * forecasts.majority_accuracy:.1f} %."
        )
    yield from _about_benchmark(summary)


def _about_benchmark(summary: Summary) -> Iterator[str]:
    name, n_sessions, n_compared = summary.benchmark_name, summary.returns.n_sessions, summary.n_compared_sessions
    if summary.benchmark is None:
        yield f"The benchmark, {name}, has no price in the traded span: the run is measured against nothing."
        return
    gap = summary.returns.total_return_frac - summary.benchmark.total_return_frac
    if gap < 0:
        yield f"The benchmark, {name}, returned {-100 * gap:.2f} % of the initial cash more."
    if n_compared < n_sessions:
        yield (
            f"The benchmark, {name}, has prices in {n_compared:,} of {n_sessions:,} sessions: beta and alpha are of "
            "those, and its return takes it as unchanged in the others."
        )


def _about_features(summary: Summary) -> Iterator[str]:
    broken = [column for column in summary.feature_quality if column.n_lost or column.n_infinite or column.n_outside]
    if broken:
        more = f", and {len(broken) - NAMED_COLUMNS} more" if len(broken) > NAMED_COLUMNS else ""
        named = "; ".join(str(column) for column in broken[:NAMED_COLUMNS])
        yield f"{len(broken)} feature columns went wrong during the run: {named}{more}."


def _about_costs(summary: Summary) -> Iterator[str]:
    costs = summary.costs
    if 0 < costs.gross_profit < costs.total:
        yield (
            f"Costs of {costs.total:,.2f} exceed the profit before costs of {costs.gross_profit:,.2f}: "
            "trading took all that the decisions made."
        )
    elif costs.total == 0 and summary.activity.n_fills:
        yield "The run assumed no costs at all; a real one has them."
    turnover = summary.activity.turnover_per_year
    if turnover is not None and turnover > HIGH_TURNOVER_PER_YEAR:
        yield f"The equity is turned over {turnover:,.0f} times a year; the result hangs on the costs assumed."


def _about_sample(summary: Summary) -> Iterator[str]:
    n_trades = summary.trades.n_trades
    if n_trades == 0:
        yield "No trade was closed; figures of trades do not exist."
    elif n_trades < FEW_TRADES:
        yield f"{n_trades} closed trades are too few to judge a strategy by; at least {FEW_TRADES} are needed."
    n_sessions = summary.returns.n_sessions
    if n_sessions < SHORT_SESSIONS:
        yield f"Only {n_sessions} of at least {SHORT_SESSIONS} sessions were traded; figures a year are extrapolated."
    if summary.is_in_sample:
        yield "The model was trained on part of the traded span: the figures are in-sample and no performance."
    yield (
        "The universe is one fixed list for the whole span. If it was drawn up with hindsight, companies that failed "
        "are missing (survivorship bias), and these results, like those of buy-and-hold, are too good."
    )
