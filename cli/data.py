"""``outcry data …``: look at market data before a run reads it."""

import dataclasses
import time
from itertools import groupby
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from rich.table import Table

from cli.console import console, print_json_document
from outcry.adapters.sources.read import read_bars
from outcry.exit_status import EXIT_FAILED
from outcry.market.bar_size import format_bar_size, parse_bar_size
from outcry.market.calendar import TradingCalendar
from outcry.market.quality import QualityReport, Severity, check_bars

app = typer.Typer(help="Look at market data before a run reads it.", no_args_is_help=True)


@app.callback()
def data() -> None:
    """Look at market data before a run reads it."""


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="A .parquet or .csv file, a folder of them, or 'sample'.")],
    calendar: Annotated[str, typer.Option(help="Exchange calendar, as XNYS, or 24/7.")] = "XNYS",
    session: Annotated[
        Literal["regular", "all"], typer.Option(help="'all' does not report bars outside the sessions.")
    ] = "regular",
    bars: Annotated[str | None, typer.Option(help="Expected bar size, as 5min; inferred by default.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    strict: Annotated[bool, typer.Option(help="Fail on warnings too.")] = False,
) -> None:
    """Report duplicates, contradictions, gaps, zero volume, time going backwards and outliers."""
    bar_ns = None if bars is None else parse_bar_size(bars)
    report = check_bars(
        read_bars(str(path)), TradingCalendar(calendar), bar_ns=bar_ns, session=session, now_ns=time.time_ns()
    )
    if as_json:
        print_json_document({"source": str(path), "has_errors": report.has_errors, **dataclasses.asdict(report)})
    else:
        _print_report(report, path)
    if report.has_errors or (strict and report.findings):
        raise typer.Exit(EXIT_FAILED)


def _print_report(report: QualityReport, path: Path) -> None:
    console.print(
        f"{path}: {report.n_bars:,} bars of {format_bar_size(report.bar_ns)}, {report.n_symbols} symbols, "
        f"{_instant(report.first_ts_ns)} to {_instant(report.last_ts_ns)}, calendar {report.calendar}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    if not report.findings:
        console.print("no findings")
        return
    table = Table()
    for heading in ("severity", "kind"):
        table.add_column(heading, no_wrap=True)
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("symbols")
    table.add_column("worst: first bar (UTC), values", overflow="fold")
    for kind, group in groupby(report.findings, key=lambda finding: finding.kind):
        findings = sorted(group, key=lambda finding: -finding.count)
        worst = findings[0]
        table.add_row(
            f"[red]{worst.severity}[/]" if worst.severity is Severity.ERROR else str(worst.severity),
            kind,
            f"{report.count(kind):,}",
            worst.symbol if len(findings) == 1 else f"{worst.symbol} and {len(findings) - 1} more",
            f"{_instant(worst.first_ts_ns)} {worst.examples[0]}",
        )
    console.print(table)
    if len(report.findings) > table.row_count:
        console.print("--json lists every symbol")


def _instant(ts_ns: int) -> str:
    return str(np.datetime64(ts_ns, "ns").astype("datetime64[s]")).replace("T", " ")
