"""The charts of the decisions: profit by symbol, costs, trades, forecasts, latency."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from outcry.backtest.analytics.forecast_quality import ForecastQuality
from outcry.backtest.analytics.round_trips import Trade
from outcry.backtest.analytics.summary import Summary
from outcry.backtest.analytics.trade_metrics import SymbolProfit
from outcry.backtest.report.number_format import minute
from outcry.backtest.report.palette import AMBER, BLUE, GREEN, GREY, RED, style
from outcry.market.frame import FloatArray
from outcry.messages import Direction, Side

ROOM_FRAC = 0.3
MAX_SYMBOLS = 40
MAX_TRADES = 2_000
PERCENTILES = (50, 95, 99)


def symbol_figure(symbols: Sequence[SymbolProfit]) -> go.Figure:
    """Draw the net profit of each traded symbol; of more than `MAX_SYMBOLS`, the worst and the best."""
    ranked = sorted((s for s in symbols if s.traded_value > 0), key=lambda profit: profit.net)
    if len(ranked) > MAX_SYMBOLS:
        ranked = ranked[: MAX_SYMBOLS // 2] + ranked[-MAX_SYMBOLS // 2 :]
    net = [profit.net for profit in ranked]
    bars = go.Bar(
        x=net,
        y=[escape(profit.symbol) for profit in ranked],
        orientation="h",
        marker_color=[GREEN if value >= 0 else RED for value in net],
        text=[f"{value:+,.0f}" for value in net],
        textposition="auto",
        customdata=[[p.realized, p.unrealized, p.commission + p.slippage, p.n_trades] for p in ranked],
        hovertemplate="%{y}: %{x:+,.2f}<br>realised %{customdata[0]:+,.2f}, unrealised %{customdata[1]:+,.2f}"
        "<br>after costs of %{customdata[2]:,.2f}<br>%{customdata[3]} closed trades<extra></extra>",
    )
    figure = go.Figure(bars)
    low, high = min(0.0, *net), max(0.0, *net)
    room = ROOM_FRAC * (high - low)  # for the text beside a short bar, where a phone has no place inside it
    figure.update_yaxes(type="category", showgrid=False)
    figure.update_xaxes(
        title_text="currency, after costs",
        tickformat=",.0f",
        zeroline=True,
        zerolinecolor=GREY,
        nticks=6,
        range=[low - (room if low < 0 else 0.0), high + (room / 3 if high > 0 else 0.0)],
    )
    return style(figure, 110 + 24 * max(len(ranked), 3))


def cost_figure(summary: Summary) -> go.Figure:
    """Draw the way from the profit before costs to the profit after them."""
    costs = summary.costs
    parts = {"commission": costs.commission, "slippage": costs.slippage}
    if costs.carry:
        parts["carry"] = costs.carry
    steps = [costs.gross_profit, *(-part for part in parts.values()), summary.profit]
    figure = go.Figure(
        go.Waterfall(
            x=["before<br>costs", *parts, "after<br>costs"],
            y=steps,
            measure=["absolute", *["relative"] * len(parts), "total"],
            text=[f"{step:+,.0f}" for step in steps],
            textposition="auto",
            increasing_marker_color=GREEN,
            decreasing_marker_color=RED,
            totals_marker_color=BLUE,
            connector_line_color=GREY,
            hovertemplate="%{x}: %{text}<extra></extra>",
            textangle=0,
        )
    )
    figure.update_xaxes(tickangle=0, tickfont_size=11)
    figure.update_yaxes(title_text="currency", tickformat=",.0f", zeroline=True, zerolinecolor=GREY)
    return style(figure, 300)


def trade_figure(trades: Sequence[Trade]) -> go.Figure:
    """Draw the return of each trade over time, and how the returns are distributed.

    The distribution is of all trades; of more than `MAX_TRADES` the points are those of the largest profit or loss.
    """
    shown = sorted(trades, key=lambda trade: abs(trade.pnl))[-MAX_TRADES:]
    returns = np.array([100.0 * trade.return_frac for trade in trades])
    figure = make_subplots(cols=2, column_widths=[0.68, 0.32], shared_yaxes=True, horizontal_spacing=0.03)
    for name, colour, is_win in (("Win", GREEN, True), ("Loss", RED, False)):
        group = [trade for trade in shown if (trade.pnl > 0) is is_win]
        points = go.Scatter(
            x=[minute(trade.exit_ts_ns) for trade in group],
            y=[100.0 * trade.return_frac for trade in group],
            mode="markers",
            name=name,
            marker={"color": colour, "size": 6, "opacity": 0.6},
            text=[f"{'long' if t.side is Side.BUY else 'short'} {escape(t.symbol)}, {t.pnl:+,.2f}" for t in group],
            hovertemplate="%{x} UTC<br>%{text}<br>%{y:+.2f} %<extra></extra>",
        )
        figure.add_trace(points, row=1, col=1)
    counts, edges = np.histogram(returns, bins=min(60, max(10, int(np.sqrt(len(returns))) * 2)))
    centres = (edges[:-1] + edges[1:]) / 2.0
    histogram = go.Bar(
        x=counts,
        y=centres,
        orientation="h",
        width=np.diff(edges) * 0.92,
        marker_color=BLUE,
        showlegend=False,
        hovertemplate="around %{y:+.2f} %: %{x} trades<extra></extra>",
    )
    figure.add_trace(histogram, row=1, col=2)
    figure.update_yaxes(title_text="return of the trade", ticksuffix=" %", row=1, col=1)
    figure.update_xaxes(title_text="trades", row=1, col=2)
    return style(figure, 340)


def calibration_figure(forecasts: ForecastQuality) -> go.Figure:
    """Draw, a class, how often it came against how likely it was said to be."""
    figure = go.Figure()
    diagonal = {"color": GREY, "width": 1, "dash": "dot"}
    figure.add_trace(go.Scatter(x=[0, 100], y=[0, 100], mode="lines", line=diagonal, name="perfect", hoverinfo="skip"))
    colours = {Direction.UP: GREEN, Direction.NEUTRAL: BLUE, Direction.DOWN: RED}
    largest = max(max(curve.counts) for curve in forecasts.curves)
    for curve in forecasts.curves:
        curve_points = go.Scatter(
            x=[100.0 * value for value in curve.forecast_frac],
            y=[100.0 * value for value in curve.observed_frac],
            mode="lines+markers",
            name=curve.direction.name.lower(),
            line={"color": colours[curve.direction], "width": 1.5},
            marker={"size": [6 + 14 * np.sqrt(count / largest) for count in curve.counts]},
            customdata=curve.counts,
            hovertemplate="forecast %{x:.1f} %, came %{y:.1f} %<br>%{customdata:,} forecasts<extra></extra>",
        )
        figure.add_trace(curve_points)
    figure.update_xaxes(title_text="forecast", ticksuffix=" %", range=[-3, 103])
    figure.update_yaxes(title_text="came", ticksuffix=" %", range=[-3, 103])
    return style(figure, 380)


def latency_figure(latency_ms: Mapping[str, FloatArray]) -> go.Figure:
    """Draw the median, 95th and 99th percentile of each stage that has a sample."""
    sampled = {stage: samples for stage, samples in latency_ms.items() if len(samples)}
    stages = [escape(stage) for stage in sampled]
    figure = go.Figure()
    for percentile, colour in zip(PERCENTILES, (BLUE, AMBER, RED), strict=True):
        values = [float(np.percentile(samples, percentile)) for samples in sampled.values()]
        labels = [f"{value:,.1f}" for value in values]
        bars = go.Bar(x=values, y=stages, orientation="h", name=f"p{percentile}", marker_color=colour, text=labels)
        bars.update(hovertemplate=f"%{{y}} p{percentile}: %{{x:.2f}} ms<extra></extra>", textposition="auto")
        figure.add_trace(bars)
    figure.update_layout(barmode="group")
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False, automargin=True)
    figure.update_xaxes(title_text="milliseconds", rangemode="tozero")
    return style(figure, 110 + 54 * max(len(stages), 1))
