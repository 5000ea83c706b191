"""``outcry report``: two runs side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from cli.console import console, print_json_document
from cli.options import AsJson, Assignments, ConfigFile, read_settings

if TYPE_CHECKING:
    from outcry.backtest.report.comparison import Comparison

FirstRun = Annotated[str, typer.Argument(metavar="RUN", help="A run, or the folder of its report.")]
SecondRun = Annotated[str, typer.Argument(metavar="RUN", help="The run to compare it with.")]
PagePath = Annotated[Path | None, typer.Option("--report", help="Where to write compare.html.", show_default=False)]


def report(
    first: FirstRun,
    second: SecondRun,
    config: ConfigFile = None,
    assignments: Assignments = None,
    page: PagePath = None,
    as_json: AsJson = False,
) -> None:
    """Compare two runs: key figures, settings, and whether their difference can be told from luck."""
    from outcry.backtest.report.comparison import compare_runs
    from outcry.backtest.report.comparison_page import render_comparison
    from outcry.backtest.report.run_figures import load_figures

    runs = read_settings(config=config, assignments=assignments).floor.state_dir / "runs"
    found = [load_figures(find_figures(runs, name)) for name in (first, second)]
    comparison = compare_runs(found[0], found[1])
    path = page or runs / f"{found[0].run_id}-{found[1].run_id}" / "compare.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_comparison(comparison), encoding="utf-8")
    if as_json:
        print_json_document(comparison.to_record() | {"report": str(path)})
        return
    _show(comparison)
    console.print(f"report  {path}", highlight=False, soft_wrap=True)


def find_figures(runs: Path, name: str) -> Path:
    """Return the file with the figures of a run, named by its id, the folder of its report or a file in it.

    Raises
    ------
    DataNotFoundError
        Where there is none.
    """
    from outcry.backtest.report.run_figures import FILE_NAME
    from outcry.errors import DataNotFoundError

    given = Path(name)
    for folder in (given, given.parent if given.is_file() else given, runs / name):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise DataNotFoundError(
        f"run must be one in {runs} or a folder with a report and its {FILE_NAME}, was {name}; "
        "a run that was reported before outcry wrote this file must be run again"
    )


def _show(comparison: "Comparison") -> None:
    a, b = escape(comparison.first.run_id), escape(comparison.second.run_id)
    console.print(f"[bold]{escape(comparison.verdict)}[/]", highlight=False, soft_wrap=True)
    _print_table(("figure", a, b, "difference"), comparison.figure_rows())
    if comparison.benchmark_note is not None:
        console.print(f"[bold yellow]![/] {escape(comparison.benchmark_note)}", highlight=False, soft_wrap=True)
    test = comparison.test
    if test is not None:
        console.print(f"{test.n_sessions:,} common sessions", highlight=False)
        _print_table(("difference of", "found", "95 % interval", "p"), comparison.test_rows())
        if test.correlation is not None:
            console.print(f"correlation of their returns  {test.correlation:.2f}", highlight=False)
    rows = comparison.setting_rows()
    if rows:
        _print_table(("setting", a, b), rows, n_text=3)


def _print_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], n_text: int = 1) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column, head in enumerate(heads):
        table.add_column(head, justify="left" if column < n_text else "right", overflow="fold")
    for row in rows:
        table.add_row(*(escape(text) for text in row))
    console.print(table)
