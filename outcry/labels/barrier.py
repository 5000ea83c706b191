"""The triple barrier: which of profit, stop and time ends a position opened at each close."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from outcry.errors import ConfigurationError
from outcry.labels.direction import UNDEFINED, LabelArray
from outcry.labels.horizon import check_horizon
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction

_UP, _NEUTRAL, _DOWN = int(Direction.UP), int(Direction.NEUTRAL), int(Direction.DOWN)


@dataclass(frozen=True, slots=True)
class TripleBarrier:
    """Say where the three barriers of a position stand.

    Attributes
    ----------
    horizon_bars : int
        Rows to the vertical barrier.
    profit_multiple, stop_multiple : float
        Distances of the other two from the close at t, in units of a width that is known at t; positive. Infinite
        where there is no such barrier.

    Raises
    ------
    ConfigurationError
        Where a value breaks its rule.
    """

    horizon_bars: int
    profit_multiple: float
    stop_multiple: float

    def __post_init__(self) -> None:
        check_horizon(self.horizon_bars)
        for name, multiple in (("profit_multiple", self.profit_multiple), ("stop_multiple", self.stop_multiple)):
            if not multiple > 0.0:
                raise ConfigurationError(f"{name} must be positive, was {multiple}")


@dataclass(frozen=True, slots=True, eq=False)
class BarrierExits:
    """How the position opened at each close ended. All arrays are (n_frames, n_symbols).

    Attributes
    ----------
    label : int8
        `Direction.UP` where the upper barrier was touched first, `Direction.DOWN` where the lower one was,
        `Direction.NEUTRAL` where neither was; `UNDEFINED` (-1) where this is not known.
    n_bars : int64
        Rows from t to the exit, at most the horizon; `UNDEFINED` where the label is.
    return_frac : float64
        ``exit price / close_t - 1``, whatever the side; NaN where the label is `UNDEFINED`.
    side : int8
        1 for a long position, -1 for a short one, 0 for none.
    """

    label: LabelArray
    n_bars: IntArray
    return_frac: FloatArray
    side: LabelArray


def triple_barrier(  # noqa: PLR0917 - four prices, a width and a side are what the method reads
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    width_frac: FloatArray,
    barriers: TripleBarrier,
    side: FloatArray | None = None,
) -> BarrierExits:
    """Follow a position from each close to the first barrier it touches.

    For a long position the upper barrier ``close_t * (1 + profit_multiple * width_t)`` is the profit and the lower one
    ``close_t * (1 - stop_multiple * width_t)`` the stop; for a short position the multiples change places. The bars
    t + 1 .. t + h are looked at in order:

    - a bar that opens at or beyond a barrier exits at its open, beyond the barrier where prices gapped;
    - else a bar whose high or low reaches a barrier exits at the barrier;
    - a bar that reaches both exits at the stop, since its path is not known and this is the worse one; without a side
      that is the lower barrier;
    - where no bar does either, the position exits at the close of row t + h.

    Parameters
    ----------
    open_, high, low, close : float64 (n_frames, n_symbols)
        Prices; NaN where a symbol has no bar.
    width_frac : float64 (n_frames, n_symbols)
        Unit of the distances as a fraction of the price, from rows 0..t, for example
        `outcry.labels.direction.volatility_band` with a multiple of 1. NaN where it is not known.
    barriers : TripleBarrier
    side : float64 (n_frames, n_symbols), optional
        Positive for a long position, negative for a short one, 0 or NaN for none. Absent: all are long.

    Returns
    -------
    BarrierExits
        `UNDEFINED` in the last h rows, also where a barrier was touched in the rows there are: else these rows would
        hold no neutral label. Likewise without a close or a side at t, where the width is not known or not positive,
        and where nothing was touched and row t + h has no close.

    Notes
    -----
    A bar that is missing touches nothing, and no earlier price stands in for it; the next bar then opens with the gap.
    The entry is the close of row t, at which no order can trade any more: costs are not part of a label.

    References
    ----------
    López de Prado, "Advances in Financial Machine Learning", 2018, sections 3.3-3.5 (snippets 3.2, 3.5). There a path
    of closes is followed; here highs and lows are, and the vertical barrier always gives the neutral class.
    """
    sides = np.ones(close.shape, np.int8) if side is None else np.sign(np.nan_to_num(side)).astype(np.int8)
    label, n_bars, return_frac = _follow(
        open_,
        high,
        low,
        close,
        width_frac,
        sides,
        barriers.horizon_bars,
        barriers.profit_multiple,
        barriers.stop_multiple,
    )
    return BarrierExits(label, n_bars, return_frac, sides)


def meta_labels(exits: BarrierExits, cost_frac: float = 0.0) -> LabelArray:
    """Label each position 1 where taking its side earned more than its cost, 0 where it did not.

    Parameters
    ----------
    exits : BarrierExits
        Of the sides that a first model chose.
    cost_frac : float
        Of a round trip, as a fraction of the price; not negative.

    Returns
    -------
    int8 (n_frames, n_symbols)
        `UNDEFINED` (-1) where there is no side or the exit is not known.

    Raises
    ------
    ConfigurationError
        Where the cost is negative.

    References
    ----------
    López de Prado, "Advances in Financial Machine Learning", 2018, sections 3.6-3.7.
    """
    if cost_frac < 0.0:
        raise ConfigurationError(f"cost_frac must not be negative, was {cost_frac}")
    is_earned = exits.side * exits.return_frac > cost_frac
    return np.where(exits.label == UNDEFINED, UNDEFINED, is_earned).astype(np.int8)


@njit(cache=True)
def _follow(  # noqa: PLR0917 - compiled code takes arrays, not objects
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    width_frac: FloatArray,
    sides: LabelArray,
    horizon_bars: int,
    profit_multiple: float,
    stop_multiple: float,
) -> tuple[LabelArray, IntArray, FloatArray]:
    n_frames, n_symbols = close.shape
    labels = np.full((n_frames, n_symbols), UNDEFINED, np.int8)
    n_bars = np.full((n_frames, n_symbols), UNDEFINED, np.int64)
    returns = np.full((n_frames, n_symbols), np.nan)
    for t in range(n_frames - horizon_bars):
        for symbol in range(n_symbols):
            entry, width, side = close[t, symbol], width_frac[t, symbol], sides[t, symbol]
            if not (entry > 0.0 and 0.0 < width < np.inf) or side == 0:
                continue
            above, below = (profit_multiple, stop_multiple) if side > 0 else (stop_multiple, profit_multiple)
            upper, lower = entry * (1.0 + above * width), entry * (1.0 - below * width)
            label, exit_price, row = _NEUTRAL, close[t + horizon_bars, symbol], t + horizon_bars
            for j in range(t + 1, t + horizon_bars + 1):
                first = open_[j, symbol]
                is_up, is_down = high[j, symbol] >= upper, low[j, symbol] <= lower
                if first >= upper:
                    label, exit_price, row = _UP, first, j
                elif first <= lower:
                    label, exit_price, row = _DOWN, first, j
                elif is_down and (side > 0 or not is_up):
                    label, exit_price, row = _DOWN, lower, j
                elif is_up:
                    label, exit_price, row = _UP, upper, j
                else:
                    continue
                break
            if exit_price > 0.0:
                labels[t, symbol] = label
                n_bars[t, symbol] = row - t
                returns[t, symbol] = exit_price / entry - 1.0
    return labels, n_bars, returns
