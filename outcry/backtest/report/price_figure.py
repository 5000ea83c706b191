"""Where a run bought and sold, on the prices of a symbol."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from outcry.backtest.history import RunHistory
from outcry.backtest.report.downsample import extreme_rows
from outcry.backtest.report.palette import GREEN, GREY, RED, style
from outcry.messages import Fill, Side

MAX_SYMBOLS = 10
MAX_MARKERS = 150
N_BUCKETS = 400
NS_A_S = 1_000_000_000


def price_figures(history: RunHistory) -> Mapping[str, go.Figure]:
    """Return a chart a symbol, the one with the most fills first, of the `MAX_SYMBOLS` busiest ones."""
    counts = Counter(fill.symbol for fill in history.fills)
    busiest = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))[:MAX_SYMBOLS]
    by_symbol: dict[str, list[Fill]] = {symbol: [] for symbol in busiest}
    for fill in history.fills:
        if fill.symbol in by_symbol:
            by_symbol[fill.symbol].append(fill)
    return {f"{symbol} ({counts[symbol]:,} fills)": _figure(history, symbol, by_symbol[symbol]) for symbol in busiest}


def _figure(history: RunHistory, symbol: str, fills: Sequence[Fill]) -> go.Figure:
    close = history.closes[:, history.universe.index(symbol)]
    known = np.flatnonzero(np.isfinite(close))
    rows = known[extreme_rows(close[known], N_BUCKETS)] if len(known) else known
    line = go.Scatter(
        x=_seconds(history.ts_close_ns[rows]),
        y=close[rows].astype(np.float32),
        name="Close",
        mode="lines",
        line={"color": GREY, "width": 1.2},
        hovertemplate="%{x} UTC: %{y:,.2f}<extra></extra>",
    )
    figure = go.Figure(line)
    for name, side, colour, marker in (
        ("Buy", Side.BUY, GREEN, "triangle-up"),
        ("Sell", Side.SELL, RED, "triangle-down"),
    ):
        group = [fill for fill in fills if fill.side is side]
        largest = sorted(group, key=lambda fill: fill.quantity * fill.price)[-MAX_MARKERS:]
        points = go.Scatter(
            x=_seconds(np.array([fill.ts_ns for fill in largest], dtype=np.int64)),
            y=np.array([float(fill.price) for fill in largest], dtype=np.float32),
            name=name,
            mode="markers",
            marker={"symbol": marker, "color": colour, "size": 9, "line": {"width": 0.5, "color": "#ffffff"}},
            customdata=np.array([float(fill.quantity) for fill in largest], dtype=np.float32),
            hovertemplate=f"%{{x}} UTC<br>{name.lower()} %{{customdata:,.6~f}} at %{{y:,.2f}}<extra></extra>",
        )
        figure.add_trace(points)
    figure.update_yaxes(title_text=escape(symbol), tickformat=",.2~f")
    return style(figure, 360)


def _seconds(ts_ns: np.ndarray) -> list[str]:
    seconds: list[str] = (ts_ns // NS_A_S).astype("datetime64[s]").astype(str).tolist()
    return seconds
