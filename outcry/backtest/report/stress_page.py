"""The result of a stress test: rows for a table, a record for JSON, and one HTML page that needs nothing beside it."""

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from outcry.backtest.report.downsample import extreme_rows
from outcry.backtest.report.html_parts import Charts, caption, card, document, table, told
from outcry.backtest.report.number_format import ABSENT, day, percent, plain
from outcry.backtest.report.palette import AMBER, BLUE, GREY, style
from outcry.backtest.stress.resilience import Fall, OverallResilience, overall_resilience
from outcry.backtest.stress.run import StressOutcome, StressResult
from outcry.market.frame import FloatArray, IntArray

STRESS_HEADS = ("Scenario", "Score", "Return", "Lost", "Shock", "Drawdown", "Market's", "Recovery", "Sharpe (lost)")
SCORE_NOTE = (
    "Lost is the return without stress less that with it, recovery is in sessions. A score is the mean of what is left "
    "of the final equity, of how shallow the fall was beside that of the market and of how soon it was over. Holding "
    "the market scores near 0.67, ruin near 0, cash 1: it says what stress takes away, not whether there was anything "
    "to take. Every figure is from the last close before the shock to the end."
)
N_BUCKETS = 400
MOST_REST_FRAC = 0.5
MOST_LINEAR = 5.0
"""Highest over lowest: where the curves are further apart, the axis is logarithmic, or the lower ones are a line."""


def overall_of(results: Sequence[StressResult]) -> OverallResilience | None:
    """Return the score over the scenarios that finished."""
    return overall_resilience(
        {each.scenario.name: each.outcome.resilience for each in results if each.outcome is not None}
    )


def stress_verdict(results: Sequence[StressResult]) -> str:
    """Return the result in one sentence."""
    overall = overall_of(results)
    if overall is None:
        return "No scenario could be traded to its end."
    lost = len(results) - overall.n_scenarios
    failed = f" {lost} could not be traded." if lost else ""
    return (
        f"Resilience {overall.score:.2f} of 1 over {overall.n_scenarios} scenarios; weakest in {overall.weakest}, "
        f"{overall.weakest_score:.2f}.{failed}"
    )


def stress_rows(results: Sequence[StressResult]) -> list[tuple[str, ...]]:
    """Return a row a scenario, in the order of `STRESS_HEADS`."""
    return [_row(each) for each in results]


def stress_record(results: Sequence[StressResult]) -> dict[str, Any]:
    """Return the results as plain values, for JSON."""
    overall = overall_of(results)
    return {
        "verdict": stress_verdict(results),
        "note": rest_note(results),
        "overall": None if overall is None else asdict(overall),
        "scenarios": [
            {
                "scenario": each.scenario.model_dump(mode="json"),
                "is_compressed": None if each.outcome is None else each.outcome.span.is_compressed,
                "resilience": None if each.outcome is None else asdict(each.outcome.resilience),
                "failure": None if each.failure is None else str(each.failure),
            }
            for each in results
        ],
    }


def rest_note(results: Sequence[StressResult]) -> str:
    """Say in how many scenarios the account stood still for most of the time, as after a halt; empty for none."""
    curves = [each.outcome.stressed_equity for each in results if each.outcome is not None]
    n = sum(_rest_frac(curve) > MOST_REST_FRAC for curve in curves)
    if not n:
        return ""
    return (
        f"In {n} of {len(curves)} scenarios the account no longer moves in the second half, as when the drawdown limit "
        "has halted the run: what came after tests nothing. risk.drawdown_ladder=[] is the idea without that limit."
    )


def _rest_frac(curve: FloatArray) -> float:
    """Return for what share of its length, at its end, a curve does not change."""
    moved = np.flatnonzero(np.diff(curve) != 0)
    return 1.0 if not len(moved) else (len(curve) - 2 - int(moved[-1])) / max(len(curve) - 1, 1)


def render_stress(run_name: str, ts_close_ns: IntArray, results: Sequence[StressResult]) -> str:
    """Return the page. Every text from outside is escaped; the page refers to no other file and no address.

    Parameters
    ----------
    run_name : str
    ts_close_ns : int64 (n_frames,)
        Closes of the frames that were stressed, warm-up included: the rows of the spans.
    results : sequence of StressResult
    """
    charts = Charts()
    drawn = {each.scenario.name: _figure(each.outcome, ts_close_ns) for each in results if each.outcome is not None}
    sections = [
        f"<header><h1>{escape(stress_verdict(results))}</h1>{caption(run_name)}</header>",
        card(
            "Scenarios",
            caption(f"{SCORE_NOTE} {rest_note(results)}") + table(STRESS_HEADS, stress_rows(results), first_number=1),
        ),
    ]
    if drawn:
        note = (
            "Multiples of the last close before the shock. The market is an equal part of each symbol, in the scenario."
        )
        sections.append(charts.choice_card("Equity under stress", drawn, note, "Scenario"))
    described = [(each.scenario.name, _description(each, ts_close_ns)) for each in results]
    sections.append(card("What happens in them", told(described)))
    return document(f"outcry · stress test of {run_name}", "\n".join(sections), charts)


def _row(result: StressResult) -> tuple[str, ...]:
    if result.outcome is None:
        return (result.scenario.name, "failed", *(ABSENT for _ in STRESS_HEADS[2:]))
    found = result.outcome.resilience
    return (
        result.scenario.name,
        plain(found.score),
        percent(found.stressed_return_frac, 1, signed=True),
        percent(found.return_lost_frac, 1),
        percent(-found.shock_loss_frac, 1, signed=True),
        percent(found.fall.max_drawdown_frac, 1),
        percent(found.market_fall.max_drawdown_frac, 1),
        _recovery(found.fall),
        f"{plain(found.stressed_sharpe)} ({plain(found.sharpe_lost)})",
    )


def _recovery(fall: Fall) -> str:
    return f"> {fall.sessions_left:,}" if fall.recovery_sessions is None else f"{fall.recovery_sessions:,}"


def _description(result: StressResult, ts_close_ns: IntArray) -> str:
    scenario = result.scenario
    if result.failure is not None:
        return f"Failed: {result.failure}"
    parts = [
        scenario.description,
        f"Market {percent(scenario.market_shock_frac, 0, signed=True)} in {scenario.shock_sessions:,} sessions, "
        f"{scenario.recovery_sessions:,} to come back, volatility times {scenario.volatility_multiplier:g}, "
        f"correlation +{scenario.correlation_increase:g}.",
    ]
    if result.outcome is not None:
        span = result.outcome.span
        parts.append(f"Begins after {day(int(ts_close_ns[span.start_row]) - 1)}.")
        if span.is_compressed:
            parts.append("The data are shorter than the scenario, which was compressed to fit them.")
    return " ".join(filter(None, parts))


def _figure(outcome: StressOutcome, ts_close_ns: IntArray) -> go.Figure:
    close_ns = ts_close_ns[outcome.span.start_row :]
    figure = go.Figure()
    for name, curve, colour in (
        ("Market, stressed", outcome.stressed_market, GREY),
        ("Unstressed", outcome.equity, AMBER),
        ("Stressed", outcome.stressed_equity, BLUE),
    ):
        rows = extreme_rows(curve, N_BUCKETS)
        figure.add_trace(
            go.Scatter(
                x=[day(ts_ns - 1) for ts_ns in close_ns[rows].tolist()],
                y=(curve[rows] / curve[0]).astype(np.float32),
                name=name,
                mode="lines",
                line={"color": colour, "width": 1.6, "dash": "dot" if colour == GREY else "solid"},
            )
        )
    trough = outcome.span.trough_row - outcome.span.start_row
    figure.add_vrect(
        x0=day(int(close_ns[0]) - 1), x1=day(int(close_ns[trough]) - 1), line_width=0, fillcolor=GREY, opacity=0.12
    )
    curves = np.concatenate((outcome.stressed_market, outcome.equity, outcome.stressed_equity))
    is_wide = curves.min() > 0 and curves.max() > MOST_LINEAR * curves.min()
    figure.update_yaxes(title_text="multiple", tickformat=",.2~f")
    if is_wide:
        figure.update_yaxes(type="log", dtick="D2")  # labels at 1, 2 and 5 only
    return style(figure, 380)
