"""``outcry evaluate``: what each family of models is worth on a market, walk-forward and after costs."""

import os
from typing import TYPE_CHECKING

from cli.console import console, print_json_document
from cli.options import (
    AsJson,
    Assignments,
    Bars,
    ConfigFile,
    End,
    Families,
    Horizon,
    Source,
    Start,
    Symbols,
    read_settings,
)
from cli.progress import StepProgress
from cli.walk_forward import WindowCount, Workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from outcry.backtest.analytics.forecast_skill import MeanInterval
    from training.evaluation.evaluate import CandidateFigures, Evaluation
    from training.evaluation.window import WindowEvaluation
    from training.window import WindowJob, WindowMarket


def evaluate(
    source: Source = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    bars: Bars = None,
    families: Families = None,
    horizon: Horizon = None,
    workers: Workers = None,
    config: ConfigFile = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Fit families window after window (section walk_forward), and grade what they say of the frames after each.

    One row a family, and one an ensemble of all of them: correlation with the returns that follow, hit rate, log loss
    against the class frequencies, calibration, and what trading the forecasts earns after costs, with intervals. An
    edge that is not there is told as not there. A command that was interrupted goes on where it stopped.
    """
    settings = read_settings(
        source=source,
        symbols=symbols,
        start=start,
        end=end,
        bars=bars,
        config=config,
        assignments=assignments,
        horizon=horizon,
        families=families,
    )
    from training.evaluation.evaluate import evaluate as run_evaluation

    n_workers = workers or os.cpu_count() or 1
    with StepProgress(quiet=as_json) as progress:
        count = WindowCount(progress)

        def run_jobs(market: "WindowMarket", jobs: "Sequence[WindowJob]") -> "Sequence[WindowEvaluation]":
            from cli.cluster import ray_cluster
            from training.evaluation.window import evaluate_window
            from training.window_tasks import run_on_ray

            count.show(0, len(jobs))
            with ray_cluster(settings.ray.model_copy(update={"num_cpus": n_workers})):
                return run_on_ray(evaluate_window, market, jobs, count.show, n_workers=n_workers)

        found = run_evaluation(settings, run_jobs, progress.show)
    if as_json:
        print_json_document(found.to_record())
        return
    console.print(_table(found))
    for line in _lines(found):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _table(found: "Evaluation") -> "Table":
    from rich.table import Table

    table = Table(
        title=f"{found.source}: {found.n_symbols} symbols, {found.n_frames:,} frames in {found.n_windows} windows, "
        f"{found.horizon_bars} bars ahead",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
    )
    table.add_column("", no_wrap=True)
    for name in ("IC", "rank IC", "ICIR", "hit rate", "log loss", "base", "ECE", "Sharpe", "turnover"):
        table.add_column(name, justify="right")
    for row in found.rows:
        skill = row.skill
        table.add_row(
            row.name,
            _signed(skill.ic),
            _signed(skill.rank_ic),
            "n/a" if skill.rank_icir is None else f"{skill.rank_icir:+.2f}",
            "n/a" if skill.hit is None else f"{skill.hit.mean:.1%} ±{100 * (skill.hit.high - skill.hit.mean):.1f}",
            f"{skill.log_loss:.4f}",
            f"{skill.base_log_loss:.4f}",
            f"{skill.ece_frac:.1%}",
            _sharpe(row),
            f"{row.turnover_per_year:,.0f}",
        )
    return table


def _lines(found: "Evaluation") -> list[str]:
    from training.evaluation.evaluate import LEAK_RANK_IC

    lines = ["± and [ ] are intervals of 95 %; turnover is of the equity, a year; Sharpe ratios are after costs"]
    for row in found.rows:
        ic = row.skill.rank_ic
        if ic is not None and ic.mean > LEAK_RANK_IC:
            lines.append(f"examine: {row.name} has a rank IC of {ic.mean:.3f}; above {LEAK_RANK_IC} look for a leak")
    skilled = [row.name for row in found.rows if _has_skill(row)]
    told = ", ".join(skilled) if skilled else "no candidate"
    lines.append(f"{told}: log loss below the class frequencies, and a rank IC whose interval is above 0")
    interval = [row.sharpe_interval for row in found.rows if row.sharpe_interval is not None]
    if not any(each.low > 0.0 for each in interval):
        lines.append("no candidate has a Sharpe ratio whose interval is above 0: there is no edge to trade here")
    return lines


def _has_skill(row: "CandidateFigures") -> bool:
    ic = row.skill.rank_ic
    return row.skill.log_loss < row.skill.base_log_loss and ic is not None and ic.low > 0.0


def _signed(each: "MeanInterval | None") -> str:
    return "n/a" if each is None else f"{each.mean:+.3f} ±{each.high - each.mean:.3f}"


def _sharpe(row: "CandidateFigures") -> str:
    if row.sharpe is None:
        return "n/a"
    found = row.sharpe_interval
    return f"{row.sharpe:+.2f}" + ("" if found is None else f" [{found.low:+.2f}, {found.high:+.2f}]")
