"""``outcry train``: fit an ensemble on the training span, write its bundle, and register it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cli.console import console, errors, print_json_document
from cli.options import (
    AsJson,
    Assignments,
    Bars,
    ConfigFile,
    End,
    Families,
    Horizon,
    Source,
    Start,
    Symbols,
    read_settings,
)
from cli.progress import StepProgress
from outcry.errors import ServiceError
from outcry.exit_status import EXIT_FAILED

if TYPE_CHECKING:
    from configs.schema import Settings
    from outcry.models.manifest import BundleManifest
    from training.prepare import PreparedRun


def train(
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    families: Families = None,
    horizon: Horizon = None,
    register: Annotated[
        bool, typer.Option("--register/--no-register", help="Write the training into the model registry.")
    ] = True,
    promote: Annotated[
        bool, typer.Option("--promote", help="Then ask to make it champion, as outcry models promote does.")
    ] = False,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Fit the ensemble on the first part of the data (training.train_frac), write a bundle, and register it.

    What is trained is the challenger. Only a promotion, here or later, makes it the champion: to be the first is no
    sign of being good.
    """
    from cli.cluster import training_cluster
    from training.prepare import prepare_run

    settings = read_settings(
        source=source,
        symbols=symbols,
        start=start,
        end=end,
        bars=bars,
        config=config,
        assignments=assignments,
        horizon=horizon,
        families=families,
    )
    with StepProgress(quiet=as_json) as progress, training_cluster(settings):
        prepared = prepare_run(settings, bundle=None, on_progress=progress.show)
    manifest = prepared.model.manifest
    document: dict[str, Any] = {"path": str(prepared.plan.bundle_path), "manifest": manifest.model_dump(mode="json")}
    if not as_json:
        console.print(f"bundle    {prepared.plan.bundle_path}")
        _show(manifest)
    try:
        document |= {
            "registered": _register(settings, prepared, promotes=promote, as_json=as_json) if register else None
        }
    except ServiceError as error:
        errors.print(f"[bold red]error[/]: {escape(str(error))}", highlight=False, soft_wrap=True)
        errors.print(
            f"the bundle is kept in {prepared.plan.bundle_path}; the same command registers it, without training again",
            highlight=False,
            soft_wrap=True,
        )
        raise typer.Exit(EXIT_FAILED) from None
    finally:
        if as_json:
            print_json_document(document)


def _show(manifest: "BundleManifest") -> None:
    selection, test = manifest.selection, manifest.test
    how = f" of {selection.n_candidates}, by {', then '.join(selection.methods)}" if selection.methods else ""
    shares = [
        member.name if member.weight_frac is None else f"{member.name} {member.weight_frac:.0%}"
        for member in manifest.members
    ]
    console.print(f"members   {', '.join(shares)}")
    console.print(f"features  {len(manifest.feature_names)}{how}; horizon {manifest.label.horizon_bars} bars")
    if selection.nogueira is not None:
        console.print(
            f"folds     two of them share {selection.jaccard:.0%} of the columns that either chose; "
            f"agreement beyond chance {selection.nogueira:.2f} (1: always)"
        )
    console.print(
        f"test fold {test.n} rows never trained on: log loss {test.log_loss:.4f} "
        f"(class frequencies alone: {test.base_log_loss:.4f}), accuracy {test.accuracy:.1%}, "
        f"calibration error {test.ece_frac:.1%}"
    )
    if test.log_loss >= test.base_log_loss:
        console.print("[yellow]no skill[/]: on the test fold the ensemble is not better than the class frequencies")


def _register(settings: "Settings", prepared: "PreparedRun", *, promotes: bool, as_json: bool) -> dict[str, Any] | None:
    """Register what was trained, and return what came of it as JSON values; None where MLflow is not installed."""
    from outcry.adapters.registry.connection import is_installed

    if not is_installed():
        errors.print("not registered: MLflow comes with pip install 'outcry[train]'", highlight=False)
        return None
    from cli.models_view import as_document, show_judgement
    from cli.promotion import promote_version, register_run
    from cli.registry_session import registry_of

    with registry_of(settings) as session, StepProgress(quiet=as_json) as progress:
        made = register_run(session, prepared, progress.show)
        told: dict[str, Any] = as_document(made.version) | {"is_new": made.is_new}
        if not as_json:
            aliases = ", ".join(made.version.aliases) or "no alias"
            known = "" if made.is_new else ", which it was already"
            console.print(f"registered {made.version}, {aliases}{known}", highlight=False)
            for gone in made.removed:
                console.print(f"{gone} left the registry; its bundle stays in {gone.bundle_path}", highlight=False)
        if not promotes:
            return told
        promotion = promote_version(session, made.version, progress.show, forced_by=None, serves=True)
        if not as_json:
            show_judgement(promotion.judgement)
            console.print(f"{promotion.version} {promotion.outcome}: {promotion.reason}", highlight=False)
        return told | {"promotion": promotion.judgement.to_record() | {"outcome": promotion.outcome}}
