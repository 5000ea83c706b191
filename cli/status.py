"""``outcry status``: the runs in the ledger, and where they stand."""

from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.console import console, print_json_document
from cli.options import AsJson, Assignments, ConfigFile, RunId, read_settings


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run, as a row of the table."""

    run_id: str
    status: str
    detail: str
    created_at: str
    source: str
    symbols: int
    frames: str
    equity: str
    drawdown: str
    halted: bool
    pending_commands: int


def status(
    run_id: RunId = None, config: ConfigFile = None, assignments: Assignments = None, as_json: AsJson = False
) -> None:
    """Show the newest runs, or one: how far it is, its equity and drawdown, whether it is halted."""
    from cli.ledger import ask_ledger
    from outcry.adapters.postgres.reader import JournalReader
    from outcry.adapters.postgres.runs import RunRegistry
    from outcry.adapters.services import Services

    async def look(services: Services, registry: RunRegistry) -> list[RunLine]:
        runs = await registry.recent() if run_id is None else [await registry.get(run_id)]
        lines = []
        for run in runs:
            async with JournalReader.connect(services.database_url, run.run_id) as reader:
                mark = await reader.last_mark()
            pending = [command for command in await registry.commands(run.run_id) if command.seq is None]
            lines.append(
                RunLine(
                    run_id=run.run_id,
                    status=run.status.value,
                    detail=run.status_detail,
                    created_at=run.created_at.isoformat(timespec="seconds"),
                    source=run.source,
                    symbols=len(run.universe),
                    frames=f"{0 if mark is None else mark.seq[-1] + 1}/{run.last_seq + 1}",
                    equity="-" if mark is None else f"{mark.equity[-1]:,.2f}",
                    drawdown="-" if mark is None else f"{mark.drawdown_frac[-1]:.2%}",
                    halted=mark is not None and bool(mark.is_halted[-1]),
                    pending_commands=len(pending),
                )
            )
        return lines

    lines = ask_ledger(read_settings(config=config, assignments=assignments), look)
    if as_json:
        print_json_document([{name: getattr(line, name) for name in RunLine.__slots__} for line in lines])
        return
    if not lines:
        console.print("no run yet: start one with outcry run")
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    widths = {"run": 10, "status": 9, "frames": 9, "equity": 10, "drawdown": 8, "started": 11}
    for name, width in widths.items():
        table.add_column(name, min_width=width, overflow="fold")
    table.add_column("source", no_wrap=True, overflow="ellipsis", ratio=1)
    for line in lines:
        state = f"{line.status}, halted" if line.halted else line.status
        started = line.created_at[5:16].replace("T", " ")
        table.add_row(line.run_id, state, line.frames, line.equity, line.drawdown, started, Path(line.source).name)
    console.print(table)
    for line in lines:
        notes = [line.detail] if line.detail else []
        if line.pending_commands:
            notes.append(f"{line.pending_commands} commands wait for its next frame")
        for note in notes:
            console.print(f"{line.run_id}: {note}", highlight=False, soft_wrap=True)
