"""The report on a terminal."""

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from outcry.backtest.analytics.summary import Summary
from outcry.backtest.report.key_figures import key_figures

FLAT_FRAC = 5e-5


def render_terminal(summary: Summary) -> RenderableType:
    """Return the verdict, the key figures and the warnings, for `rich.console.Console.print`."""
    change = summary.returns.total_return_frac
    colour = "yellow" if abs(change) < FLAT_FRAC else "green" if change > 0 else "red"
    title = escape(f"run {summary.run_id} · {summary.mode} · {summary.source}")
    tables = [_table(name, rows) for name, rows in key_figures(summary).items()]
    warnings = [Text.assemble(("! ", "bold yellow"), text) for text in summary.warnings]
    return Group(
        Panel(Text(summary.verdict, style=f"bold {colour}"), title=title, border_style=colour),
        Columns(tables, padding=(1, 3)),
        Text(),
        *warnings,
    )


def _table(name: str, rows: list[tuple[str, str]]) -> Table:
    table = Table(
        title=name, title_justify="left", title_style="bold", show_header=False, box=None, padding=(0, 1, 0, 0)
    )
    table.add_column(style="dim")
    table.add_column(justify="right")
    for label, text in rows:
        table.add_row(Text(label), Text(text))
    return table
