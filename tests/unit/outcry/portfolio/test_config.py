import subprocess
import sys

import pytest
from pydantic import ValidationError

from outcry.portfolio.config import PortfolioConfig


def test_thresholds_must_be_in_order():
    with pytest.raises(ValidationError, match=r"exit_edge must be at most entry_edge 0\.2, was 0\.3"):
        PortfolioConfig(entry_edge=0.2, exit_edge=0.3)
    with pytest.raises(ValidationError, match="min_position_frac"):
        PortfolioConfig(min_position_frac=0.5)


@pytest.mark.parametrize("name", ["target_volatility_per_year", "max_position_frac", "max_gross_frac"])
def test_fractions_are_positive(name):
    with pytest.raises(ValidationError, match=name):
        PortfolioConfig(**{name: -0.1})


@pytest.mark.parametrize("force", ["ioc", "fok", "opg", "cls"])
def test_what_a_simple_order_may_ask_for_a_stop_may_not(force):
    for kind in ("market", "limit"):
        PortfolioConfig(order_type=kind, time_in_force=force)
    for kind in ("stop", "stop_limit", "trailing_stop"):
        with pytest.raises(ValidationError, match=f"time_in_force {force} must go with order_type .*, was {kind}"):
            PortfolioConfig(order_type=kind, time_in_force=force)


def test_a_position_has_one_stop_at_most():
    PortfolioConfig(stop_loss_frac=0.05, take_profit_frac=2.0)
    PortfolioConfig(trailing_stop_frac=0.05, take_profit_frac=0.1)
    with pytest.raises(ValidationError, match=r"stop_loss_frac must be absent .* 0\.1 is given, was 0\.05"):
        PortfolioConfig(stop_loss_frac=0.05, trailing_stop_frac=0.1)


@pytest.mark.parametrize("name", ["stop_loss_frac", "trailing_stop_frac", "entry_trail_frac"])
@pytest.mark.parametrize("frac", [0.0, 1.0])
def test_a_loss_is_a_part_of_the_price(name, frac):
    with pytest.raises(ValidationError, match=name):
        PortfolioConfig(**{name: frac})


def test_reading_the_settings_does_not_load_the_compiler():
    code = "import sys, outcry.portfolio.config; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
