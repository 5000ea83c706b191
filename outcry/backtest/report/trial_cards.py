"""What the trials of a sweep say of the one that is reported."""

from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go

from outcry.backtest.analytics.overfitting import Overfitting
from outcry.backtest.analytics.sweep_evidence import SweepEvidence
from outcry.backtest.report.downsample import extreme_rows
from outcry.backtest.report.html_parts import Charts
from outcry.backtest.report.palette import AMBER, BLUE, GREEN, GREY, style

MIN_TRIALS = 2
N_BUCKETS = 400


def trial_cards(sweep: SweepEvidence | None, charts: Charts) -> Iterator[str]:
    """Yield a chart of the Sharpe ratio of every trial, and one of the best trials of halves of the span."""
    if sweep is None:
        return
    if int(np.isfinite(sweep.sharpes).sum()) >= MIN_TRIALS:
        note = (
            f"All {len(sweep.sharpes):,} known of this strategy on this market, earlier sweeps too. The dotted "
            "line is what the best of as many would have without skill; above the dashed one the deflated Sharpe ratio "
            "is 0.95 or more."
        )
        yield charts.card("Sharpe ratio of every trial", _sharpes_figure(sweep), note)
    if sweep.overfitting is not None:
        found = sweep.overfitting
        note = (
            f"The trial that was best on one half of the span, of {found.n_trials:,}, over all {len(found.logits):,} "
            f"ways to halve it in {found.n_blocks} blocks."
        )
        yield charts.card("Sharpe ratios of the best trials", _halves_figure(found), note)


def _sharpes_figure(sweep: SweepEvidence) -> go.Figure:
    """Draw the Sharpe ratio of every trial, the worst first, and what luck and a convincing result would be."""
    sharpes = np.sort(sweep.sharpes[np.isfinite(sweep.sharpes)])
    rows = extreme_rows(sharpes, N_BUCKETS)
    points = go.Scatter(x=rows + 1, y=sharpes[rows], mode="markers", name="A trial", marker={"color": BLUE, "size": 6})
    figure = go.Figure(points.update(hovertemplate="number %{x}: %{y:.3f}<extra></extra>"))
    deflated = sweep.deflated
    if deflated is not None:
        best = go.Scatter(x=[len(sharpes)], y=[deflated.sharpe], mode="markers", name="The one reported")
        best.update(marker={"color": GREEN, "size": 11}, hovertemplate="%{y:.3f}<extra></extra>")
        if deflated.sharpe < sharpes[-1]:
            best.x = [int(np.searchsorted(sharpes, deflated.sharpe)) + 1]
        figure.add_trace(best)
        for name, level, dash in (
            ("Best of as many by luck", deflated.expected_max_sharpe, "dot"),
            ("Convincing beside it", deflated.convincing_sharpe, "dash"),
        ):
            if level is not None:
                line = {"color": AMBER, "width": 1.6, "dash": dash}
                ends = go.Scatter(x=[1, len(sharpes)], y=[level, level], mode="lines", name=name, line=line)
                figure.add_trace(ends.update(hovertemplate=f"{name}: %{{y:.3f}}<extra></extra>"))
    figure.update_xaxes(title_text="trials, the worst first", tickformat=",d")
    figure.update_yaxes(title_text="Sharpe ratio of a session", zeroline=True)
    return style(figure, 320)


def _halves_figure(overfitting: Overfitting) -> go.Figure:
    """Draw the Sharpe ratio of the best trial of one half of the span, on that half and on the other."""
    inside, outside = overfitting.in_sample_sharpes, overfitting.out_of_sample_sharpes
    edges = np.histogram_bin_edges(np.concatenate((inside, outside)), bins=60)
    centres = (edges[:-1] + edges[1:]) / 2.0
    figure = go.Figure()
    for name, ratios, colour in (("Where it was chosen", inside, GREY), ("On the other half", outside, BLUE)):
        share = 100.0 * np.histogram(ratios, bins=edges)[0] / len(ratios)
        bars = go.Bar(x=centres, y=share, name=name, marker_color=colour, opacity=0.7)
        bars.update(hovertemplate="around %{x:.3f}: %{y:.1f} % of the splits<extra></extra>")
        figure.add_trace(bars)
    figure.update_layout(barmode="overlay", bargap=0.04)
    figure.update_xaxes(title_text="Sharpe ratio of a session", zeroline=True, zerolinecolor=GREY)
    figure.update_yaxes(title_text="splits", ticksuffix=" %")
    return style(figure, 300)
