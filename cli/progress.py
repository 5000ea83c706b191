"""Progress of work in named steps: bars on a terminal, a line a step without one."""

import time
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from cli.console import console


class StepProgress:
    """Show steps that report a fraction done; `quiet` shows nothing."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._tasks: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}
        self._bars = (
            Progress(
                TextColumn("{task.description:<28}"),
                BarColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[note]}"),
                console=console,
            )
            if console.is_terminal and not quiet
            else None
        )

    def __enter__(self) -> "StepProgress":
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave what was shown and show nothing more; doing so twice changes nothing."""
        if self._bars is not None:
            self._bars.stop()

    def show(self, step: str, fraction: float, note: str = "") -> None:
        """Show that `step` is done to `fraction` in [0, 1]; a note stands beside the bar."""
        if self._quiet:
            return
        if self._bars is not None:
            if step not in self._tasks:
                self._tasks[step] = self._bars.add_task(step, total=1.0, note="")
            self._bars.update(self._tasks[step], completed=fraction, note=note)
            return
        if fraction <= 0.0:  # a command may take a step twice
            self._started[step] = time.monotonic()
        started = self._started.setdefault(step, time.monotonic())
        if fraction >= 1.0:
            console.print(f"{step}: done in {time.monotonic() - started:.1f} s", highlight=False)
