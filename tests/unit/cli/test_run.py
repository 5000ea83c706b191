"""A resumed run is the one that was recorded, on the machine of today."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.run import _recorded_settings
from configs.loader import load_settings


@pytest.mark.parametrize(("chosen", "expected"), [(None, "SPY@gone.csv"), ("cash=0.03", "cash=0.03")])
def test_only_the_machine_and_a_benchmark_that_is_asked_for_are_of_today(chosen: str | None, expected: str) -> None:
    recorded = load_settings(
        assignments=["report.risk_free_per_year=0.01", "floor.state_dir=before", "risk.max_gross_frac=0.5"],
        options={"report": {"benchmark": "SPY@gone.csv"}},
    )
    today = load_settings(assignments=["floor.state_dir=now", "risk.max_gross_frac=0.7"])
    found = _recorded_settings(SimpleNamespace(config=recorded.public()), today, chosen)  # type: ignore[arg-type]
    assert found.report.benchmark == expected
    assert found.report.risk_free_per_year == 0.01
    assert found.floor.state_dir == Path("now")
    assert found.risk.max_gross_frac == 0.5
