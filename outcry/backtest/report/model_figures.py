"""The charts of a model: folds, reliability, what moves its forecasts, where it looks."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from outcry.backtest.report.palette import AMBER, BLUE, GREEN, GREY, PURPLE, RED, style
from outcry.messages import Direction
from outcry.models.explanation import AttentionProfile, Contributions, Importance
from outcry.models.manifest import BundleManifest
from outcry.models.reliability import ReliabilityCurve

MAX_BARS = 15
_HEIGHT_PX = 340
_MAX_LETTERS = 22
_COLOURS = {Direction.UP: GREEN, Direction.NEUTRAL: GREY, Direction.DOWN: RED}
_OF_MEMBERS = (BLUE, AMBER, PURPLE, GREEN, RED)


def fold_names(manifest: BundleManifest) -> list[str]:
    """Return what the folds are called, the test fold last."""
    return [*(f"fold {number}" for number in range(1, len(manifest.folds) + 1)), "test"]


def fold_figure(manifest: BundleManifest) -> go.Figure:
    """Draw the log loss of every fold beside that of the class frequencies."""
    folds, names = (*manifest.folds, manifest.test), fold_names(manifest)
    figure = go.Figure()
    for name, key, colour in (("class frequencies", "base_log_loss", GREY), ("model", "log_loss", AMBER)):
        losses = [getattr(fold, key) for fold in folds]
        figure.add_scatter(x=names, y=losses, mode="lines+markers", name=name, line={"color": colour})
    figure.update_yaxes(title="log loss, nats")
    return style(figure, _HEIGHT_PX)


def reliability_figure(curves: Sequence[ReliabilityCurve]) -> go.Figure:
    """Draw a curve a class: how likely rows were said to be, and the fraction of them in which the class came."""
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="perfect", line={"dash": "dot", "color": BLUE})
    for direction, curve in zip(Direction, curves, strict=True):
        figure.add_scatter(
            x=[point.said for point in curve],
            y=[point.came_frac for point in curve],
            text=[f"{point.n_rows:,} rows" for point in curve],
            mode="lines+markers",
            name=direction.name.lower(),
            line={"color": _COLOURS[direction]},
        )
    figure.update_xaxes(title="probability", range=[0, 1])
    figure.update_yaxes(title="came true, fraction", range=[0, 1])
    return style(figure, _HEIGHT_PX)


def contribution_figure(found: Contributions, feature_names: Sequence[str]) -> go.Figure:
    """Draw the columns with the largest contributions as bars, a part a class."""
    totals = [sum(of_column) for of_column in zip(*found.mean_abs_nats, strict=True)]
    ranked = sorted(range(len(totals)), key=lambda column: -totals[column])[:MAX_BARS]
    figure = go.Figure()
    for direction, of_class in zip(Direction, found.mean_abs_nats, strict=True):
        figure.add_bar(
            x=[of_class[column] for column in ranked],
            y=list(range(len(ranked))),
            customdata=[escape(feature_names[column]) for column in ranked],
            hovertemplate="%{customdata}: %{x:.4f} nats<extra></extra>",
            name=direction.name.lower(),
            orientation="h",
            marker_color=_COLOURS[direction],
        )
    figure.update_layout(barmode="stack", legend_traceorder="normal")
    figure.update_xaxes(title="nats")
    return _with_names(figure, [feature_names[column] for column in ranked])


def importance_figure(found: Sequence[Importance]) -> go.Figure:
    """Draw the columns whose loss costs most, in both ways, with a standard deviation over the repeats."""
    shown = found[:MAX_BARS]
    names = [each.columns[0] + (f" +{len(each.columns) - 1}" if len(each.columns) > 1 else "") for each in shown]
    figure = go.Figure()
    for name, key, colour in (("from any other row", "rise", BLUE), ("from another symbol", "across", PURPLE)):
        figure.add_bar(
            x=[getattr(each, f"{key}_nats") for each in shown],
            error_x={
                "array": [getattr(each, f"{key}_deviation_nats") for each in shown],
                "color": GREY,
                "thickness": 1,
                "width": 2,
            },
            y=list(range(len(shown))),
            customdata=["<br>".join(map(escape, each.columns)) for each in shown],
            hovertemplate="%{customdata}: %{x:+.5f} nats<extra></extra>",
            name=name,
            orientation="h",
            marker_color=colour,
        )
    figure.update_xaxes(title="nats a row", zeroline=True, zerolinecolor=GREY, nticks=4, tickangle=0)
    return _with_names(figure, names)


def attention_figure(profiles: Sequence[AttentionProfile]) -> go.Figure:
    """Draw the mean attention on each bar of the window, the decision bar at 0."""
    figure = go.Figure()
    for place, profile in enumerate(profiles):
        lags = list(range(1 - len(profile.mean_frac), 1))
        colour = _OF_MEMBERS[place % len(_OF_MEMBERS)]
        even = 1.0 / len(lags)
        figure.add_scatter(
            x=lags, y=profile.mean_frac, mode="lines+markers", name=escape(profile.family), line={"color": colour}
        )
        figure.add_scatter(
            x=[lags[0], 0],
            y=[even, even],
            mode="lines",
            name=f"even, {len(lags)} bars",
            line={"dash": "dot", "color": colour, "width": 1},
        )
    figure.update_xaxes(title="bars before the decision")
    figure.update_yaxes(title="attention, fraction", rangemode="tozero")
    return style(figure, _HEIGHT_PX)


def _with_names(figure: go.Figure, names: Sequence[str]) -> go.Figure:
    """Name bars from the top on, long names without their middle, so that a phone has room for the bars."""
    style(figure, 110 + 24 * max(len(names), 3))
    ticks = {"tickvals": list(range(len(names))), "ticktext": [escape(_shortened(name)) for name in names]}
    figure.update_yaxes(autorange="reversed", showgrid=False, zeroline=False, tickfont_size=11, **ticks)
    return figure


def _shortened(name: str) -> str:
    if len(name) <= _MAX_LETTERS:
        return name
    return f"{name[: _MAX_LETTERS - 11]}…{name[-10:]}"
