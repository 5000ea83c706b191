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
