"""The wish for new positions: from a forecast and a book to orders."""

import numpy as np

from outcry.errors import DataValidationError
from outcry.market.universe import Universe
from outcry.messages import Book, Forecast, Proposal
from outcry.portfolio.arrays import book_arrays, cancels_of, empty_rows, forecast_arrays, named_orders
from outcry.portfolio.config import PortfolioConfig
from outcry.portfolio.kernels.orders import order_rules
from outcry.portfolio.kernels.proposal import compile_propose
from outcry.portfolio.kernels.rebalancing import steps_of
from outcry.portfolio.kernels.sizing import sizing_rules
from outcry.portfolio.kernels.version import kernels_version


class PortfolioConstruction:
    """Size positions and propose the orders that lead there. It keeps no state.

    The rules are those of `outcry.portfolio.kernels.sizing.write_weights` and of
    `outcry.portfolio.rebalance.Rebalancing`, in one compiled step.

    Parameters
    ----------
    run_id : str
        Part of every order id.
    universe : Universe
    config : PortfolioConfig
    """

    def __init__(self, run_id: str, universe: Universe, config: PortfolioConfig) -> None:
        self._made_of = run_id, universe, config
        self._run_id = run_id
        self._symbols = universe.symbols
        self._grid = universe.grid
        self._sizing = sizing_rules(config)
        self._rules = order_rules(config)
        self._steps = steps_of(self._grid)

    def __reduce__(self) -> tuple[type["PortfolioConstruction"], tuple[str, Universe, PortfolioConfig]]:
        """Pickle as what it is made of: arrays that come to an actor may not be written, which kernels refuse."""
        return type(self), self._made_of

    def propose(self, forecast: Forecast, book: Book) -> Proposal:
        """Return the orders that move `book` towards the forecast; depends on the arguments only.

        Without equity nothing is wanted.

        Raises
        ------
        DataValidationError
            Where forecast and book belong to different frames.
        """
        if forecast.seq != book.seq:
            raise DataValidationError(f"forecast.seq must be {book.seq}, the frame of the book, was {forecast.seq}")
        n_symbols = len(self._symbols)
        rows, target_weight = empty_rows(n_symbols), np.empty(n_symbols)
        n_rows, cancel = compile_propose(kernels_version())(
            book.seq,
            *book_arrays(book, self._grid),
            ~book.stale,
            *forecast_arrays(forecast),
            self._sizing,
            self._rules,
            self._steps,
            (np.empty((2, n_symbols)), np.empty((2, n_symbols), dtype=np.int64)),
            target_weight,
            rows,
        )
        orders = named_orders(rows[:n_rows], self._run_id, self._symbols, self._grid)
        return Proposal(book.seq, orders, cancels_of(cancel), target_weight, forecast.inputs)
