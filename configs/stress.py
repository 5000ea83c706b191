"""Scenarios of the user's own beside the named ones: section ``stress``."""

from pydantic import model_validator

from outcry.backtest.stress.scenario import SCENARIOS, StressScenario
from outcry.config import FrozenConfig


class StressConfig(FrozenConfig):
    """``scenarios`` are run by ``outcry stress`` after the four that have a name; each needs a name of its own."""

    scenarios: tuple[StressScenario, ...] = ()

    @model_validator(mode="after")
    def _check_names(self) -> "StressConfig":
        names = [scenario.name for scenario in (*SCENARIOS, *self.scenarios)]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"names of scenarios must differ, {', '.join(repeated)} repeats")
        return self
