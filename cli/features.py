"""``outcry features``: the catalogue of feature columns."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.console import console, print_json_document
from cli.options import AsJson
from outcry.errors import ConfigurationError

app = typer.Typer(help="The feature columns that models read.", no_args_is_help=True)


@app.callback()
def features() -> None:
    """The feature columns that models read."""


@app.command("list")
def list_features(
    category: Annotated[str | None, typer.Option("--category", help="Only this family, for example momentum.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print every column: formula, warm-up, unit and range; sources are in the JSON."""
    from outcry.features.catalogue import CATALOGUE, catalogue_hash

    families = sorted({column.category for column in CATALOGUE})
    if category is not None and category not in families:
        raise ConfigurationError(f"category must be one of {', '.join(families)}, was {category}")
    columns = [column for column in CATALOGUE if category in {None, column.category}]
    if as_json:
        rows = [asdict(c) | {"low": _bound(c.low), "high": _bound(c.high)} for c in columns]
        print_json_document({"catalogue_hash": catalogue_hash(), "columns": rows})
        return
    table = Table("column", "what it is", title=f"{len(columns)} columns, catalogue {catalogue_hash()[:12]}")
    table.columns[0].no_wrap = True
    for c in columns:
        low, high = ("∞" if _bound(bound) is None else f"{abs(bound):g}" for bound in (c.low, c.high))
        span = f"{'-' if c.low < 0 else ''}{low} … {'-' if c.high < 0 else ''}{high}"
        name = c.name + "".join(f"\n  [dim]{alias}[/]" for alias in c.aliases)
        what = f"{escape(c.formula)}\n[dim]{escape(c.unit)}, {span}, after {c.warmup_bars} bars[/]"
        table.add_row(name, what)
    console.print(table)


def _bound(value: float) -> float | None:
    """Return a bound as JSON knows it: infinity is absent."""
    return value if abs(value) < float("inf") else None
