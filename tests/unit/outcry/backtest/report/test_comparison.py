"""Two runs side by side: the sessions they share, their figures, and the page."""

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from outcry.backtest.history import RunHistory
from outcry.backtest.report.comparison import compare_runs
from outcry.backtest.report.comparison_page import render_comparison
from outcry.backtest.report.html_parts import chart_library
from outcry.backtest.report.run_figures import RunFigures, load_figures
from outcry.backtest.report.write import write_report
from outcry.errors import DataValidationError

Build = Callable[..., RunHistory]
DAY_NS = 86_400_000_000_000
HOSTILE = '<script>alert("x")</script>'


def figures(name: str, days: range, equity: np.ndarray, **settings: str) -> RunFigures:
    return RunFigures(
        run_id=name,
        initial_cash=100.0,
        risk_free_per_year=0.0,
        sessions_per_year=252.0,
        session_close_ns=DAY_NS * np.array(days, dtype=np.int64) + DAY_NS // 2,
        equity=equity,
        figures={"sharpe": 1.0, "n_trades": 3, "total_return_frac": None},
        settings=settings,
    )


def walk(seed: int, n: int) -> np.ndarray:
    return np.asarray(100.0 * np.cumprod(1.0 + np.random.default_rng(seed).normal(0.0, 0.01, n)))


def test_what_a_run_leaves_behind_reads_as_it_was(build_history: Build, tmp_path: Path) -> None:
    history = dataclasses.replace(build_history(), settings={"portfolio.x": "1"})
    summary = write_report(history, tmp_path / "report.html")
    run = load_figures(tmp_path / "run.json")
    assert run.figures["sharpe"] == summary.returns.sharpe
    assert run.equity[-1] == summary.final_equity
    assert len(run.equity) == summary.returns.n_sessions
    assert run.settings["portfolio.x"] == "1"


def test_runs_are_compared_over_the_sessions_they_share() -> None:
    whole = walk(1, 300)
    comparison = compare_runs(figures("a", range(300), whole), figures("b", range(100, 400), walk(2, 300)))
    assert len(comparison.common_close_ns) == 200
    assert comparison.test is not None
    assert comparison.test.n_sessions == 199
    np.testing.assert_allclose(comparison.first_equity, whole[100:] / whole[100])


def test_runs_that_begin_together_count_their_first_session() -> None:
    comparison = compare_runs(figures("a", range(50), walk(1, 50)), figures("b", range(50), walk(2, 50)))
    assert comparison.test is not None
    assert comparison.test.n_sessions == 50
    assert comparison.first_equity[0] == pytest.approx(walk(1, 50)[0] / 100.0)


def test_runs_without_a_common_session_are_refused() -> None:
    with pytest.raises(DataValidationError, match="runs a and b must have a session in common, have none"):
        compare_runs(figures("a", range(10), walk(1, 10)), figures("b", range(20, 30), walk(1, 10)))


def test_a_run_beside_itself_is_no_better() -> None:
    run = figures("a", range(60), walk(1, 60))
    comparison = compare_runs(run, run)
    assert comparison.verdict == "The runs had the same result in each of 60 common sessions."
    assert comparison.setting_rows() == []


def test_figures_against_different_benchmarks_have_no_difference() -> None:
    relative = {"beta": 0.5, "alpha_per_year": 0.01, "sharpe": 1.0}
    first, second = (
        dataclasses.replace(figures(name, range(60), walk(1, 60), benchmark=benchmark), figures=relative)
        for name, benchmark in (("a", "SPY"), ("b", "<cash>"))
    )
    comparison = compare_runs(first, second)
    rows = {name: texts for name, *texts in comparison.figure_rows()}
    assert rows["Beta"] == ["0.50", "0.50", "n/a"]
    assert rows["Sharpe ratio"][2] == "+0.00"
    assert comparison.benchmark_note is not None
    assert comparison.benchmark_note.endswith(": SPY, and <cash>.")
    assert "cannot be compared: SPY, and &lt;cash&gt;." in render_comparison(comparison)
    assert comparison.setting_rows() == [("benchmark", "SPY", "<cash>")]
    assert comparison.to_record()["benchmark_note"] == comparison.benchmark_note
    alike = compare_runs(first, first)
    assert alike.benchmark_note is None
    assert {name: gap for name, _, _, gap in alike.figure_rows()}["Beta"] == "+0.00"


def test_few_common_sessions_have_no_test_and_a_page_all_the_same() -> None:
    comparison = compare_runs(figures("a", range(3), walk(1, 3)), figures("b", range(2, 9), walk(2, 7)))
    assert comparison.test is None
    assert "Too few common sessions, 1," in render_comparison(comparison)


def test_differences_have_their_sign() -> None:
    equal = dataclasses.replace(figures("b", range(60), walk(2, 60)), figures={"sharpe": 1.001})
    gaps = {name: gap for name, *_, gap in compare_runs(figures("a", range(60), walk(1, 60)), equal).figure_rows()}
    assert gaps["Sharpe ratio"] == "+0.00"
    other = dataclasses.replace(figures("b", range(60), walk(2, 60)), figures={"sharpe": 1.25, "n_trades": 10})
    rows = {name: texts for name, *texts in compare_runs(figures("a", range(60), walk(1, 60)), other).figure_rows()}
    assert rows["Sharpe ratio"] == ["1.00", "1.25", "-0.25"]
    assert rows["Closed trades"] == ["3", "10", "-7"]
    assert rows["Total return"] == ["n/a", "n/a", "n/a"]


def test_the_page_stands_alone_and_escapes_what_comes_from_outside() -> None:
    first = figures(HOSTILE, range(60), walk(1, 60), **{HOSTILE: HOSTILE, "same": "1"})
    page = render_comparison(compare_runs(first, figures("b", range(60), walk(2, 60), same="1")))
    assert len(page) < 2_500_000
    page = page.replace(chart_library(), "")
    assert HOSTILE not in page
    assert not re.search(r"https?://|src=|href=|@import|url\(", page)
    assert "&lt;script&gt;alert" in page
    for title in ("Can the difference be told from luck?", "Equity over the common sessions", "Key figures"):
        assert f"<h2>{title}</h2>" in page
    assert "same" not in [name for name, _, _ in compare_runs(first, first).setting_rows()]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("not json", "must hold the figures of a run"),
        ("[]", "must hold the figures of a run"),
        (json.dumps({"schema_version": 99}), "must be of schema version 1, was 99"),
    ],
)
def test_a_file_that_is_no_run_is_refused(tmp_path: Path, text: str, rule: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(DataValidationError, match=rule):
        load_figures(tmp_path / "run.json")
