"""``outcry features``: the columns of a feature set, and their values on disk."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.console import console, print_json_document
from cli.options import AsJson, Assignments, Bars, ConfigFile, End, Source, Start, Symbols, read_settings
from cli.progress import StepProgress
from outcry.errors import ConfigurationError
from outcry.exit_status import EXIT_FAILED

if TYPE_CHECKING:
    from configs.schema import Settings
    from outcry.adapters.sources.load import LoadedMarket
    from outcry.features.column import Column
    from outcry.features.feature_set import FeatureSet
    from outcry.market.sessions import Sessions

app = typer.Typer(help="The feature columns that models read.", no_args_is_help=True)

BarSize = Annotated[str, typer.Option("--bars", help="Size of the bars; it decides the timeframes.", metavar="SIZE")]


@app.callback()
def features() -> None:
    """The feature columns that models read."""


@app.command("list")
def list_features(
    group: Annotated[str | None, typer.Option("--group", help="Only this group, for example momentum.")] = None,
    bars: BarSize = "5min",
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Print every column of a set: formula, warm-up, unit and range; sources are in the JSON."""
    found = _resolve(bars, config, assignments)
    groups = sorted({column.category for column in found.columns})
    if group is not None and group not in groups:
        raise ConfigurationError(f"group must be one of {', '.join(groups)}, was {group}")
    columns = [column for column in found.columns if group in {None, column.category}]
    if as_json:
        print_json_document({"features_hash": found.hash, "columns": [_as_json(column) for column in columns]})
        return
    table = Table("column", "what it is", title=f"{len(columns)} columns of {bars} bars, set {found.hash[:12]}")
    table.columns[0].no_wrap = True
    for column in columns:
        name = column.name + "".join(f"\n  [dim]{alias}[/]" for alias in column.aliases)
        what = f"{escape(column.formula)}\n[dim]{escape(column.unit)}, {_span(column)}, after {_warmup(column)}[/]"
        table.add_row(name, what)
    console.print(table)


@app.command("describe")
def describe_feature(
    name: Annotated[str, typer.Argument(help="Name or alias of a column, or its beginning: tech_rsi_14.")],
    bars: BarSize = "5min",
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Print all that is known of a column, or of each whose name begins so."""
    import difflib

    found = _resolve(bars, config, assignments)
    by_name = {key: column for column in found.columns for key in (column.name, *column.aliases)}
    columns = [by_name[name]] if name in by_name else [c for c in found.columns if c.name.startswith(f"{name}_")]
    if not columns:
        close = difflib.get_close_matches(name, by_name, n=3)
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise ConfigurationError(f"name must be a column of the set, was {name}{hint}")
    if as_json:
        print_json_document([_as_json(column) for column in columns])
        return
    for column in columns:
        console.print(_table_of(column))


@app.command("page")
def print_page(bars: BarSize = "5min", config: ConfigFile = None, assignments: Assignments = None) -> None:
    """Print the catalogue as Markdown: docs/features.md."""
    from outcry.features.page import render_page

    typer.echo(render_page(_resolve(bars, config, assignments), bars), nl=False)


@app.command("compile")
def compile_kernels(bars: BarSize = "5min", config: ConfigFile = None, assignments: Assignments = None) -> None:
    """Compile the kernels of a set and of the desk, on every core; two minutes the first time, a second after that."""
    from outcry.backtest.warm_up import DESK, LOOP, warm_up

    with StepProgress() as progress:
        features = _resolve(bars, config, assignments)
        warm_up(features, partial(progress.show, "compile kernels"), others=(*DESK, LOOP))


@app.command("build")
def build(
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the store; in the state folder without it.")
    ] = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Compute the features of a market into a store of Parquet files; new frames are appended to one that is there."""
    from training.prepare import build_features

    settings = read_settings(
        source=source, symbols=symbols, start=start, end=end, bars=bars, config=config, assignments=assignments
    )
    with StepProgress(quiet=as_json) as progress:
        market, sessions = _load(settings, progress)
        store = build_features(settings, market, market.frames, sessions, on_progress=progress.show, folder=out)
    if as_json:
        print_json_document({"path": str(store.path), **store.meta.model_dump(mode="json", exclude={"columns"})})
        return
    meta = store.meta
    console.print(f"store     {store.path}", soft_wrap=True)
    console.print(f"features  {len(meta.columns)} columns, set {meta.features_hash[:12]}")
    console.print(f"holds     {meta.n_frames:,} frames of {len(meta.symbols)} symbols", highlight=False)


@app.command("leakcheck")
def leakcheck(
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    cuts: Annotated[int, typer.Option("--cuts", min=1, help="Random places at which the future is changed.")] = 4,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Chooses the places and the other futures.")] = 7,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Prove that no feature, target or selection knows its future: recompute each without it, and with another."""
    from training.leakcheck import check_leaks

    settings = read_settings(
        source=source, symbols=symbols, start=start, end=end, bars=bars, config=config, assignments=assignments
    )
    with StepProgress(quiet=as_json) as progress:
        market, sessions = _load(settings, progress)
        found = check_leaks(settings, market, sessions, n_cuts=cuts, seed=seed, on_progress=progress.show)
    if as_json:
        print_json_document(asdict(found) | {"is_clean": found.is_clean})
    else:
        n_frames = f"{len(market.frames):,} frames of {len(market.universe)} symbols, {cuts} cuts"
        console.print(f"{n_frames}, seed {seed}", highlight=False)
        for what, n_columns, report in (
            ("features", found.n_features, found.features),
            ("targets", found.n_targets, found.targets),
        ):
            proven = n_columns - len(report.leaks) - len(report.unproven)
            console.print(f"{what:<10}{proven} of {n_columns} proven, {len(report.leaks)} leak", highlight=False)
            for leak in report.leaks:
                console.print(f"  [red]leak[/] {escape(str(leak))}", highlight=False)
            if report.unproven:
                names = ", ".join(report.unproven)
                console.print(f"  no value in this data, so not proven: {escape(names)}", highlight=False)
        console.print(f"selection {found.n_folds} folds, {len(found.selection)} leak", highlight=False)
        for change in found.selection:
            console.print(f"  [red]leak[/] fold {change.fold} chooses other columns with another future")
    if not found.is_clean:
        raise typer.Exit(EXIT_FAILED)


def _load(settings: "Settings", progress: StepProgress) -> "tuple[LoadedMarket, Sessions]":
    """Return the market with its sessions, and have the kernels of its features ready."""
    from configs.plan import resolve_features, sessions_around
    from configs.sectors import load_sectors
    from outcry.adapters.sources.load import load_market
    from outcry.backtest.warm_up import warm_up

    market = load_market(settings.market, load_sectors())
    ts = market.frames.ts_close_ns
    features = resolve_features(settings.features, market.bar_ns, market.universe.symbols)
    warm_up(features, partial(progress.show, "compile kernels"))
    return market, sessions_around(market.calendar, int(ts[0]), int(ts[-1]))


def _resolve(bars: str, config: Path | None, assignments: list[str] | None) -> "FeatureSet":
    from configs.plan import resolve_features
    from outcry.features.cross.proxies import MARKET, PROXY_SYMBOLS
    from outcry.market.bar_size import parse_bar_size

    settings = read_settings(config=config, assignments=assignments)
    return resolve_features(settings.features, parse_bar_size(bars), (MARKET, *PROXY_SYMBOLS.values()))


def _table_of(column: "Column") -> Table:
    facts = {
        "group": column.category,
        "formula": column.formula,
        "source": column.source,
        "unit": column.unit,
        "range": _span(column),
        "looks at": f"{column.window_bars} bars" if column.window_bars else "the whole past",
        "first value": f"after {_warmup(column)}",
        "computed": "every bar" if column.cadence_bars == 1 else f"every {column.cadence_bars} bars",
        "needs": column.needs or "bars",
        "aliases": ", ".join(column.aliases) or "none",
    }
    table = Table(show_header=False, title=column.name, title_justify="left")
    for key, value in facts.items():
        table.add_row(key, escape(value))
    return table


def _warmup(column: "Column") -> str:
    sessions = f" and {column.warmup_sessions} sessions" if column.warmup_sessions > 1 else ""
    return f"{column.warmup_bars} bar{'s' * (column.warmup_bars > 1)}{sessions}"


def _span(column: "Column") -> str:
    low, high = ("∞" if _bound(bound) is None else f"{abs(bound):g}" for bound in (column.low, column.high))
    return f"{'-' if column.low < 0 else ''}{low} … {'-' if column.high < 0 else ''}{high}"


def _as_json(column: "Column") -> dict[str, object]:
    return asdict(column) | {"low": _bound(column.low), "high": _bound(column.high)}


def _bound(value: float) -> float | None:
    """Return a bound as JSON knows it: infinity is absent."""
    return value if abs(value) < float("inf") else None
