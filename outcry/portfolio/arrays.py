"""Between what the stages of the desk say to one another and the arrays that kernels take."""

import numpy as np

from outcry.identity import client_order_id
from outcry.market.frame import BoolArray, FloatArray, IntArray
from outcry.market.grid import Grid
from outcry.messages import ALL_WORKING, Book, Forecast, OrderIntent
from outcry.order_rows import CANCEL_WORKING, N_COLUMNS, PARENT, PURPOSE, PURPOSES, SEQ, SYMBOL, to_order
from outcry.portfolio.kernels.orders import MOST_LEGS

BookArrays = tuple[int, IntArray, IntArray, FloatArray]
"""Equity in money units; lots held and lots on their way (n_symbols,); closes (n_symbols,)."""


def book_arrays(book: Book, grid: Grid) -> BookArrays:
    """Return a book in whole numbers; arrays are copies, since what came by Ray is read-only."""
    held, working = (np.rint(shares / grid.lot_shares).astype(np.int64) for shares in (book.quantity, book.working))
    return grid.money_units(book.equity), held, working, np.array(book.price, dtype=np.float64)


def forecast_arrays(forecast: Forecast) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return copies of probability (n_symbols, 3), volatility and whether the forecast abstains (n_symbols,)."""
    probability = np.array(forecast.probability, dtype=np.float64, order="C")
    volatility = np.array(forecast.volatility_per_year, dtype=np.float64)
    is_abstained = np.zeros(len(volatility), dtype=np.bool_) if forecast.abstain is None else forecast.abstain != 0
    return probability, volatility, is_abstained


def empty_rows(n_symbols: int) -> IntArray:
    """Return room for the orders of one frame, int64 (n_rows, N_COLUMNS)."""
    return np.empty(((1 + MOST_LEGS) * n_symbols, N_COLUMNS), dtype=np.int64)


def named_orders(rows: IntArray, run_id: str, symbols: tuple[str, ...], grid: Grid) -> tuple[OrderIntent, ...]:
    """Return the orders of rows, one a symbol and purpose; a leg, which follows its parent, bears the id of that."""
    ids: list[str] = []
    orders = []
    for row in rows:
        symbol = symbols[row[SYMBOL]]
        ids.append(client_order_id(run_id, int(row[SEQ]), symbol, PURPOSES[row[PURPOSE]]))
        parent_id = ids[row[PARENT]] if row[PARENT] >= 0 else ""
        orders.append(to_order(row, ids[-1], symbol, grid, parent_id=parent_id))
    return tuple(orders)


def cancels_of(code: int) -> tuple[str, ...]:
    """Return the cancels of a proposal."""
    return ALL_WORKING if code == CANCEL_WORKING else ()
