"""From target weights to orders."""

import numpy as np

from outcry.market.frame import FloatArray
from outcry.market.universe import Universe
from outcry.messages import Book, OrderIntent
from outcry.portfolio.arrays import book_arrays, cancels_of, empty_rows, named_orders
from outcry.portfolio.config import PortfolioConfig
from outcry.portfolio.kernels.orders import order_rules
from outcry.portfolio.kernels.rebalancing import compile_rebalancing, steps_of
from outcry.portfolio.kernels.version import kernels_version


class Rebalancing:
    """Make the orders that lead from a book to target weights.

    Parameters
    ----------
    run_id : str
    universe : Universe
    config : PortfolioConfig

    Notes
    -----
    Targets are rounded down to whole lots at the last close; without equity every target is flat. What is on its way
    (`Book.working`) counts as held, so nothing is ordered twice. An entry, an exit and a change of side are always
    made; a resize only where it moves at least ``rebalance_frac`` of equity. Where something on its way has become too
    much, every order on its way is cancelled and the orders are made anew on what is held; what protects a position
    stays.

    Exits, reductions and changes of side are market orders, and an exit to flat never trades more than is held. Orders
    that open or enlarge a position have the type and the time in force of the settings
    (`outcry.portfolio.kernels.orders.write_opening`). These and changes of side bring the protective orders of the
    settings as legs (`outcry.portfolio.kernels.orders.write_legs`), which cancel one another.
    """

    def __init__(self, run_id: str, universe: Universe, config: PortfolioConfig) -> None:
        self._run_id = run_id
        self._symbols = universe.symbols
        self._grid = universe.grid
        self._rules = order_rules(config)
        self._steps = steps_of(self._grid)
        self._rebalance = compile_rebalancing(kernels_version())

    def orders(self, book: Book, target_weight: FloatArray) -> tuple[tuple[OrderIntent, ...], tuple[str, ...]]:
        """Return orders in the order of the universe, each before its legs, and cancels; NaN targets are left alone."""
        n_symbols = len(self._symbols)
        rows = empty_rows(n_symbols)
        n_rows, cancel = self._rebalance(
            book.seq,
            *book_arrays(book, self._grid),
            np.array(target_weight, dtype=np.float64),
            self._rules,
            self._steps,
            np.empty(n_symbols, dtype=np.int64),
            rows,
        )
        return named_orders(rows[:n_rows], self._run_id, self._symbols, self._grid), cancels_of(cancel)
