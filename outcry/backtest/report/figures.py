"""The charts of the account: equity, returns by period, exposure."""

from html import escape

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from outcry.backtest.analytics.drawdown_metrics import underwater
from outcry.backtest.analytics.monte_carlo import LEVELS
from outcry.backtest.analytics.session_returns import (
    month_rows,
    months_since_1970,
    returns_between,
    session_returns,
    session_rows,
)
from outcry.backtest.analytics.summary import Analysis
from outcry.backtest.history import RunHistory
from outcry.backtest.report.downsample import extreme_rows
from outcry.backtest.report.palette import BLUE, GREEN, GREY, PURPLE, RED, style
from outcry.market.frame import FloatArray

N_BUCKETS = 700
N_FAN_BUCKETS = 200
MIN_MONTHS_FOR_HEATMAP = 3
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def equity_figure(history: RunHistory, analysis: Analysis) -> go.Figure:
    """Draw equity beside the benchmark, and the drawdown under it."""
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.06)
    if analysis.benchmark_equity is not None:
        line: dict[str, object] = {"color": GREY, "width": 1.3, "dash": "dot"}
        name = f"Benchmark: {escape(analysis.summary.benchmark_name)}"
        figure.add_trace(_line(history, analysis.benchmark_equity, name, line), row=1, col=1)
    figure.add_trace(_line(history, history.equity, "Equity", {"color": BLUE, "width": 2}), row=1, col=1)
    depth = -100.0 * underwater(history.equity, history.initial_cash)
    drawdown = _line(history, depth, "Drawdown", {"color": RED, "width": 1}, hover="%{y:.2f} %")
    drawdown.update(fill="tozeroy", fillcolor="rgba(214,69,80,0.18)", showlegend=False)
    figure.add_trace(drawdown, row=2, col=1)
    figure.add_hline(y=history.initial_cash, line_width=1, line_color=GREY, opacity=0.5, row=1, col=1)
    figure.update_yaxes(title_text="currency", tickformat=",.0f", row=1, col=1)
    figure.update_yaxes(title_text="drawdown", ticksuffix=" %", row=2, col=1)
    return style(figure, 460)


def fan_figure(history: RunHistory, fan: FloatArray) -> go.Figure:
    """Draw the equity by session inside the quantiles of its resampled paths."""
    rows = session_rows(history.ts_close_ns)
    drawn = extreme_rows(history.equity[rows], N_FAN_BUCKETS)
    rows, fan = rows[drawn], fan[:, drawn].astype(np.float32)
    days = (history.ts_close_ns[rows] - 1).astype("datetime64[ns]").astype("datetime64[D]").astype(str).tolist()
    figure = go.Figure()
    for low, high, shade in ((0, 4, 0.12), (1, 3, 0.22)):
        name = f"{100 * (LEVELS[high] - LEVELS[low]):.0f} % of the paths"
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_trace(go.Scatter(x=days, y=fan[high], showlegend=False, **edge))
        figure.add_trace(
            go.Scatter(x=days, y=fan[low], name=name, fill="tonexty", fillcolor=f"rgba(47,125,209,{shade})", **edge)
        )
    figure.add_trace(go.Scatter(x=days, y=fan[2], name="Median", line={"color": GREY, "width": 1.2, "dash": "dot"}))
    figure.add_trace(go.Scatter(x=days, y=history.equity[rows], name="Equity", line={"color": BLUE, "width": 2}))
    figure.update_yaxes(title_text="currency", tickformat=",.0f")
    return style(figure, 340)


def period_name(history: RunHistory) -> str:
    """Return the period whose returns are worth drawing: month, or session over a short span."""
    month = months_since_1970(history.ts_close_ns)
    return "month" if month[-1] - month[0] + 1 >= MIN_MONTHS_FOR_HEATMAP else "session"


def period_figure(history: RunHistory) -> go.Figure:
    """Draw returns by month as a heat map; over a short span, by session as bars."""
    if period_name(history) == "month":
        return _month_figure(history)
    returns = 100.0 * session_returns(history.ts_close_ns, history.equity, history.initial_cash)
    days = (history.ts_close_ns[session_rows(history.ts_close_ns)] - 1).astype("datetime64[ns]").astype("datetime64[D]")
    colours = np.where(returns >= 0, GREEN, RED).tolist()
    bars = go.Bar(
        x=days.astype(str).tolist(), y=returns, marker_color=colours, hovertemplate="%{x}: %{y:+.2f} %<extra></extra>"
    )
    figure = go.Figure(bars)
    figure.update_yaxes(title_text="return of the session", ticksuffix=" %")
    figure.update_xaxes(type="category", nticks=12, tickangle=0)
    return style(figure, 280)


def exposure_figure(history: RunHistory, analysis: Analysis) -> go.Figure:
    """Draw gross and net exposure, and the number of positions."""
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.65, 0.35], vertical_spacing=0.08)
    gross = _line(history, 100.0 * history.gross_exposure, "Gross", {"color": BLUE, "width": 1.2}, hover="%{y:.1f} %")
    net = _line(
        history, 100.0 * history.net_exposure, "Net", {"color": PURPLE, "width": 1.2, "dash": "dot"}, hover="%{y:.1f} %"
    )
    count = _line(
        history,
        (analysis.holdings != 0).sum(axis=1).astype(np.float64),
        "Positions",
        {"color": GREY, "width": 1.2, "shape": "hv"},
        hover="%{y:.0f}",
    )
    figure.add_trace(gross, row=1, col=1)
    figure.add_trace(net, row=1, col=1)
    figure.add_trace(count, row=2, col=1)
    figure.update_yaxes(title_text="of equity", ticksuffix=" %", row=1, col=1)
    figure.update_yaxes(title_text="positions", rangemode="tozero", tickformat="d", row=2, col=1)
    return style(figure, 340)


def _month_figure(history: RunHistory) -> go.Figure:
    last_rows = month_rows(history.ts_close_ns)
    month = months_since_1970(history.ts_close_ns)[last_rows]
    returns = 100.0 * returns_between(last_rows, history.equity, history.initial_cash)
    years = 1970 + month // 12
    first_year, n_years = int(years[0]), int(years[-1] - years[0]) + 1
    grid = np.full((n_years, 12), np.nan)
    grid[years - first_year, month % 12] = returns
    text = [["" if np.isnan(value) else f"{value:+.1f}" for value in row] for row in grid]
    limit = max(float(np.abs(returns).max()), 0.1)
    heat = go.Heatmap(
        z=[[None if np.isnan(value) else value for value in row] for row in grid.tolist()],
        x=MONTHS,
        y=[str(first_year + offset) for offset in range(n_years)],
        text=text,
        texttemplate="%{text}",
        textfont={"color": "#ffffff"},
        colorscale=[[0.0, RED], [0.5, GREY], [1.0, GREEN]],
        zmin=-limit,
        zmax=limit,
        xgap=3,
        ygap=3,
        showscale=False,
        hovertemplate="%{x} %{y}: %{z:+.2f} %<extra></extra>",
    )
    figure = go.Figure(heat)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    figure.update_xaxes(side="top", showgrid=False, tickangle=0, tickfont_size=10)
    return style(figure, 90 + 34 * max(n_years, 2))


def _line(
    history: RunHistory, values: FloatArray, name: str, line: dict[str, object], hover: str = "%{y:,.2f}"
) -> go.Scatter:
    rows = extreme_rows(values, N_BUCKETS)
    times = history.ts_close_ns[rows].astype("datetime64[ns]").astype("datetime64[s]").astype(str).tolist()
    template = f"%{{x}} UTC: {hover}<extra>{name}</extra>"
    return go.Scatter(x=times, y=values[rows], name=name, mode="lines", line=line, hovertemplate=template)
