import numpy as np
import pytest

from outcry.errors import DataValidationError
from outcry.market.universe import Universe
from outcry.portfolio.config import PortfolioConfig
from outcry.portfolio.construction import PortfolioConstruction

UNIVERSE = Universe(("AAA", "BBB", "CCC"), ("Tech", "Tech", "Energy"))


def test_a_fallback_forecast_asks_for_nothing_and_its_inputs_are_passed_on(build_book, build_forecast):
    construction = PortfolioConstruction("run", UNIVERSE, PortfolioConfig())
    forecast = build_forecast(np.nan)
    proposal = construction.propose(forecast, build_book(quantity=[100, 0, 0]))
    assert (proposal.orders, proposal.cancels, proposal.inputs) == ((), (), forecast.inputs)


def test_a_stale_symbol_is_left_alone(build_book, build_forecast):
    construction = PortfolioConstruction("run", UNIVERSE, PortfolioConfig())
    book = build_book(quantity=[100, 0, 0], stale=[True, True, False])
    assert [order.symbol for order in construction.propose(build_forecast([-0.5, 0.5, 0.5]), book).orders] == ["CCC"]


def test_a_forecast_of_another_frame_is_refused(build_book, build_forecast):
    construction = PortfolioConstruction("run", UNIVERSE, PortfolioConfig())
    with pytest.raises(DataValidationError, match=r"forecast\.seq must be 4.*was 3"):
        construction.propose(build_forecast(0.5, seq=3), build_book(seq=4))


def test_nothing_is_wanted_without_equity(build_book, build_forecast):
    construction = PortfolioConstruction("run", UNIVERSE, PortfolioConfig())
    proposal = construction.propose(build_forecast(0.5), build_book(equity=0))
    assert (proposal.orders, proposal.cancels) == ((), ())
    assert np.isnan(proposal.target_weight).all()
