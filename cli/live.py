"""What a run shows while it trades: a live table on a terminal, plain lines without one."""

import time
from datetime import UTC, datetime
from types import TracebackType

from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from actors.desk import DeskStatus
from cli.console import console

_LINE_EVERY_S = 5.0


class LiveView:
    """Show the status of a desk until the block ends.

    Parameters
    ----------
    run_id : str
    n_frames : int
        Frames of the whole run.
    quiet : bool
        Show nothing.
    """

    def __init__(self, run_id: str, n_frames: int, *, quiet: bool = False) -> None:
        self._n_frames = n_frames
        self._quiet = quiet
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._progress.add_task(f"run {run_id}", total=n_frames)
        self._live = (
            Live(self._progress, console=console, refresh_per_second=8) if console.is_terminal and not quiet else None
        )
        self._next_line_at = 0.0

    def __enter__(self) -> "LiveView":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, status: DeskStatus) -> None:
        """Show one status."""
        if self._quiet:
            return
        if self._live is not None:
            self._progress.update(self._task, completed=status.last_seq + 1)
            table = Table.grid(expand=True)
            table.add_row(_status_table(status))
            table.add_row(self._progress)
            self._live.update(table)
        elif time.monotonic() >= self._next_line_at or status.state != "running":
            self._next_line_at = time.monotonic() + _LINE_EVERY_S
            console.print(self._line(status), highlight=False, soft_wrap=True)

    def _line(self, status: DeskStatus) -> str:
        return (
            f"{status.last_seq + 1}/{self._n_frames} frames  {_instant(status.ts_close_ns)} UTC  "
            f"equity {status.equity:,.2f}  drawdown {status.drawdown_frac:.2%}  positions {status.n_positions}  "
            f"orders {status.n_orders}  latency p50 {status.latency_p50_ms:.1f} ms p99 {status.latency_p99_ms:.1f} ms  "
            f"{status.frames_per_s:.1f} frames/s  {_coverage(status)}{_state(status)}"
        )


def _status_table(status: DeskStatus) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    state = _state(status)
    cells = {
        "frame closes\n(UTC)": _instant(status.ts_close_ns),
        "\nequity": f"{status.equity:,.2f}",
        "draw-\ndown": f"{status.drawdown_frac:.2%}",
        "posi-\ntions": f"{status.n_positions}",
        "\norders": f"{status.n_orders}",
        "latency ms\np50 / p99": f"{status.latency_p50_ms:.1f} / {status.latency_p99_ms:.1f}",
        "frames\n/s": f"{status.frames_per_s:.1f}",
        **({"sets\nhold": _coverage(status).removeprefix("sets hold ").strip()} if status.coverage else {}),
        "\nstate": f"[red]{state}[/]" if status.is_halted or status.state == "failed" else state,
    }
    for name in cells:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row(*cells.values())
    return table


def _coverage(status: DeskStatus) -> str:
    """Say what part of the last outcomes prediction sets held, and whether that is not what they promise."""
    found = status.coverage
    if found is None:
        return ""
    return f"sets hold {found.coverage_frac:.1%}{' (off)' if found.is_off else ''}  "


def _state(status: DeskStatus) -> str:
    return f"{status.state}, halted" if status.is_halted else status.state


def _instant(ts_ns: int) -> str:
    return "-" if ts_ns == 0 else datetime.fromtimestamp(ts_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M")
