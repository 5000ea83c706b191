"""What is told of a search for the parameters of models: a table of its best trials, sentences, plain values."""

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from training.model_sweep.search import FinishedSearch, PreparedSearch
    from training.model_sweep.tuner import SearchPlan, TrialReport

N_ROWS = 10


def best_table(done: "FinishedSearch", plan: "SearchPlan") -> Table:
    """Return the best trials, one a row; only columns of parameters that differ."""
    table = Table(title=f"best of {len(done.reports)} trials, out of sample", title_justify="left", box=None)
    for name in ("folds", "log loss", "Sharpe", "drawdown"):
        table.add_column(name, justify="right")
    names = list(plan.space)
    families = {name.partition(".")[0] for name in names}
    for name in names:
        short = name.partition(".")[2] if len(families) == 1 else name
        table.add_column(short, justify="right", overflow="fold")
    for report in ranked(done)[:N_ROWS]:
        table.add_row(
            str(report.n_folds),
            _number(report.log_loss, 4),
            _number(report.sharpe, 2),
            "n/a" if report.max_drawdown_frac is None else f"{report.max_drawdown_frac:.1%}",
            *(_value(report.point.get(name)) for name in names),
        )
    return table


def told_lines(prepared: "PreparedSearch", done: "FinishedSearch") -> list[str]:
    """Return what stands below the table."""
    plan, test, evidence = prepared.plan, done.bundle.manifest.test, done.evidence
    failed = [report for report in done.reports if report.error]
    n_folds = max(report.n_folds for report in done.reports)
    stopped = sum(not report.error and report.n_folds < n_folds for report in done.reports)
    lines = [
        f"sweep {prepared.sweep_id}: {len(done.reports)} trials, {stopped} stopped early, {len(failed)} failed; "
        f"{prepared.name}"
    ]
    lines += [f"failed: {error}" for error in dict.fromkeys(report.error for report in failed)]
    point = ", ".join(f"{name}={_value(value)}" for name, value in done.reports[done.best].point.items())
    lines.append(f"best {plan.objective}: {point}")
    lines.append("The figures above chose the winner, so its own are too good; nobody looked at the test fold before.")
    if evidence.deflated is not None:
        lines.append(
            f"deflated Sharpe ratio {evidence.deflated.deflated_sharpe_frac:.2f}: a session's "
            f"{evidence.deflated.sharpe:.3f} against {evidence.deflated.expected_max_sharpe:.3f}, expected of the best "
            f"of {evidence.n_trials} without skill; all known trials of these members on this market count"
        )
    if evidence.overfitting is not None:
        lines.append(f"probability of backtest overfitting {evidence.overfitting.pbo_frac:.2f}")
    lines += [f"caution: {text}" for text in evidence.cautions]
    lines.append(
        f"test fold of the winner, {test.n} rows: log loss {test.log_loss:.4f} (class frequencies alone: "
        f"{test.base_log_loss:.4f}), accuracy {test.accuracy:.1%}, calibration error {test.ece_frac:.1%}"
    )
    if test.log_loss >= test.base_log_loss:
        lines.append("no skill: on the test fold the winner is not better than the class frequencies")
    lines.append(f"bundle    {done.bundle.path}")
    return lines


def describe(prepared: "PreparedSearch", done: "FinishedSearch") -> dict[str, Any]:
    """Return all that is told as plain values."""
    return {
        "sweep_id": prepared.sweep_id,
        "name": prepared.name,
        "objective": prepared.plan.objective,
        "algorithm": prepared.plan.algorithm,
        "best": _plain(done.reports[done.best]),
        "evidence": done.evidence.to_record(),
        "bundle": str(done.bundle.path),
        "test": done.bundle.manifest.test.model_dump(mode="json"),
        "trials": [_plain(report) for report in done.reports],
    }


def ranked(done: "FinishedSearch") -> list["TrialReport"]:
    """Return the trials with a figure, those judged on most folds first, then the best."""
    judged = [report for report in done.reports if report.score is not None and not report.error]
    return sorted(judged, key=lambda report: (-report.n_folds, -(report.score or 0.0)))


def told_score(score: float | None, plan: "SearchPlan") -> str:
    """Return the objective as it is told: a loss is less than nothing only as a score."""
    if score is None:
        return "n/a"
    return f"{-score:.4f}" if plan.objective == "log_loss" else f"{score:.2f}"


def _plain(report: "TrialReport") -> dict[str, Any]:
    return {
        "point": dict(report.point),
        "n_folds": report.n_folds,
        "score": report.score,
        "log_loss": report.log_loss,
        "base_log_loss": report.base_log_loss,
        "sharpe": report.sharpe,
        "max_drawdown_frac": report.max_drawdown_frac,
        "error": report.error,
    }


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _number(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"
