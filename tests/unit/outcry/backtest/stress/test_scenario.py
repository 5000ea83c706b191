"""The named scenarios are those that were asked for, and settings that mean nothing are refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from outcry.backtest.stress.scenario import (
    CORRELATION_SHOCK,
    COVID_SHOCK,
    HIGH_VOLATILITY,
    MARKET_CRASH_2008,
    SCENARIOS,
    StressScenario,
)


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        (MARKET_CRASH_2008, (-0.35, 180, 365, 2.5, 0.3)),
        (COVID_SHOCK, (-0.25, 45, 180, 3.0, 0.4)),
        (HIGH_VOLATILITY, (0.0, 252, 0, 2.0, 0.0)),
        (CORRELATION_SHOCK, (0.0, 126, 0, 1.0, 0.4)),
    ],
)
def test_a_named_scenario_has_its_figures(scenario: StressScenario, expected: tuple[float, ...]) -> None:
    assert (
        scenario.market_shock_frac,
        scenario.shock_sessions,
        scenario.recovery_sessions,
        scenario.volatility_multiplier,
        scenario.correlation_increase,
    ) == expected
    assert scenario in SCENARIOS
    assert scenario.description
    assert not scenario.is_identity


def test_four_scenarios_have_names_of_their_own() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS) == 4


@pytest.mark.parametrize(
    "settings",
    [
        {"market_shock_frac": -1.0},
        {"market_shock_frac": float("inf")},
        {"shock_sessions": 0},
        {"recovery_sessions": -1},
        {"volatility_multiplier": 0.0},
        {"volatility_multiplier": float("nan")},
        {"correlation_increase": 1.01},
        {"correlation_increase": -0.1},
        {"name": ""},
        {"shock_days": 10},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(settings))):
        StressScenario.model_validate({"name": "mine", "shock_sessions": 10, **settings})


def test_a_scenario_without_a_change_is_the_identity() -> None:
    assert StressScenario(name="calm", shock_sessions=5, recovery_sessions=5).is_identity
    assert not StressScenario(name="calmer", shock_sessions=5, volatility_multiplier=0.5).is_identity
    assert StressScenario(name="alike", shock_sessions=5, correlation_increase=0.1).is_regime
    assert not StressScenario(name="fall", shock_sessions=5, market_shock_frac=-0.1).is_regime
