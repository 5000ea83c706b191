"""A scenario on the command line."""

import pytest

from cli.stress import read_scenario
from configs.stress import StressConfig
from outcry.errors import ConfigurationError


def test_a_scenario_is_read() -> None:
    scenario = read_scenario("flash={market_shock_frac: -0.2, shock_sessions: 5}")
    assert (scenario.name, scenario.market_shock_frac, scenario.shock_sessions) == ("flash", -0.2, 5)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("flash", "must be NAME="),
        ("flash=-0.2", "must be NAME="),
        ("flash={a: [}", "must be NAME="),
        ("flash={shock_sessions: 0}", "shock_sessions"),
        ("flash={shock_sessions: 5, depth: 1}", "depth"),
    ],
)
def test_a_wrong_scenario_is_one_message(text: str, rule: str) -> None:
    with pytest.raises(ConfigurationError, match=rule):
        read_scenario(text)


def test_a_scenario_of_the_settings_needs_a_name_of_its_own() -> None:
    with pytest.raises(ValueError, match="names of scenarios must differ, covid_shock repeats"):
        StressConfig(scenarios=({"name": "covid_shock", "shock_sessions": 3},))  # type: ignore[arg-type]
