"""``outcry models``: what was trained, which of it trades, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import console, print_json_document
from cli.model_explain import explain
from cli.models_view import as_document, show_comparison, show_judgement, show_version, show_versions
from cli.options import AsJson, Assignments, Bars, ConfigFile, End, Source, Start, Symbols, read_settings
from cli.progress import StepProgress
from outcry.adapters.registry.version import ALIASES, CHALLENGER, CHAMPION, SHADOW
from outcry.errors import ConfigurationError
from outcry.exit_status import EXIT_FAILED

if TYPE_CHECKING:
    from cli.registry_session import RegistrySession
    from outcry.adapters.registry.version import ModelVersion

app = typer.Typer(help="Models in the registry: list, compare, explain, promote, roll back.", no_args_is_help=True)

app.command()(explain)

_WHICH = "An alias (champion, challenger, shadow), MAJOR.MINOR.PATCH, a number, or the start of a bundle's version."
Name = Annotated[
    str | None, typer.Option("--model", help="The registered model; not needed where there is one.", show_default=False)
]
Serve = Annotated[
    bool, typer.Option("--serve/--no-serve", help="Swap it into the replicas of a floor that runs, without a restart.")
]


@app.command("list")
def list_models(
    model: Name = None, config: ConfigFile = None, assignments: Assignments = None, as_json: AsJson = False
) -> None:
    """List the versions of every model, newest first: aliases, what they saw, how they did out of sample."""
    from cli.registry_session import registry_of

    with registry_of(read_settings(config=config, assignments=assignments)) as session:
        names = session.registry.names() if model is None else [session.model_name(model)]
        versions = [version for name in names for version in session.registry.versions(name)]
        metrics = [session.registry.metrics(version) for version in versions]
    if as_json:
        rows = zip(versions, metrics, strict=True)
        print_json_document([as_document(version) | {"metrics": found} for version, found in rows])
        return
    if not versions:
        console.print("no model yet: outcry train registers what it trains")
        return
    show_versions(versions, metrics)


@app.command()
def show(
    version: Annotated[str, typer.Argument(metavar="VERSION", help=_WHICH)] = CHAMPION,
    model: Name = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Show one version: where it comes from, its metrics, and every decision on it."""
    from cli.registry_session import registry_of

    with registry_of(read_settings(config=config, assignments=assignments)) as session:
        name = session.model_name(model)
        found = session.registry.find(name, version)
        metrics = session.registry.metrics(found)
        decisions = [each for each in session.decisions(name) if each.bundle_version == found.bundle_version]
    if as_json:
        told = [{key: getattr(each, key) for key in each.__slots__} for each in decisions]
        print_json_document(as_document(found) | {"metrics": metrics, "tags": dict(found.tags), "decisions": told})
        return
    show_version(found, metrics, decisions)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="FIRST", help=_WHICH)] = CHAMPION,
    second: Annotated[str, typer.Argument(metavar="SECOND", help=_WHICH)] = CHALLENGER,
    model: Name = None,
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions on frames that neither was trained on; nothing is decided or recorded."""
    from cli.promotion import judge_version
    from cli.registry_session import registry_of

    settings = read_settings(
        source=source, symbols=symbols, start=start, end=end, bars=bars, config=config, assignments=assignments
    )
    with registry_of(settings) as session, StepProgress(quiet=as_json) as progress:
        name = session.model_name(model)
        versions = session.registry.find(name, first), session.registry.find(name, second)
        judgement = judge_version(session, versions[1], versions[0], progress.show)
    if as_json:
        print_json_document(judgement.to_record() | {"first": versions[0].version, "second": versions[1].version})
        return
    show_comparison(judgement, versions[0].version, versions[1].version)
    show_judgement(judgement)


@app.command()
def promote(
    version: Annotated[str, typer.Argument(metavar="VERSION", help=_WHICH)] = CHALLENGER,
    alias: Annotated[
        str,
        typer.Option(
            "--as", help="champion: what trades, behind a gate. shadow: is asked beside it. challenger: a mark."
        ),
    ] = CHAMPION,
    force: Annotated[bool, typer.Option("--force", help="Promote whatever the checks say; needs --reason.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Recorded with --force.", show_default=False)] = None,
    serve: Serve = True,
    model: Name = None,
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Make a version the champion, if it is better than the present one on frames that neither was trained on.

    It must lose less by a one-sided Diebold-Mariano test with Newey-West errors, be calibrated, fast and small enough
    (section registry of the settings), and read the same features. Without a champion it is held against the class
    frequencies. The decision is recorded with its figures. Exit status 1: refused.

    A shadow passes no gate and never trades: the replicas of a floor that runs answer every frame with it, too, and
    outcry status RUN tells how it does.
    """
    from cli.promotion import promote_version
    from cli.registry_session import registry_of

    if alias not in ALIASES:
        raise ConfigurationError(f"--as must be one of {', '.join(ALIASES)}, was {alias}")
    if force and not reason:
        raise ConfigurationError("--force must come with --reason TEXT, which is recorded")
    settings = read_settings(
        source=source, symbols=symbols, start=start, end=end, bars=bars, config=config, assignments=assignments
    )
    with registry_of(settings) as session:
        found = session.registry.find(session.model_name(model), version)
        if alias != CHAMPION:
            _mark(session, found, alias, serves=serve, as_json=as_json)
            return
        with StepProgress(quiet=as_json) as progress:
            made = promote_version(session, found, progress.show, forced_by=reason if force else None, serves=serve)
    if as_json:
        told = {"outcome": made.outcome, "reason": made.reason, "served": made.served or None}
        print_json_document(as_document(made.version) | told | {"judgement": made.judgement.to_record()})
    else:
        show_judgement(made.judgement)
        verb = {"accepted": "is champion", "forced": "is champion, by force", "refused": "is not promoted"}
        console.print(f"{made.version} {verb[made.outcome]}: {made.reason}", highlight=False, soft_wrap=True)
        if made.served:
            console.print(f"every replica answers with {made.served}", highlight=False)
    if made.outcome == "refused":
        raise typer.Exit(EXIT_FAILED)


def _mark(session: "RegistrySession", version: "ModelVersion", alias: str, *, serves: bool, as_json: bool) -> None:
    """Give a version an alias that passes no gate; a shadow goes into the replicas."""
    served = refusal = ""
    if alias == SHADOW:
        served, refusal = session.make_shadow(version, serves=serves)
    else:
        session.registry.set_alias(version, alias)
    if as_json:
        now = session.registry.find(version.name, str(version.number))
        told = {"outcome": "refused", "reason": refusal} if refusal else {"outcome": "accepted", "reason": ""}
        print_json_document(as_document(now) | told | {"served": served or None})
    elif refusal:
        told_refusal = f"{version} is not {alias}: the served ensemble refused it: {refusal}"
        console.print(told_refusal, highlight=False, soft_wrap=True)
    else:
        console.print(f"{version} is {alias}", highlight=False)
        if served:
            console.print(f"every replica has {served} answer beside its model", highlight=False)
    if refusal:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def withdraw(
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="shadow, or challenger.")] = SHADOW,
    serve: Serve = True,
    model: Name = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Take an alias away; a shadow also leaves the replicas of a floor that runs."""
    from cli.registry_session import registry_of

    if alias not in (SHADOW, CHALLENGER):
        raise ConfigurationError(f"ALIAS must be {SHADOW} or {CHALLENGER}, was {alias}; see outcry models rollback")
    with registry_of(read_settings(config=config, assignments=assignments)) as session:
        name = session.model_name(model)
        dropped = ""
        if alias == SHADOW:
            version, dropped = session.withdraw_shadow(name, serves=serve)
        else:
            version = session.registry.find(name, alias)
            session.registry.drop_alias(name, alias)
    if as_json:
        told = None if version is None else version.version
        print_json_document({"name": name, "alias": alias, "version": told, "dropped": dropped or None})
        return
    if version is not None:
        console.print(f"{version} is no longer {alias}", highlight=False)
    if dropped:
        console.print(f"no replica has {dropped} answer any longer", highlight=False)


@app.command()
def rollback(
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")],
    serve: Serve = True,
    model: Name = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Make the champion before this one the champion again, and put it in service."""
    from cli.registry_session import registry_of

    with registry_of(read_settings(config=config, assignments=assignments)) as session:
        now, served = session.roll_back(session.model_name(model), reason, serves=serve)
    if as_json:
        print_json_document(as_document(now) | {"reason": reason, "served": served or None})
        return
    console.print(f"{now} is champion again: {reason}", highlight=False, soft_wrap=True)
    if served:
        console.print(f"every replica answers with {served}", highlight=False)
