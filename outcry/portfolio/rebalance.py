"""From target weights to orders."""

from decimal import Decimal

import numpy as np

from outcry.identity import client_order_id
from outcry.market.frame import FloatArray, IntArray
from outcry.market.universe import Universe
from outcry.messages import Book, OrderIntent, OrderType, Purpose, Side, TimeInForce
from outcry.money import exact, round_price
from outcry.portfolio.config import PortfolioConfig

CANCEL_ALL = ("*",)
LOT_TOLERANCE = 1e-9  # a product that is a whole number of lots but for its rounding counts as whole


class Rebalancing:
    """Make the orders that lead from a book to target weights.

    Parameters
    ----------
    run_id : str
    universe : Universe
    config : PortfolioConfig

    Notes
    -----
    Targets are rounded down to whole lots at the last close. What is on its way (`Book.working`) counts as held, so
    nothing is ordered twice. An entry, an exit and a change of side are always made; a resize only where it moves at
    least ``rebalance_frac`` of equity. Where something on its way has become too much, every open order is cancelled
    and the orders are made anew on what is held.

    Exits and reductions are market orders. With ``order_type: limit``, orders that open or enlarge a position are
    limit orders ``limit_offset_bps`` better than the close, for the day.
    """

    def __init__(self, run_id: str, universe: Universe, config: PortfolioConfig) -> None:
        self._run_id = run_id
        self._universe = universe
        self._config = config
        self._lot = float(universe.lot)
        self._limit_offset = exact(config.limit_offset_bps) / 10_000

    def orders(self, book: Book, target_weight: FloatArray) -> tuple[tuple[OrderIntent, ...], tuple[str, ...]]:
        """Return orders in the order of the universe, and cancels; NaN targets are left alone."""
        held, working = self._lots(book.quantity), self._lots(book.working)
        change = self._change(book, target_weight, held + working)
        cancels: tuple[str, ...] = ()
        if np.any(change * working < 0):
            cancels = CANCEL_ALL
            change += working  # towards the same end, from what is held
        touched = np.flatnonzero(change).tolist()
        orders = tuple(
            self._order(book, i, int(held[i] + (0 if cancels else working[i])), int(change[i])) for i in touched
        )
        return orders, cancels

    def _lots(self, shares: FloatArray) -> IntArray:
        lots: IntArray = np.rint(shares / self._lot).astype(np.int64)
        return lots

    def _change(self, book: Book, target_weight: FloatArray, expected: IntArray) -> IntArray:
        """Return the lots to order, signed, int64 (n_symbols,), on top of what is `expected` to be held."""
        has_target = np.isfinite(target_weight) & np.isfinite(book.price)
        equity = float(book.equity)
        price = np.where(has_target, book.price, 1.0)
        weight = np.where(has_target, target_weight, 0.0)
        lots = np.floor(np.abs(weight) * equity / (price * self._lot) + LOT_TOLERANCE)
        target = (np.sign(weight) * lots).astype(np.int64)
        change: IntArray = np.where(has_target, target - expected, 0)
        is_resize = (target * expected > 0) & (
            np.abs(change) * self._lot * price < self._config.rebalance_frac * equity
        )
        change[is_resize] = 0
        return change

    def _order(self, book: Book, index: int, expected: int, change: int) -> OrderIntent:
        side = Side.BUY if change > 0 else Side.SELL
        after = expected + change
        purpose = Purpose.RESIZE if expected * after > 0 else Purpose.ENTER if after else Purpose.EXIT
        symbol = self._universe.symbols[index]
        order_id = client_order_id(self._run_id, book.seq, symbol, purpose)
        quantity = abs(change) * self._universe.lot
        if self._config.order_type == "limit" and expected * change >= 0:
            limit = self._limit_price(book.price[index], side)
            return OrderIntent(
                order_id, book.seq, symbol, side, quantity, OrderType.LIMIT, TimeInForce.DAY, limit, purpose=purpose
            )
        return OrderIntent(order_id, book.seq, symbol, side, quantity, purpose=purpose)

    def _limit_price(self, close: float, side: Side) -> Decimal:
        away = Side.SELL if side is Side.BUY else Side.BUY  # towards the better price, onto the tick
        return round_price(exact(close) * (1 - side.sign * self._limit_offset), self._universe.tick, away)
