"""The wish for new positions: from a forecast and a book to orders."""

import numpy as np

from outcry.errors import DataValidationError
from outcry.market.universe import Universe
from outcry.messages import Book, Forecast, Proposal
from outcry.portfolio.config import PortfolioConfig
from outcry.portfolio.rebalance import Rebalancing
from outcry.portfolio.sizing import VolatilityTargetSizing


class PortfolioConstruction:
    """Size positions and propose the orders that lead there. It keeps no state.

    Parameters
    ----------
    run_id : str
        Part of every order id.
    universe : Universe
    config : PortfolioConfig
    """

    def __init__(self, run_id: str, universe: Universe, config: PortfolioConfig) -> None:
        self._n_symbols = len(universe)
        self._sizing = VolatilityTargetSizing(config)
        self._rebalancing = Rebalancing(run_id, universe, config)

    def propose(self, forecast: Forecast, book: Book) -> Proposal:
        """Return the orders that move `book` towards the forecast; depends on the arguments only.

        Raises
        ------
        DataValidationError
            Where forecast and book belong to different frames.
        """
        if forecast.seq != book.seq:
            raise DataValidationError(f"forecast.seq must be {book.seq}, the frame of the book, was {forecast.seq}")
        equity = float(book.equity)
        if equity <= 0:
            nothing = np.full(self._n_symbols, np.nan)
            return Proposal(book.seq, (), (), nothing, forecast.inputs)
        price = np.where(np.isnan(book.price), 0.0, book.price)
        current = (book.quantity + book.working) * price / equity
        target_weight = self._sizing.weights(forecast, current, ~book.stale)
        orders, cancels = self._rebalancing.orders(book, target_weight)
        return Proposal(book.seq, orders, cancels, target_weight, forecast.inputs)
