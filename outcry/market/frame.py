"""The unit of flow: every bar of the universe that closes at one instant."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcry.errors import DataValidationError

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

PRICE_FIELDS = ("open", "high", "low", "close")
BAR_FIELDS = (*PRICE_FIELDS, "volume", "vwap")
TAPE_FIELDS = ("bid", "ask", "bid_size", "ask_size", "trades", "buy_volume")
ACTION_FIELDS = ("split_ratio", "dividend", "split_factor")
SPLIT_RATIO, DIVIDEND, SPLIT_FACTOR = range(3)
NO_ACTION = (1.0, 0.0, 1.0)
"""The row of a symbol to which nothing happened, ever."""

_QUOTES, _SIZES = [0, 1], [2, 3, 5]
"""Columns of a tape that are prices, and those that are shares."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Hold every bar of the universe that closes at one instant, columnar, in the order of the universe.

    Attributes
    ----------
    seq : int
        Position in the run, gapless. Frame 0 is the first that may trade; warm-up frames are negative.
    ts_close_ns : int
        The instant the bars close, nanoseconds UTC. Nothing in the frame was known before it.
    open, high, low, close : float64 (n_symbols,)
        Prices; NaN where the symbol has no bar.
    volume, vwap : float64 (n_symbols,)
        Shares, and price; NaN where the symbol has no bar. A source without vwap gives (high + low + close) / 3.
    present : bool (n_symbols,)
        The symbol has a bar in this frame.
    tape : float64 (n_symbols, 6) or None
        Columns `TAPE_FIELDS`: best bid and ask at the close of the bar (price), what each is good for (shares), the
        number of trades in the bar, and the shares that buyers took from the ask in it. NaN where not known and where
        the symbol has no bar; None where the source has none of them. A crossed or locked quote stays as it was.
    actions : float64 (n_symbols, 3) or None
        Columns `ACTION_FIELDS`. What took effect before the bar began: shares for each one held (1 without a split),
        and account currency for each share held after it (0 without a dividend). And the product of the split ratios of
        the symbol so far, this one included: prices times it, and volumes over it, go on as if no share had ever been
        split. `NO_ACTION` where the symbol has no bar; None where every row is that.
    """

    seq: int
    ts_close_ns: int
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    vwap: FloatArray
    present: BoolArray
    tape: FloatArray | None = None
    actions: FloatArray | None = None

    @property
    def n_symbols(self) -> int:
        return len(self.present)

    def select(self, indices: IntArray) -> "Frame":
        """Return the frame of the symbols at `indices`, in that order."""
        columns = {name: getattr(self, name)[indices] for name in (*BAR_FIELDS, "present")}
        tape = None if self.tape is None else self.tape[indices]
        actions = None if self.actions is None else self.actions[indices]
        return Frame(seq=self.seq, ts_close_ns=self.ts_close_ns, tape=tape, actions=actions, **columns)

    def continuous(self) -> "Frame":
        """Return the frame as if no share had ever been split; see `actions`."""
        return self if self.actions is None else replace(self, **_unsplit(self, self.actions))


@dataclass(frozen=True, slots=True, eq=False)
class FrameTensor:
    """Hold consecutive frames as arrays: what a source loads and what `FeatureEngine.replay` reads.

    Attributes
    ----------
    first_seq : int
        `seq` of row 0.
    ts_close_ns : int64 (n_frames,)
        Strictly increasing.
    open, high, low, close, volume, vwap : float64 (n_frames, n_symbols)
    present : bool (n_frames, n_symbols)
    tape : float64 (n_frames, n_symbols, 6) or None
        As in `Frame`.
    actions : float64 (n_frames, n_symbols, 3) or None
        As in `Frame`.

    Raises
    ------
    DataValidationError
        Where shapes differ or time does not increase.
    """

    first_seq: int
    ts_close_ns: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    vwap: FloatArray
    present: BoolArray
    tape: FloatArray | None = None
    actions: FloatArray | None = None

    def __post_init__(self) -> None:
        shape = self.present.shape
        for name in BAR_FIELDS:
            if getattr(self, name).shape != shape:
                raise DataValidationError(f"{name} must have shape {shape}, was {getattr(self, name).shape}")
        if self.tape is not None and self.tape.shape != (*shape, len(TAPE_FIELDS)):
            raise DataValidationError(f"tape must have shape {(*shape, len(TAPE_FIELDS))}, was {self.tape.shape}")
        if self.actions is not None and self.actions.shape != (*shape, len(ACTION_FIELDS)):
            raise DataValidationError(
                f"actions must have shape {(*shape, len(ACTION_FIELDS))}, was {self.actions.shape}"
            )
        if shape[0] != len(self.ts_close_ns):
            raise DataValidationError(f"ts_close_ns must have length {shape[0]}, was {len(self.ts_close_ns)}")
        backward = np.flatnonzero(np.diff(self.ts_close_ns) <= 0)
        if backward.size:
            raise DataValidationError(f"ts_close_ns must increase, does not after row {backward[0]}")

    def __len__(self) -> int:
        return len(self.ts_close_ns)

    @property
    def n_symbols(self) -> int:
        return int(self.present.shape[1])

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self) - 1

    def frame(self, seq: int) -> Frame:
        """Return the frame with this `seq`."""
        row = seq - self.first_seq
        if not 0 <= row < len(self):
            raise IndexError(f"seq must be in [{self.first_seq}, {self.last_seq}], was {seq}")
        columns = {name: getattr(self, name)[row] for name in (*BAR_FIELDS, "present")}
        tape = None if self.tape is None else self.tape[row]
        actions = None if self.actions is None or (self.actions[row] == NO_ACTION).all() else self.actions[row]
        return Frame(seq=seq, ts_close_ns=int(self.ts_close_ns[row]), tape=tape, actions=actions, **columns)

    def __iter__(self) -> Iterator[Frame]:
        return (self.frame(seq) for seq in range(self.first_seq, self.last_seq + 1))

    def rows(self, start: int, stop: int, *, first_seq: int) -> "FrameTensor":
        """Return rows [start, stop) as a tensor whose row 0 has `first_seq`."""
        columns = {name: getattr(self, name)[start:stop] for name in (*BAR_FIELDS, "present")}
        tape = None if self.tape is None else self.tape[start:stop]
        actions = None if self.actions is None else self.actions[start:stop]
        ts_close_ns = self.ts_close_ns[start:stop]
        return FrameTensor(first_seq=first_seq, ts_close_ns=ts_close_ns, tape=tape, actions=actions, **columns)

    def select(self, indices: IntArray) -> "FrameTensor":
        """Return the tensor of the symbols at `indices`, in that order."""
        columns = {name: np.ascontiguousarray(getattr(self, name)[:, indices]) for name in (*BAR_FIELDS, "present")}
        tape = None if self.tape is None else np.ascontiguousarray(self.tape[:, indices])
        actions = None if self.actions is None else np.ascontiguousarray(self.actions[:, indices])
        return FrameTensor(
            first_seq=self.first_seq, ts_close_ns=self.ts_close_ns, tape=tape, actions=actions, **columns
        )

    def continuous(self) -> "FrameTensor":
        """Return the frames as if no share had ever been split; see `Frame.actions`."""
        return self if self.actions is None else replace(self, **_unsplit(self, self.actions))


def stack_frames(frames: list[Frame]) -> FrameTensor:
    """Stack consecutive frames, of one source, into a tensor.

    Raises
    ------
    DataValidationError
        Where some have a tape and some have none.
    """
    columns = {name: np.stack([getattr(f, name) for f in frames]) for name in (*BAR_FIELDS, "present")}
    ts_close_ns = np.array([f.ts_close_ns for f in frames], dtype=np.int64)
    tapes = [f.tape for f in frames if f.tape is not None]
    if tapes and len(tapes) != len(frames):
        raise DataValidationError(f"tape must be in every frame or in none, was in {len(tapes)} of {len(frames)}")
    tape = np.stack(tapes) if tapes else None
    actions = None
    if any(f.actions is not None for f in frames):
        actions = np.array(NO_ACTION) * np.ones((len(frames), frames[0].n_symbols, 1))
        for row, f in zip(actions, frames, strict=True):
            row[:] = row if f.actions is None else f.actions
    return FrameTensor(first_seq=frames[0].seq, ts_close_ns=ts_close_ns, tape=tape, actions=actions, **columns)


def _unsplit(bars: Frame | FrameTensor, actions: FloatArray) -> dict[str, Any]:
    """Return the fields of bars without the steps of splits; a dividend is told in the same units."""
    factor = actions[..., SPLIT_FACTOR]
    fields: dict[str, Any] = {name: getattr(bars, name) * factor for name in (*PRICE_FIELDS, "vwap")}
    fields["volume"] = bars.volume / factor
    if bars.tape is not None:
        tape = bars.tape.copy()
        tape[..., _QUOTES] *= factor[..., np.newaxis]
        tape[..., _SIZES] /= factor[..., np.newaxis]
        fields["tape"] = tape
    paid = actions[..., DIVIDEND] * factor
    fields["actions"] = np.stack([np.ones_like(factor), paid, np.ones_like(factor)], axis=-1) if paid.any() else None
    return fields
