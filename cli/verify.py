"""``outcry verify``: a recorded run, traded again in one process."""

from dataclasses import asdict

import typer

from cli.console import console, print_json_document
from cli.options import AsJson, Assignments, ConfigFile, RunId, read_settings
from outcry.exit_status import EXIT_FAILED


def verify(
    run_id: RunId = None, config: ConfigFile = None, assignments: Assignments = None, as_json: AsJson = False
) -> None:
    """Replay a recorded run through the in-process path: every order identical, or the first difference."""
    from actors.replay import Verification, verify_run
    from cli.ledger import ask_ledger, find_run
    from outcry.adapters.postgres.runs import RunRegistry
    from outcry.adapters.services import Services

    async def replay(services: Services, registry: RunRegistry) -> Verification:
        run = await find_run(registry, run_id)
        return await verify_run(services.database_url, run.run_id)

    found = ask_ledger(read_settings(config=config, assignments=assignments), replay)
    if as_json:
        print_json_document(asdict(found) | {"identical": found.difference is None})
    elif found.difference is None:
        console.print(
            f"run {found.run_id}: identical. {found.n_orders} orders, {found.n_fills} fills, "
            f"{found.n_events} ledger events and the equity of {found.n_frames} frames, replayed in one process",
            highlight=False,
            soft_wrap=True,
        )
    else:
        difference = found.difference
        console.print(f"run {found.run_id}: [red]differs[/] first at frame {difference.seq}, {difference.what}")
        console.print(f"  recorded  {difference.recorded or 'nothing'}", highlight=False, soft_wrap=True)
        console.print(f"  replayed  {difference.replayed or 'nothing'}", highlight=False, soft_wrap=True)
    if found.difference is not None:
        raise typer.Exit(EXIT_FAILED)
