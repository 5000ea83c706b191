"""``outcry halt`` and ``outcry resume``: the kill switch."""

from typing import Annotated

import typer

from cli.console import console
from cli.options import Assignments, ConfigFile, RunId, read_settings
from outcry.messages import InputKind

Reason = Annotated[str, typer.Option("--reason", help="Kept in the ledger with the command.")]
Flatten = Annotated[bool, typer.Option("--flatten", help="Cancel all orders and close every position as well.")]


def halt(
    run_id: RunId = None,
    reason: Reason = "by operator",
    flatten: Flatten = False,
    config: ConfigFile = None,
    assignments: Assignments = None,
) -> None:
    """Stop a run from taking new risk, from its next frame on; orders that reduce risk still pass."""
    payload = {"reason": reason, "flatten": "true" if flatten else "false"}
    _command(InputKind.HALT, run_id, payload, config, assignments)


def resume(
    run_id: RunId = None, reason: Reason = "by operator", config: ConfigFile = None, assignments: Assignments = None
) -> None:
    """Lift a halt. Drawdown and daily loss count anew from the equity of that frame."""
    _command(InputKind.RESUME, run_id, {"reason": reason}, config, assignments)


def _command(
    kind: InputKind, run_id: str | None, payload: dict[str, str], config: ConfigFile, assignments: Assignments
) -> None:
    from cli.ledger import ask_ledger, find_run
    from outcry.adapters.postgres.runs import RunRecord, RunRegistry, RunStatus
    from outcry.adapters.services import Services

    async def queue(_: Services, registry: RunRegistry) -> RunRecord:
        run = await find_run(registry, run_id)
        await registry.add_command(run.run_id, kind.value, payload)
        return run

    run = ask_ledger(read_settings(config=config, assignments=assignments), queue)
    when = "at its next frame" if run.status is RunStatus.RUNNING else f"when it goes on: it is {run.status.value} now"
    console.print(f"{kind.value} of run {run.run_id} takes effect {when}", highlight=False)
