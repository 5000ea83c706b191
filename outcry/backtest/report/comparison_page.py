"""The comparison of two runs as one HTML page that needs nothing beside it."""

from html import escape

import plotly.graph_objects as go

from outcry.backtest.report.comparison import Comparison
from outcry.backtest.report.downsample import extreme_rows
from outcry.backtest.report.html_parts import Charts, caption, card, document, table
from outcry.backtest.report.number_format import day, plain
from outcry.backtest.report.palette import AMBER, BLUE, style

N_BUCKETS = 600


def render_comparison(comparison: Comparison) -> str:
    """Return the page. Every text from outside is escaped; the page refers to no other file and no address."""
    a, b = _names(comparison)
    charts = Charts()
    sections = [
        _header(comparison),
        _test(comparison),
        charts.card(
            "Equity over the common sessions", _equity_figure(comparison), "Both as multiples of where they begin."
        ),
        card(
            "Key figures",
            caption(" ".join(filter(None, ("Each of the whole run, over its own span.", comparison.benchmark_note))))
            + table(("Figure", a, b, "Difference"), comparison.figure_rows(), first_number=1),
        ),
        _settings(comparison),
    ]
    return document(f"outcry · {a} and {b}", "\n".join(sections), charts)


def _header(comparison: Comparison) -> str:
    close_ns = comparison.common_close_ns
    a, b = _names(comparison)
    line = (
        f"Run {a} less run {b} · {len(close_ns):,} common sessions, {day(int(close_ns[0]))} to {day(int(close_ns[-1]))}"
    )
    return f'<header><h1>{escape(comparison.verdict)}</h1><p class="run">{escape(line)}</p></header>'


def _test(comparison: Comparison) -> str:
    test = comparison.test
    title = "Can the difference be told from luck?"
    if test is None:
        return card(title, caption("There are too few common sessions for a test."), extra="notes")
    note = (
        f"{test.n_sessions:,} common sessions, drawn again {test.n_resamples:,} times for both runs together, in "
        f"blocks of {test.mean_block:.1f} sessions on average. Correlation of the returns: {plain(test.correlation)}. "
        "A run that was chosen because it came out ahead is not tested fairly by this."
    )
    heads = ("Difference of", "Found", "95 % interval", "p")
    return card(title, caption(note) + table(heads, comparison.test_rows(), first_number=1), extra="notes")


def _settings(comparison: Comparison) -> str:
    rows = comparison.setting_rows()
    if not rows:
        return card("What differs in their settings", caption("Nothing that is recorded."))
    a, b = _names(comparison)
    body = "".join(
        f'<tr><th>{escape(name)}</th><td class="wide">{escape(x)}</td><td class="wide">{escape(y)}</td></tr>'
        for name, x, y in rows
    )
    head = f"<tr><th>Setting</th><th>{escape(a)}</th><th>{escape(b)}</th></tr>"
    return card("What differs in their settings", f"<table>{head}{body}</table>")


def _equity_figure(comparison: Comparison) -> go.Figure:
    figure = go.Figure()
    names = _names(comparison)
    for name, curve, colour in zip(
        names, (comparison.first_equity, comparison.second_equity), (BLUE, AMBER), strict=True
    ):
        rows = extreme_rows(curve, N_BUCKETS)
        days = [day(ts_ns - 1) for ts_ns in comparison.common_close_ns[rows].tolist()]
        figure.add_trace(
            go.Scatter(x=days, y=curve[rows], name=escape(name), mode="lines", line={"color": colour, "width": 1.8})
        )
    figure.update_yaxes(title_text="multiple", tickformat=",.2f")
    return style(figure, 380)


def _names(comparison: Comparison) -> tuple[str, str]:
    """Return the names of the runs, told apart where they are the same."""
    a, b = comparison.first.run_id, comparison.second.run_id
    return (a, b) if a != b else (f"{a} (1)", f"{b} (2)")
