"""The page of a stress test stands alone, and names what failed."""

import dataclasses
import re

import numpy as np

from outcry.backtest.report.html_parts import chart_library
from outcry.backtest.report.stress_page import render_stress, rest_note, stress_record, stress_rows, stress_verdict
from outcry.backtest.stress.resilience import measure_resilience
from outcry.backtest.stress.run import StressOutcome, StressResult
from outcry.backtest.stress.scenario import COVID_SHOCK, StressScenario
from outcry.backtest.stress.span import StressSpan

HOSTILE = "<script>alert(1)</script>"
TS_NS = 1_600_000_000 * 10**9 + 86_400 * 10**9 * np.arange(60)


def finished() -> StressResult:
    equity = np.linspace(100.0, 120.0, 60)
    stressed = np.concatenate((np.linspace(100.0, 80.0, 20), np.linspace(80.0, 110.0, 40)))
    resilience = measure_resilience(TS_NS, equity, stressed, stressed, n_shock_frames=20, bars_per_year=252.0)
    outcome = StressOutcome(StressSpan(0, 20, 40, True), equity, stressed, equity, stressed, resilience)
    return StressResult(COVID_SHOCK, outcome, None)


def failed() -> StressResult:
    return StressResult(StressScenario(name=HOSTILE, shock_sessions=3), None, ValueError(HOSTILE))


def test_the_page_stands_alone_and_escapes() -> None:
    page = render_stress(HOSTILE, TS_NS, (finished(), failed())).replace(chart_library(), "")
    assert HOSTILE not in page
    assert not re.search(r"https?://|src=|href=|@import|url\(", page)
    for title in ("Scenarios", "Equity under stress", "What happens in them"):
        assert f"<h2>{title}</h2>" in page
    assert "which was compressed to fit them" in page
    assert "Begins after 2020-09-13." in page


def test_a_failed_scenario_is_named_and_not_scored() -> None:
    results = (finished(), failed())
    assert "over 1 scenarios; weakest in covid_shock" in stress_verdict(results)
    assert stress_verdict(results).endswith("1 could not be traded.")
    assert stress_rows(results)[1][:3] == (HOSTILE, "failed", "n/a")
    assert stress_record(results)["scenarios"][1]["failure"] == HOSTILE
    assert stress_verdict((failed(),)) == "No scenario could be traded to its end."
    assert "Equity under stress" not in render_stress("x", TS_NS, (failed(),))


def test_an_account_that_stands_still_after_the_shock_is_said() -> None:
    result = finished()
    assert result.outcome is not None
    assert rest_note((result, failed())) == ""
    for n_moving, is_said in ((29, True), (31, False)):
        curve = result.outcome.stressed_equity.copy()
        curve[n_moving:] = curve[n_moving - 1]
        stopped = StressResult(COVID_SHOCK, dataclasses.replace(result.outcome, stressed_equity=curve), None)
        note = rest_note((result, stopped, failed()))
        assert note.startswith("In 1 of 2 scenarios the account no longer moves") is is_said
        assert stress_record((result, stopped))["note"] == note
        assert note in render_stress("x", TS_NS, (result, stopped))


def test_curves_far_apart_are_drawn_on_a_logarithmic_axis() -> None:
    result = finished()
    assert result.outcome is not None
    assert '"type":"log"' not in render_stress("x", TS_NS, (result,))
    far = dataclasses.replace(result.outcome, stressed_market=np.geomspace(100.0, 900.0, 60))
    assert '"type":"log"' in render_stress("x", TS_NS, (StressResult(COVID_SHOCK, far, None),))
