"""``outcry learn``: a model learns from what came of its decisions, while its run trades or after it."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import console, print_json_document
from cli.options import AsJson, Assignments, ConfigFile, RunId, read_settings

if TYPE_CHECKING:
    from cli.follow_run import FollowedUpdate

Once = Annotated[bool, typer.Option("--once", help="One update of the outcomes there are, due or not.")]


def learn(
    run_id: RunId = None,
    once: Once = False,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Update the model of a run by outcomes as they become known, and put in service what keeps its score.

    Follows the run until it ends; of one that has ended it learns in one go, and nothing is served. Settings of section
    online are those of the run, unless some are given here. outcry run starts this by itself with online.enabled.
    """
    import asyncio

    from cli.follow_run import RunFollower
    from cli.ledger import find_run, services_of
    from outcry.adapters.postgres.runs import RunRegistry

    settings = read_settings(config=config, assignments=assignments)
    is_given = any(assignment.startswith("online.") for assignment in assignments or ())
    online = settings.online if is_given or config is not None else None
    os.nice(settings.online.niceness)
    made: list[FollowedUpdate] = []

    def keep(update: "FollowedUpdate") -> None:
        made.append(update)
        if not as_json:
            _show(update)

    with services_of(settings) as services:

        async def follow() -> None:
            async with RunRegistry.connect(services.database_url) as registry:
                found = (await find_run(registry, run_id)).run_id
            await RunFollower(services, settings, online, keep).follow(found, once=once)

        asyncio.run(follow())
    if as_json:
        print_json_document([_as_document(update) for update in made])
    elif not made:
        console.print("no update: too few outcomes are known (online.update_every_rows)", highlight=False)


def _show(made: "FollowedUpdate") -> None:
    update = made.update
    named = f"{update.bundle.version[:8]} from {update.parent_version[:8]}"
    console.print(f"frame {update.seq}  {named}  {made.reason}", highlight=False, soft_wrap=True)
    if made.served:
        console.print(f"every replica answers with {update.bundle.version}", highlight=False)


def _as_document(made: "FollowedUpdate") -> dict[str, object]:
    update = made.update
    return {
        "seq": update.seq,
        "bundle_version": update.bundle.version,
        "parent_version": update.parent_version,
        "version": made.version,
        "outcome": made.outcome,
        "reason": made.reason,
        "served": made.served,
        **update.verdict.to_record(),
    }
