"""The profit of every closed trade of a compiled run, without an object a fill."""

from collections import defaultdict, deque
from collections.abc import Iterator

import numpy as np

from outcry.backtest.fast.result import FastRun
from outcry.market.frame import FloatArray
from outcry.order_rows import (
    E_CASH,
    E_KIND,
    E_LOTS,
    E_SEQ,
    E_SYMBOL,
    F_COMMISSION,
    F_LOTS,
    F_PRICE,
    F_SEQ,
    F_SIDE,
    F_SYMBOL,
    SPLIT,
)

DUST_LOTS = 1e-6
"""What counts as nothing: less than any part of a lot that a split leaves, more than what rounding does."""

Piece = tuple[int, int, float, float, float]
"""What was traded: symbol, side, lots, price units a lot, commission in money units a lot."""


def closed_profits(run: FastRun, split_factor: FloatArray) -> FloatArray:
    """Return the profit of every closed trade, float64 (n_trades,), account currency after commission.

    Fills are matched as by `outcry.backtest.analytics.round_trips` of an adjusted run: first in, first out, in the
    order of the exits, across splits, and what was paid in lieu of a part of a share closes that part.

    Parameters
    ----------
    run : FastRun
    split_factor : float64 (n_frames, n_symbols), or (0, n_symbols)
        Of the frames of `run`; see `MarketTape.split_factor`.
    """
    grid = run.universe.grid
    unit = grid.lot_shares / grid.price_scale
    open_pieces: dict[int, deque[list[float]]] = defaultdict(deque)  # lots left, side, price, commission
    profits: list[float] = []
    for symbol, side, lots, price, commission in _pieces(run, split_factor):
        remaining = lots
        held = open_pieces[symbol]
        while remaining > DUST_LOTS and held and held[0][1] != side:
            entry = held[0]
            matched = min(remaining, entry[0])
            gain = (price - entry[2]) * entry[1] * matched * unit
            profits.append(gain - matched * (entry[3] + commission) / grid.money_scale)
            remaining -= matched
            entry[0] -= matched
            if entry[0] <= DUST_LOTS:
                held.popleft()
        if remaining > DUST_LOTS:
            held.append([remaining, side, price, commission])
    return np.array(profits, dtype=np.float64)


def _pieces(run: FastRun, split_factor: FloatArray) -> Iterator[Piece]:
    """Yield what was traded, in shares of before the first split."""
    fills = run.fill_rows
    if not len(split_factor):
        for row in fills.tolist():
            yield row[F_SYMBOL], row[F_SIDE], row[F_LOTS], row[F_PRICE], row[F_COMMISSION] / row[F_LOTS]
        return
    splits = run.ledger_rows[run.ledger_rows[:, E_KIND] == SPLIT]
    row_of = np.concatenate((splits[:, E_SEQ], fills[:, F_SEQ])) - run.first_seq
    factors = split_factor[row_of, np.concatenate((splits[:, E_SYMBOL], fills[:, F_SYMBOL]))].tolist()
    rows = splits.tolist() + fills.tolist()
    held: dict[int, float] = defaultdict(float)  # signed lots of before the first split
    lots_of: dict[int, int] = defaultdict(int)  # signed, as they were
    for k in np.argsort(row_of, kind="stable").tolist():  # a split comes before the fills of its frame
        row, factor = rows[k], factors[k]
        if k >= len(splits):
            symbol, side, lots = row[F_SYMBOL], row[F_SIDE], row[F_LOTS]
            lots_of[symbol] += side * lots
            held[symbol] += side * lots / factor
            yield symbol, side, lots / factor, row[F_PRICE] * factor, row[F_COMMISSION] / lots * factor
            continue
        symbol = row[E_SYMBOL]
        lots_of[symbol] += row[E_LOTS]
        if row[E_CASH]:
            left = held[symbol] - lots_of[symbol] / factor
            held[symbol] -= left
            # a money unit is a price unit times a lot
            yield symbol, -1 if left > 0 else 1, abs(left), abs(row[E_CASH] / left), 0.0
