"""The page stands alone, is safe to open, and is written for any run."""

import dataclasses
import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from outcry.backtest.analytics.deflated_sharpe import deflated_sharpe, sharpe_by_trial
from outcry.backtest.analytics.overfitting import backtest_overfitting
from outcry.backtest.analytics.sensitivity import parameter_sensitivity
from outcry.backtest.analytics.sweep_evidence import SweepEvidence
from outcry.backtest.history import RunHistory, TradedWindow
from outcry.backtest.report.downsample import extreme_rows
from outcry.backtest.report.html_parts import chart_library
from outcry.backtest.report.terminal import render_terminal
from outcry.backtest.report.write import write_report
from outcry.features.guard import ColumnQuality
from outcry.messages import AbstainReason, RiskEvent
from tests.unit.outcry.backtest.report.explained_model import explained, manifest_of

Build = Callable[..., RunHistory]
HOSTILE = '<script>alert("x")</script>'


def own_text(path: Path) -> str:
    """Return the page without the chart library, which must be in it once."""
    page = path.read_text(encoding="utf-8")
    assert page.count(chart_library()) == 1
    return page.replace(chart_library(), "")


def rich_history(build_history: Build) -> RunHistory:
    history = build_history(
        symbols=("A<b>", "BBB"), probability=np.random.default_rng(0).dirichlet((2, 3, 2), (120, 2))
    )
    return dataclasses.replace(
        history,
        source=HOSTILE,
        settings={HOSTILE: HOSTILE},
        risk_events=(RiskEvent(3, HOSTILE, "A<b>", 1.0, 0.9, "reduce"),),
        feature_quality=(ColumnQuality(HOSTILE, 10, 1, 0, 0, is_constant=False),),
        latency_ms={HOSTILE: np.array([1.0, 2.0]), "submit": np.array([])},
        manifest=manifest_of(
            HOSTILE,
            methods=("variance", "shap"),
            chosen=((HOSTILE,), ("a", HOSTILE)),
            jaccard=0.5,
            nogueira=0.2,
        ),
        explanation=explained("a", HOSTILE),
        training_span_ns=(0, 1),
    )


def test_the_page_refers_to_nothing_outside_itself(build_history: Build, tmp_path: Path) -> None:
    write_report(rich_history(build_history), tmp_path / "report.html")
    page = own_text(tmp_path / "report.html")
    assert not re.search(r"https?://|//cdn|src=|href=|@import|url\(", page)
    assert (tmp_path / "report.html").stat().st_size < 3_000_000


def test_text_from_outside_is_escaped(build_history: Build, tmp_path: Path) -> None:
    write_report(rich_history(build_history), tmp_path / "report.html")
    page = own_text(tmp_path / "report.html")
    assert HOSTILE not in page
    assert "<script>alert" not in page
    assert "A<b>" not in page
    assert "&lt;script&gt;alert" in page


def test_the_page_says_how_the_columns_were_chosen(build_history: Build, tmp_path: Path) -> None:
    write_report(rich_history(build_history), tmp_path / "report.html")
    page = own_text(tmp_path / "report.html")
    assert "2 of 9 columns, chosen by variance, then shap, anew in each of 2 folds on its training rows." in page
    assert "Two folds share 50% of what either chose and agree to 0.20 beyond chance" in page
    assert re.search(r"<td>a</td><td[^>]*>1 of 2</td>", page)
    once = manifest_of("a", methods=("gain",), chosen=(("a", "b"),), jaccard=None, nogueira=None)
    write_report(dataclasses.replace(build_history(), manifest=once), tmp_path / "once.html")
    assert "chosen by gain, once, on the training rows of the first fold. The best" in own_text(tmp_path / "once.html")
    write_report(build_history(), tmp_path / "untrained.html")
    assert "Columns of the model" not in own_text(tmp_path / "untrained.html")


def test_every_chart_has_a_place_on_the_page(build_history: Build, tmp_path: Path) -> None:
    write_report(rich_history(build_history), tmp_path / "report.html")
    page = own_text(tmp_path / "report.html")
    places = re.findall(r'id="(chart-\d+)"', page)
    assert len(places) == 18
    assert all(f'"{place}": [{{"data":' in page for place in places)


@pytest.mark.parametrize(
    ("n", "drift"),
    [(1, 0.0), (2, 0.0), (8, 0.0), (120, -0.02), (120, 0.02), (800, 0.0)],
    ids=["one frame", "two frames", "no trade", "losing", "winning", "three years"],
)
def test_a_report_is_written_for_any_run(build_history: Build, tmp_path: Path, n: int, drift: float) -> None:
    summary = write_report(build_history(n=n, drift=drift), tmp_path / "new" / "report.html")
    page = own_text(tmp_path / "new" / "report.html")
    record = json.loads((tmp_path / "new" / "summary.json").read_text(encoding="utf-8"))
    assert summary.verdict.split(";")[0] in page
    assert record["verdict"] == summary.verdict
    assert record["returns"]["total_return_frac"] == summary.returns.total_return_frac
    assert not re.search(r">\s*(nan|inf|None)\b", page)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["report.html", "run.json", "summary.json"]


def test_a_page_of_many_frames_stays_small(build_history: Build, tmp_path: Path) -> None:
    symbols = tuple(f"S{number:02d}" for number in range(12))
    write_report(build_history(n=15_000, symbols=symbols), tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 3_000_000


def test_the_page_has_every_section_the_doubts_first(build_history: Build, tmp_path: Path) -> None:
    write_report(rich_history(build_history), tmp_path / "report.html")
    titles = re.findall(r"<h2>(.*?)</h2>", own_text(tmp_path / "report.html"))
    assert titles[:3] == ["Can this be told from luck?", "Equity and drawdown", "Returns by month"]
    assert {
        "Rolling Sharpe ratio",
        "Distribution of session returns",
        "Consistency across periods",
        "Exposure",
        "Where it bought and sold",
        "What costs took",
    } <= set(titles)


def test_a_run_of_nothing_fitted_claims_no_sample(build_history: Build, tmp_path: Path) -> None:
    write_report(build_history(), tmp_path / "report.html")
    page = own_text(tmp_path / "report.html").lower()
    assert "out of sample" not in page
    assert "in sample" not in page
    assert "nothing was fitted; parameters chosen by hand count as trials" in page


def test_forecasts_have_a_card_where_a_model_made_them(build_history: Build, tmp_path: Path) -> None:
    for history, has_card in ((build_history(), False), (build_history(training_span_ns=(0, 1)), True)):
        write_report(history, tmp_path / "report.html")
        assert ("<h2>Forecasts</h2>" in own_text(tmp_path / "report.html")) is has_card


def test_the_page_says_how_many_forecasts_abstained_and_why(build_history: Build, tmp_path: Path) -> None:
    history = build_history()
    up = np.nan_to_num(history.closes[5:] > history.closes[:-5])
    rising = np.concatenate((up, up[-5:]))
    probability = np.stack((0.3 + 0.2 * rising, np.full(rising.shape, 0.2), 0.5 - 0.2 * rising), axis=2)
    abstain = np.zeros(rising.shape, dtype=np.int8)
    abstain[:6, 0], abstain[:3, 1] = AbstainReason.PREDICTION_SET, AbstainReason.DISAGREEMENT
    history = dataclasses.replace(history, probability=probability, abstain=abstain, horizon_bars=5)
    write_report(history, tmp_path / "report.html")
    assert "3.8 % (prediction set 6, disagreement 3)" in own_text(tmp_path / "report.html")
    write_report(dataclasses.replace(history, abstain=None), tmp_path / "report.html")
    assert "Abstained" not in own_text(tmp_path / "report.html")


def test_windows_and_sweep_have_their_sections(build_history: Build, tmp_path: Path) -> None:
    window = TradedWindow((0, 10**17), (10**17, 2 * 10**17), "<m>", 1.5, None, -0.1, 0.2, 7)
    returns = np.random.default_rng(0).normal(0.001, 0.01, (200, 6))
    sharpes = sharpe_by_trial(returns)
    best = int(sharpes.argmax())
    sweep = SweepEvidence(
        n_trials=7,
        deflated=deflated_sharpe(returns[:, best], sharpes),
        overfitting=backtest_overfitting(returns),
        sensitivity=parameter_sensitivity([{"n": trial} for trial in range(6)], sharpes),
        cautions=("<chosen> from many.",),
        sharpes=np.append(sharpes, np.nan),
    )
    history = dataclasses.replace(build_history(), windows=(window, window), sweep=sweep)
    summary = write_report(history, tmp_path / "report.html")
    page = own_text(tmp_path / "report.html")
    assert "<h2>Walk forward</h2>" in page
    assert "<td>&lt;m&gt;</td>" in page
    assert "Deflated Sharpe ratio" in page
    assert "Probability of overfitting (PBO)" in page
    assert "<h2>Sharpe ratios of the best trials</h2>" in page
    assert "<h2>Sharpe ratio of every trial</h2>" in page
    assert "All 7 known of this strategy" in page
    assert "IN SAMPLE: chosen there as the best of 7 trials" in page
    assert "<li>&lt;chosen&gt; from many.</li>" in page
    assert summary.n_trials == 7


def test_a_sweep_too_small_to_judge_is_named(build_history: Build, tmp_path: Path) -> None:
    history = dataclasses.replace(build_history(), sweep=SweepEvidence(2, None, None, None, ()))
    write_report(history, tmp_path / "report.html")
    assert "Too few trials or sessions." in own_text(tmp_path / "report.html")


def test_the_terminal_shows_the_verdict_the_warnings_and_the_interval(build_history: Build, tmp_path: Path) -> None:
    summary = write_report(build_history(source="[red]file"), tmp_path / "report.html")
    console = Console(file=StringIO(), width=200)
    console.print(render_terminal(summary))
    text = console.file.getvalue()
    assert summary.verdict in text
    assert "[red]file" in text
    assert summary.sharpe_interval is not None
    assert f"[{summary.sharpe_interval.low:.2f}, {summary.sharpe_interval.high:.2f}]" in text
    assert all(warning[:40] in text for warning in summary.warnings)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), st.integers(1, 40))
def test_a_thinned_line_keeps_its_extremes_and_its_ends(values: list[float], n_buckets: int) -> None:
    line = np.array(values)
    rows = extreme_rows(line, n_buckets)
    assert len(rows) <= 2 * n_buckets + 2
    assert (line[rows].min(), line[rows].max()) == (line.min(), line.max())
    assert (rows[0], rows[-1]) == (0, len(line) - 1)
    assert (np.diff(rows) > 0).all()
