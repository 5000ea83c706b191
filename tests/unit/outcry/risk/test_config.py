import subprocess
import sys

import pytest
from pydantic import ValidationError

from outcry.risk.config import DrawdownStep, RiskConfig


@pytest.mark.parametrize("name", ["max_position_frac", "max_gross_frac", "max_sector_frac", "daily_loss_frac"])
def test_limits_are_positive_fractions(name):
    with pytest.raises(ValidationError, match=name):
        RiskConfig(**{name: -0.1})


def test_a_ladder_must_descend():
    steps = (DrawdownStep(drawdown_frac=0.1, exposure_frac=0.5), DrawdownStep(drawdown_frac=0.05, exposure_frac=0.2))
    with pytest.raises(ValidationError, match="drawdown_ladder must rise"):
        RiskConfig(drawdown_ladder=steps)


def test_a_sector_limit_must_be_positive_and_unknown_keys_are_refused():
    with pytest.raises(ValidationError, match="Tech"):
        RiskConfig(sector_fracs={"Tech": 0.0})
    with pytest.raises(ValidationError, match="max_drawdown"):
        RiskConfig(max_drawdown=0.1)


def test_a_margin_call_must_end_the_shortfall_it_answers():
    with pytest.raises(ValidationError, match=r"initial_margin_frac must be at least maintenance_margin_frac, 0\.3"):
        RiskConfig(maintenance_margin_frac=0.3, initial_margin_frac=0.2)


def test_reading_the_limits_starts_no_compiler():
    code = "import sys, outcry.risk.config, outcry.risk.arrays, outcry.risk.events; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
