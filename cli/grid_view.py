"""What a sweep shows while it runs: the best rows so far on a terminal, plain lines without one."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from cli.console import console

if TYPE_CHECKING:
    from actors.trials import Point, TrialOutcome
    from training.sweep import TrialList

N_ROWS = 10
_LINE_EVERY_S = 5.0
METRICS = ("sharpe", "sortino", "calmar", "total_return", "max_drawdown", "n_trades")
_PERCENT = frozenset({"total_return", "max_drawdown"})


class SweepView:
    """Show the outcomes of a sweep until the block ends.

    Parameters
    ----------
    trials : sequence of Trial
        By place; may grow.
    objective : str
        The metric that ranks them.
    n_trials : int
        That there will be.
    quiet : bool
        Show nothing.
    """

    def __init__(self, trials: "TrialList", objective: str, n_trials: int, *, quiet: bool = False) -> None:
        self._trials = trials
        self._objective = objective
        self._n_trials = n_trials
        self._quiet = quiet
        self._outcomes: list[TrialOutcome] = []
        self._n_failed = 0
        self._n_before = 0
        self._started = self._line_at = time.monotonic()
        self._progress = Progress(
            TextColumn("[bold]trials"), BarColumn(bar_width=None), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(), console=console,
        )  # fmt: skip
        self._task = self._progress.add_task("trials", total=n_trials)
        self._live = (
            Live(self._progress, console=console, refresh_per_second=4) if console.is_terminal and not quiet else None
        )

    def __enter__(self) -> "SweepView":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, outcomes: "Sequence[TrialOutcome]", *, is_reused: bool = False) -> None:
        """Show further outcomes; those of the journal say nothing of how fast trials are."""
        self._n_before += len(outcomes) if is_reused else 0
        self._outcomes = best_outcomes([*self._outcomes, *outcomes], self._objective, N_ROWS)
        self._n_failed += sum(outcome.metrics is None for outcome in outcomes)
        self._progress.advance(self._task, len(outcomes))
        if self._quiet:
            return
        if self._live is not None:
            table = best_table(self._outcomes, [trial.point for trial in self._trials], self._objective)
            self._live.update(Group(table, self._progress, self._failures()))
        elif time.monotonic() >= self._line_at:
            self._line_at = time.monotonic() + _LINE_EVERY_S
            console.print(self._line(), highlight=False, soft_wrap=True)

    def _failures(self) -> str:
        return f"[red]{self._n_failed} failed[/]" if self._n_failed else ""

    def _line(self) -> str:
        n_done, n = int(self._progress.tasks[0].completed), self._n_trials
        elapsed = max(time.monotonic() - self._started, 1e-9)
        rate = (n_done - self._n_before) / elapsed
        eta = f", {(n - n_done) / rate:,.0f} s left" if rate > 0 else ""
        best = ""
        if self._outcomes:
            first = self._outcomes[0]
            where = point_text(self._trials[first.index].point)
            best = f"  best {self._objective} {_number(first, self._objective)} at {where}"
        failed = f", {self._n_failed} failed" if self._n_failed else ""
        return f"{n_done}/{n} trials{failed}, {rate:.1f} trials/s{eta}{best}"


def best_outcomes(outcomes: "Sequence[TrialOutcome]", objective: str, n: int) -> "list[TrialOutcome]":
    """Return the best outcomes, the best one first; of equal ones the first of the sweep."""
    known = [each for each in outcomes if each.metrics is not None and each.metrics[objective] is not None]
    return sorted(known, key=lambda each: (-float((each.metrics or {})[objective] or 0.0), each.index))[:n]


def best_table(outcomes: "Sequence[TrialOutcome]", points: "Sequence[Point]", objective: str = METRICS[0]) -> Table:
    """Return a row an outcome, with the objective as a column of its own where it is none of `METRICS`."""
    metrics = METRICS if objective in METRICS else (objective, *METRICS)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    keys = list(points[0])
    for name in ("trial", *keys, *metrics):
        table.add_column(name.rpartition(":")[2].rpartition(".")[2].replace("_", " "), justify="right")
    for outcome in outcomes:
        values = [_value_text(points[outcome.index][key]) for key in keys]
        table.add_row(str(outcome.index), *values, *(_number(outcome, name) for name in metrics))
    return table


def point_text(point: "Point") -> str:
    """Return the values of a point in a line."""
    return " ".join(f"{key}={_value_text(value)}" for key, value in point.items())


def _value_text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(outcome: "TrialOutcome", name: str) -> str:
    value = None if outcome.metrics is None else outcome.metrics[name]
    if value is None or np.isnan(value):
        return "-"
    if name in _PERCENT:
        return f"{100 * value:.2f} %"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.2f}" if name in METRICS else f"{value:.4g}"
