"""The charts of how a result came about: Sharpe ratio over time, distributions of returns, walk-forward windows."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.backtest.analytics.rolling_sharpe import rolling_sharpe
from outcry.backtest.analytics.session_returns import session_returns, session_rows
from outcry.backtest.analytics.summary import Summary
from outcry.backtest.history import RunHistory, TradedWindow
from outcry.backtest.report.downsample import extreme_rows
from outcry.backtest.report.number_format import ABSENT, day, percent, plain
from outcry.backtest.report.palette import AMBER, BLUE, GREEN, GREY, RED, style

N_BUCKETS = 800
TWO_SIDED_95 = 1.96
NS_A_MS = 1_000_000


def rolling_figure(history: RunHistory, summary: Summary, window_sessions: int) -> go.Figure:
    """Draw the Sharpe ratio of a moving window, inside what luck makes of a ratio that never changes."""
    per_year = summary.returns.sessions_per_year
    returns = session_returns(history.ts_close_ns, history.equity, history.initial_cash)
    ratios = rolling_sharpe(returns, window_sessions, per_year, summary.risk_free_per_year)
    known = np.flatnonzero(np.isfinite(ratios))
    figure = go.Figure()
    whole = sharpe_ratio(returns, 1.0, summary.risk_free_per_year / per_year)
    if whole is not None:
        width = TWO_SIDED_95 * math.sqrt((1.0 + whole**2 / 2.0) / window_sessions * per_year)
        level = whole * math.sqrt(per_year)
        figure.add_hrect(y0=level - width, y1=level + width, line_width=0, fillcolor=GREY, opacity=0.15)
        figure.add_hline(y=level, line_width=1, line_color=GREY, line_dash="dot")
    if len(known):
        rows = known[extreme_rows(ratios[known], N_BUCKETS)]
        days = _days(history.ts_close_ns[session_rows(history.ts_close_ns)][rows])
        figure.add_trace(
            go.Scatter(
                x=days,
                y=ratios[rows].astype(np.float32),
                mode="lines",
                line={"color": BLUE, "width": 1.6},
                hovertemplate="%{x}: %{y:.2f}<extra></extra>",
            )
        )
    figure.update_yaxes(title_text="Sharpe ratio", zeroline=True)
    return style(figure, 300)


def return_figure(history: RunHistory, summary: Summary) -> go.Figure:
    """Draw how session returns are distributed, beside a normal distribution of their mean and deviation."""
    returns = 100.0 * session_returns(history.ts_close_ns, history.equity, history.initial_cash)
    counts, edges = np.histogram(returns, bins=min(80, max(10, 2 * int(np.sqrt(len(returns))))))
    centres, width = (edges[:-1] + edges[1:]) / 2.0, float(edges[1] - edges[0])
    figure = go.Figure(
        go.Bar(
            x=centres,
            y=counts,
            marker_color=[GREEN if value >= 0 else RED for value in centres.tolist()],
            name="sessions",
            showlegend=False,
            hovertemplate="around %{x:+.2f} %: %{y} sessions<extra></extra>",
        )
    )
    deviation = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
    if deviation > 0:
        z = (centres - returns.mean()) / deviation
        normal = len(returns) * width / (deviation * math.sqrt(2.0 * math.pi)) * np.exp(-0.5 * z**2)
        line = {"color": GREY, "width": 1.4, "dash": "dot"}
        figure.add_trace(go.Scatter(x=centres, y=normal, name="Normal", mode="lines", line=line, hoverinfo="skip"))
    if summary.returns.var_95_frac is not None:
        figure.add_vline(x=-100.0 * summary.returns.var_95_frac, line_width=1.2, line_color=AMBER)
    figure.update_xaxes(title_text="return of a session", ticksuffix=" %")
    figure.update_yaxes(title_text="sessions")
    figure.update_layout(bargap=0.06)
    return style(figure, 300)


def window_figure(windows: Sequence[TradedWindow]) -> go.Figure:
    """Draw the spans of a walk forward as bars over time, what was fitted on and what was traded."""
    names = [str(number) for number in range(1, len(windows) + 1)]
    colours = [GREEN if window.total_return >= 0 else RED for window in windows]
    figure = make_subplots(cols=2, column_widths=[0.66, 0.34], shared_yaxes=True, horizontal_spacing=0.04)
    for name, spans, colour in (
        ("Fitted", [window.train_span_ns for window in windows], GREY),
        ("Traded", [window.test_span_ns for window in windows], colours),
    ):
        bars = go.Bar(
            base=[day(first) for first, _ in spans],
            x=[(last - first) // NS_A_MS for first, last in spans],
            y=names,
            orientation="h",
            name=name,
            marker_color=colour,
            showlegend=False,
            customdata=[f"{day(first)} to {day(last)}" for first, last in spans],
            hovertemplate=f"{name.lower()} %{{customdata}}<extra></extra>",
        )
        figure.add_trace(bars, row=1, col=1)
    for name, ratios, colour in (
        ("In sample", [window.in_sample_sharpe for window in windows], GREY),
        ("Out of sample", [window.out_of_sample_sharpe for window in windows], BLUE),
    ):
        points = go.Scatter(x=ratios, y=names, mode="markers", name=name, marker={"color": colour, "size": 9})
        points.update(hovertemplate=f"{name.lower()}: %{{x:.2f}}<extra></extra>")
        figure.add_trace(points, row=1, col=2)
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    figure.update_xaxes(type="date", nticks=4, row=1, col=1)
    figure.update_xaxes(title_text="Sharpe ratio", zeroline=True, zerolinecolor=GREY, row=1, col=2)
    return style(figure, 120 + 22 * max(len(windows), 3))


def window_rows(windows: Sequence[TradedWindow]) -> list[tuple[str, ...]]:
    """Return the table of a walk forward: a row a window, in the order of `WINDOW_HEADS`."""
    return [
        (
            str(number),
            f"{day(window.train_span_ns[0])} to {day(window.train_span_ns[1])}",
            f"{day(window.test_span_ns[0])} to {day(window.test_span_ns[1])}",
            window.model_version or ABSENT,
            plain(window.in_sample_sharpe),
            plain(window.out_of_sample_sharpe),
            percent(window.total_return, signed=True),
            percent(window.max_drawdown),
            f"{window.n_trades:,}",
        )
        for number, window in enumerate(windows, start=1)
    ]


WINDOW_HEADS = ("#", "Fitted on", "Traded", "Model", "Sharpe in", "Sharpe out", "Return", "Drawdown", "Trades")


def _days(ts_close_ns: np.ndarray) -> list[str]:
    days: list[str] = (ts_close_ns - 1).astype("datetime64[ns]").astype("datetime64[D]").astype(str).tolist()
    return days
