"""A run as if its shares had always been those of its last bar: what analytics and charts look at."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from outcry.market.frame import DIVIDEND, SPLIT_FACTOR, FloatArray, FrameTensor
from outcry.market.universe import Universe
from outcry.messages import ZERO, Fill, LedgerEvent, LedgerEventKind, Side

LARGEST_DENOMINATOR = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class AdjustedRun:
    """A run in shares of the last bar of each symbol.

    Attributes
    ----------
    closes, volume : float64 (n_frames, n_symbols)
        NaN where a symbol has no bar.
    dividends : float64 (n_frames, n_symbols) or None
        Account currency a share of the closes, 0 where none is paid; None where nothing ever happened.
    fills : tuple of Fill
        In the order in which they happened. What was paid in lieu of a part of a share is a fill as well: it closes
        that part.
    """

    closes: FloatArray
    volume: FloatArray
    dividends: FloatArray | None
    fills: tuple[Fill, ...]


def adjust_run(
    frames: FrameTensor, fills: Sequence[Fill], events: Sequence[LedgerEvent], universe: Universe
) -> AdjustedRun:
    """Return the run in shares of the last bar of each symbol.

    Parameters
    ----------
    frames : FrameTensor
        The traded ones.
    fills, events : sequence of Fill, sequence of LedgerEvent
        In the order in which they happened.
    universe : Universe
    """
    if frames.actions is None:
        return AdjustedRun(frames.close, frames.volume, None, tuple(fills))
    factor = _factor_to_last(frames, frames.actions[..., SPLIT_FACTOR])
    row_of = dict(zip(frames.ts_close_ns.tolist(), range(len(frames)), strict=True))

    def per_share(ts_ns: int, symbol: str) -> Fraction:
        """Return the shares of an instant in one of the last bar."""
        return _ratio(float(factor[row_of[ts_ns], universe.index(symbol)]))

    held: defaultdict[str, Decimal] = defaultdict(Decimal)  # shares of the last bar
    shares: defaultdict[str, Decimal] = defaultdict(Decimal)  # as they were
    adjusted: list[Fill] = []
    splits = [event for event in events if event.kind is LedgerEventKind.SPLIT]
    steps: list[tuple[int, int, Fill | LedgerEvent]] = [(event.seq, 0, event) for event in splits]
    steps += [(fill.seq, 1, fill) for fill in fills]
    for _, _, step in sorted(steps, key=lambda step: step[:2]):
        symbol, now = step.symbol, per_share(step.ts_ns, step.symbol)
        if isinstance(step, Fill):
            fill = replace(step, quantity=_times(step.quantity, 1 / now), price=_times(step.price, now))
            shares[symbol] += step.side.sign * step.quantity
        else:
            shares[symbol] += step.quantity
            left = held[symbol] - _times(shares[symbol], 1 / now)
            if not step.amount:
                continue
            side = Side.SELL if left > 0 else Side.BUY
            price = abs(step.amount / left)
            fill = Fill(
                f"{step.seq} {symbol} in lieu", "", step.seq, step.ts_ns, symbol, side, abs(left), price, ZERO, ZERO
            )
        held[symbol] += fill.side.sign * fill.quantity
        adjusted.append(fill)
    paid = frames.actions[..., DIVIDEND] * factor
    return AdjustedRun(frames.close * factor, frames.volume / factor, paid, tuple(adjusted))


def _factor_to_last(frames: FrameTensor, split_factor: FloatArray) -> FloatArray:
    """Return what prices of each bar are multiplied by, 1 at the last bar of a symbol; 1 where there is no bar."""
    rows = np.arange(len(frames))[:, np.newaxis]
    last = np.where(frames.present, rows, -1).max(axis=0)
    factor: FloatArray = np.where(frames.present, split_factor / split_factor[last, np.arange(frames.n_symbols)], 1.0)
    return factor


def _ratio(value: float) -> Fraction:
    return Fraction(value).limit_denominator(LARGEST_DENOMINATOR)


def _times(value: Decimal, factor: Fraction) -> Decimal:
    return value * factor.numerator / factor.denominator
