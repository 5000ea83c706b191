"""``outcry status``: the runs in the ledger, and where they stand."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.console import console, print_json_document
from cli.options import AsJson, Assignments, ConfigFile, RunId, read_settings

if TYPE_CHECKING:
    from outcry.adapters.postgres.reader import JournalReader
    from outcry.backtest.analytics.recent_performance import RecentPerformance, ShadowPerformance


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
    model: str
    recent: "RecentPerformance | None"


def status(
    run_id: RunId = None, config: ConfigFile = None, assignments: Assignments = None, as_json: AsJson = False
) -> None:
    """Show the newest runs, or one: how far it is, its equity and drawdown, whether it is halted.

    Of one also how it did in its last seven days: forecasts whose outcome came, Sharpe ratio, time of a frame; and how
    a shadow did on the same outcomes.
    """
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
                recent = None if run_id is None else await _look_back(reader)
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
                    model=run.bundle_version if mark is None else mark.model_version[-1],
                    recent=recent,
                )
            )
        return lines

    lines = ask_ledger(read_settings(config=config, assignments=assignments), look)
    if as_json:
        print_json_document([asdict(line) for line in lines])
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
        if line.recent is not None:
            notes.append(_describe(line.model, line.recent))
            notes += [_describe_shadow(shadow) for shadow in line.recent.shadows]
        if line.pending_commands:
            notes.append(f"{line.pending_commands} commands wait for its next frame")
        for note in notes:
            console.print(f"{line.run_id}: {note}", highlight=False, soft_wrap=True)


async def _look_back(reader: "JournalReader") -> "RecentPerformance | None":
    from cli.recent import read_recent
    from outcry.errors import BundleError

    try:
        return await read_recent(reader)
    except (BundleError, OSError):  # the bundle is gone: the ledger is to be read all the same
        return None


def _describe(model: str, recent: "RecentPerformance") -> str:
    return (
        f"last 7 days, model {model[:8]}: {recent.n_frames} frames, {recent.n_graded} outcomes, accuracy "
        f"{_told(recent.accuracy, '.1%')}, log loss {_told(recent.log_loss, '.4f')}, calibration error "
        f"{_told(recent.ece_frac, '.1%')}, Sharpe ratio {_told(recent.sharpe, '.2f')}, frame p50 "
        f"{_told(recent.latency_p50_ms, '.1f')} ms p99 {_told(recent.latency_p99_ms, '.1f')} ms"
    )


def _describe_shadow(shadow: "ShadowPerformance") -> str:
    return (
        f"last 7 days, shadow {shadow.model_version[:8]}: {shadow.n_graded} outcomes, accuracy "
        f"{_told(shadow.accuracy, '.1%')} (traded {_told(shadow.traded_accuracy, '.1%')}), log loss "
        f"{_told(shadow.log_loss, '.4f')} ({_told(shadow.traded_log_loss, '.4f')}), calibration error "
        f"{_told(shadow.ece_frac, '.1%')} ({_told(shadow.traded_ece_frac, '.1%')})"
    )


def _told(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
