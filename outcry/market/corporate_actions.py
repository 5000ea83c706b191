"""Splits and dividends: from a table to the frames they take effect at."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from outcry.errors import DataValidationError
from outcry.market.calendar import TradingCalendar
from outcry.market.frame import DIVIDEND, NO_ACTION, SPLIT_FACTOR, SPLIT_RATIO, FloatArray, FrameTensor
from outcry.market.universe import Universe

CLEAR_STEP = 0.2
"""A split whose log ratio is less than this may hide in the move of a day."""


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """A split or a dividend of a symbol, or both, on its ex-date.

    Attributes
    ----------
    symbol : str
    ex_date : date
        The first session in which a buyer no longer gets it.
    split_ratio : float
        Shares for each one held; 1 without a split.
    dividend : float
        Account currency for each share held after the split; 0 without one.

    Raises
    ------
    DataValidationError
        Where the ratio is not positive, the dividend is negative, or one of them is not finite.
    """

    symbol: str
    ex_date: dt.date
    split_ratio: float = 1.0
    dividend: float = 0.0

    def __post_init__(self) -> None:
        of = f"of {self.symbol} on {self.ex_date}"
        if not 0.0 < self.split_ratio < np.inf:
            raise DataValidationError(f"split_ratio {of} must be positive and finite, was {self.split_ratio}")
        if not 0.0 <= self.dividend < np.inf:
            raise DataValidationError(f"dividend {of} must not be negative, and finite, was {self.dividend}")


def attach_actions(
    frames: FrameTensor, actions: Sequence[CorporateAction], universe: Universe, calendar: TradingCalendar
) -> FrameTensor:
    """Return frames of raw prices with their corporate actions; see `Frame.actions`.

    Parameters
    ----------
    frames : FrameTensor
        As they were traded, not adjusted.
    actions : sequence of CorporateAction
        Those of other symbols are left out, as are those before the first bar of a symbol and after its last one.
    universe : Universe
    calendar : TradingCalendar
        An ex-date begins at midnight of the exchange.

    Raises
    ------
    DataValidationError
        Where the prices do not step at a split: they are adjusted already, or the date is wrong. Where a symbol has two
        rows of a date.

    Notes
    -----
    An action takes effect at the first bar of its symbol that closes after its ex-date began; where the symbol did not
    trade for a while, several may meet there, and a dividend of before a split counts for the shares after it.
    """
    rows = np.tile(NO_ACTION, (*frames.present.shape, 1))
    seen: set[tuple[str, dt.date]] = set()
    for action in sorted(actions, key=lambda action: (action.symbol, action.ex_date)):
        if action.symbol not in universe.symbols:
            continue
        if (action.symbol, action.ex_date) in seen:
            raise DataValidationError(f"{action.symbol} must have one row of {action.ex_date}, has more")
        seen.add((action.symbol, action.ex_date))
        place = universe.index(action.symbol)
        traded = np.flatnonzero(frames.present[:, place])
        first = int(np.searchsorted(frames.ts_close_ns[traded], calendar.midnight_ns(action.ex_date), side="right"))
        if not 0 < first < len(traded):
            continue
        _check_step(action, frames.open[traded[first], place] / frames.close[traded[first - 1], place])
        row = rows[traded[first], place]
        row[SPLIT_RATIO] *= action.split_ratio
        row[DIVIDEND] = row[DIVIDEND] / action.split_ratio + action.dividend
    if (rows == NO_ACTION).all():
        return frames
    factor = np.cumprod(rows[..., SPLIT_RATIO], axis=0)
    rows[..., SPLIT_FACTOR] = np.where(frames.present, factor, NO_ACTION[SPLIT_FACTOR])
    return replace(frames, actions=rows)


def _check_step(action: CorporateAction, step: float) -> None:
    """Refuse a split at which prices go on as if there were none."""
    size = abs(np.log(action.split_ratio))
    if size >= CLEAR_STEP and abs(np.log(step * action.split_ratio)) > abs(np.log(step)):
        raise DataValidationError(
            f"the price of {action.symbol} must step by about {1.0 / action.split_ratio:.4g} at its split on "
            f"{action.ex_date}, stepped by {step:.4g}: it is adjusted already, or the date is wrong"
        )


def total_return(closes: FloatArray, dividends: FloatArray | None) -> FloatArray:
    """Return closes, float64 (n_frames, n_symbols), as if every dividend had bought more of its share at that close.

    Parameters
    ----------
    closes : float64 (n_frames, n_symbols)
        Without steps at splits; NaN where a symbol has no bar.
    dividends : float64 (n_frames, n_symbols) or None
        Account currency a share of the closes; 0 or NaN where none is paid.
    """
    if dividends is None:
        return closes
    grown: FloatArray = closes * np.cumprod(1.0 + np.nan_to_num(dividends / closes), axis=0)
    return grown
