"""``outcry walk-forward``: retrain window after window, and trade every session with a model that never saw it."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.backtest import ReportPath
from cli.console import console, errors, print_json_document
from cli.options import AsJson, Assignments, Bars, Benchmark, ConfigFile, End, Source, Start, Symbols, read_settings
from cli.progress import StepProgress
from cli.report_file import make_report_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from configs.schema import Settings
    from training.retrain import WalkForwardRun
    from training.window import WindowForecast, WindowJob, WindowMarket

Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Windows at a time; one a core without it.", show_default=False)
]


def walk_forward(
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    workers: Workers = None,
    benchmark: Benchmark = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Retrain the ensemble window after window (section walk_forward), and trade what comes after each training span.

    Windows are fitted at the same time, as tasks of Ray. A command that was interrupted goes on where it stopped.
    """
    from outcry.backtest.report.terminal import render_terminal
    from outcry.backtest.report.write import write_report

    settings = read_settings(
        source=source,
        symbols=symbols,
        start=start,
        end=end,
        bars=bars,
        config=config,
        assignments=assignments,
        benchmark=benchmark,
    )
    with StepProgress(quiet=as_json) as progress:
        done = _run(settings, workers or os.cpu_count() or 1, progress)
    history = done.history
    path = make_report_path(settings, history.run_id, report)
    summary = write_report(history, path)
    if as_json:
        print_json_document(summary.to_record() | _record(done, path))
        return
    console.print(render_terminal(summary))
    _print_windows(done)
    console.print(f"report  {path}", highlight=False, soft_wrap=True)


def _run(settings: "Settings", n_workers: int, progress: StepProgress) -> "WalkForwardRun":
    from cli.cluster import RayStart
    from training.retrain import trade_walk_forward

    count = WindowCount(progress)

    def run_jobs(market: "WindowMarket", jobs: "Sequence[WindowJob]") -> "Sequence[WindowForecast]":
        from training.window import run_window
        from training.window_tasks import run_on_ray

        count.show(0, len(jobs))
        ray.wait()
        return run_on_ray(run_window, market, jobs, count.show, n_workers=n_workers)

    try:
        with RayStart(settings.ray.model_copy(update={"num_cpus": n_workers})) as ray:
            return trade_walk_forward(settings, run_jobs, progress.show, on_loaded=ray.begin)
    except KeyboardInterrupt:
        progress.close()
        if count.n_done:
            errors.print(
                f"{count.n_done} of {count.n_windows} windows are kept; the same command goes on from there",
                highlight=False,
            )
        raise


class WindowCount:
    """Shows how many windows are done, and about how long the others will take."""

    def __init__(self, progress: StepProgress, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress = progress
        self._clock = clock
        self._started_s = clock()
        self.n_done = self.n_windows = 0

    def show(self, n_done: int, n_windows: int) -> None:
        if n_done == 0:
            self._started_s = self._clock()
        self.n_done, self.n_windows = n_done, n_windows
        left_s = (self._clock() - self._started_s) / max(n_done, 1) * (n_windows - n_done)
        left = f", about {left_s:.0f} s left" if 0 < n_done < n_windows else ""
        self._progress.show("train windows", n_done / n_windows, f"{n_done} of {n_windows}{left}")


def _record(done: "WalkForwardRun", path: Path) -> dict[str, Any]:
    return {
        "report": str(path),
        "windows": [asdict(window) for window in done.history.windows],
        "stability": done.stability.to_record(),
        "n_models_trained": done.n_trained,
        "n_sessions_left_out": done.n_sessions_left_out,
    }


def _print_windows(done: "WalkForwardRun") -> None:
    from rich.table import Table

    table = Table(
        title="windows: first session trained on; first and last traded; Sharpe ratio in and out of sample",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
    )
    for name in ("trained", "traded", "to", "model"):
        table.add_column(name, no_wrap=True)
    for name in ("Sharpe in", "out", "return", "drawdown", "trades"):
        table.add_column(name, justify="right")
    for each in done.history.windows:
        table.add_row(
            *map(_date, (each.train_span_ns[0], *each.test_span_ns)),
            each.model_version[:8],
            _number(each.in_sample_sharpe),
            _number(each.out_of_sample_sharpe),
            f"{each.total_return:+.2%}",
            f"{each.max_drawdown:.2%}",
            f"{each.n_trades:,}",
        )
    stability = done.stability
    console.print(table)
    console.print(
        f"{stability.winning_frac:.0%} of {stability.n_windows} windows made money, "
        f"{stability.worst_return:+.2%} to {stability.best_return:+.2%}; mean Sharpe ratio in sample "
        f"{_number(stability.mean_in_sample_sharpe)}, out of sample {_number(stability.mean_out_of_sample_sharpe)} "
        f"(deviation {_number(stability.sharpe_deviation)}), walk-forward efficiency {_number(stability.efficiency)}",
        highlight=False,
        soft_wrap=True,
    )
    if done.n_sessions_left_out:
        console.print(f"{done.n_sessions_left_out} sessions at the end do not fill a test span", highlight=False)


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"


def _date(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns / 1e9, UTC).date().isoformat()
