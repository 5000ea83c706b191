"""``outcry models explain``: what moves the forecasts of a model, as a table and as its page."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from cli.console import console, print_json_document
from cli.options import AsJson, Assignments, Bars, ConfigFile, End, Source, Start, Symbols, read_settings
from cli.progress import StepProgress

if TYPE_CHECKING:
    from configs.schema import Settings
    from outcry.models.bundle import ModelBundle
    from outcry.models.explanation import Explanation
    from training.explain.explain import ExplainOptions
    from training.prepare import Progress

_MAX_COLUMNS = 20
_WHICH = "A version in the registry, as for show, or a bundle: its folder, or its version."


def explain(
    version: Annotated[str, typer.Argument(metavar="VERSION|BUNDLE", help=_WHICH)] = "champion",
    rows: Annotated[int, typer.Option("--rows", min=100, help="Rows of the test fold to look at, about.")] = 10_000,
    repeats: Annotated[int, typer.Option("--repeats", min=2, help="How often a column is given other values.")] = 5,
    together: Annotated[
        float | None,
        typer.Option(
            "--together",
            min=0.0,
            max=1.0,
            help="Give columns other values together whose rank correlations are at least this.",
            show_default=False,
        ),
    ] = None,
    page: Annotated[Path | None, typer.Option("--report", help="Where to write the page.", show_default=False)] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="The registered model; not needed where there is one.")
    ] = None,
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Explain the forecasts of a model on its test fold: contributions and importance of columns, attention, drift.

    It reads the market of the settings, which must be that of the training. The page is written beside the bundles and,
    of a registered version, to its plots; reports of runs that trade the bundle show what was found.
    """
    settings = read_settings(
        source=source, symbols=symbols, start=start, end=end, bars=bars, config=config, assignments=assignments
    )
    from outcry.models.bundle import MANIFEST_FILE, load_bundle
    from outcry.models.explanation import explanation_path
    from training.explain.explain import ExplainOptions
    from training.model_page import render_model

    options = ExplainOptions(max_rows=rows, n_repeats=repeats, min_abs_spearman=together, seed=settings.training.seed)
    folders = (Path(version), settings.floor.state_dir / "bundles" / version)
    folder = next((each for each in folders if (each / MANIFEST_FILE).is_file()), None)
    with ExitStack() as stack:
        session = registered = None
        if folder is None:
            from cli.registry_session import registry_of

            session = stack.enter_context(registry_of(settings))
            registered = session.registry.find(session.model_name(model), version)
            bundle = session.load(registered)
        else:
            bundle = load_bundle(folder)
        with StepProgress(quiet=as_json) as progress:
            found = explain_and_keep(settings, bundle, options, progress.show)
        rendered = render_model(bundle.manifest, found)
        path = page or explanation_path(settings.floor.state_dir, bundle.version).with_suffix(".html")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendered, encoding="utf-8")
        if session is not None and registered is not None:
            plots = {"model.html": rendered, "explanation.json": found.model_dump_json(indent=1)}
            session.registry.write_plots(registered, plots)
    if as_json:
        print_json_document(found.model_dump(mode="json") | {"report": str(path)})
        return
    _show(found)
    console.print(f"report  {path}", highlight=False, soft_wrap=True)


def explain_and_keep(
    settings: "Settings", bundle: "ModelBundle", options: "ExplainOptions", on_progress: "Progress"
) -> "Explanation":
    """Explain a bundle on the market of the settings, and keep what was found where reports look for it."""
    from cli.promotion import load_market_of
    from outcry.models.explanation import explanation_path, write_explanation
    from training.explain.explain import explain_bundle

    found = explain_bundle(settings, load_market_of(settings, on_progress), bundle, options, on_progress)
    write_explanation(explanation_path(settings.floor.state_dir, bundle.version), found)
    return found


def _show(found: "Explanation") -> None:
    console.print(
        f"{found.n_rows:,} rows of {found.n_frames:,} frames of the test fold, log loss {found.log_loss:.4f}; "
        f"contributions of {found.n_explained_rows:,} rows",
        highlight=False,
    )
    adds = {
        name: sum(each) for name, *each in zip(found.feature_names, *found.contributions[0].mean_abs_nats, strict=True)
    }
    moved = dict(zip(found.feature_names, found.drift[-1].index, strict=True)) if found.drift else {}
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("column", overflow="fold")
    for head in ("adds", "rise of log loss", "among symbols", "drift"):
        table.add_column(head, justify="right")
    for each in found.importance[:_MAX_COLUMNS]:
        table.add_row(
            escape("\n".join(each.columns)),
            "\n".join(f"{adds[name]:.4f}" for name in each.columns),
            f"{each.rise_nats:+.5f} ± {each.rise_deviation_nats:.5f}",
            f"{each.across_nats:+.5f} ± {each.across_deviation_nats:.5f}",
            "\n".join(f"{moved[name]:.2f}" if moved else "-" for name in each.columns),
        )
    console.print(table)
    for profile in found.attention:
        n_bars = len(profile.mean_frac)
        most = max(range(n_bars), key=lambda bar: profile.mean_frac[bar])
        console.print(
            f"{profile.family} attends most to {n_bars - 1 - most} bars before the decision, "
            f"{profile.mean_frac[most]:.1%}; even would be {1 / n_bars:.1%}",
            highlight=False,
        )
