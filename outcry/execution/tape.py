"""The last bars of a universe, in one piece of memory: what a kernel reads as rows and a broker gets frame by frame."""

import numpy as np

from outcry.execution.config import BrokerConfig
from outcry.execution.kernels.past import BAR_SPLIT, LONG_WINDOWS, N_BAR_COLUMNS, QUOTED_SPREAD, Bars
from outcry.market.frame import NO_ACTION, TAPE_FIELDS, FloatArray, Frame, FrameTensor

_BID, _ASK = TAPE_FIELDS.index("bid"), TAPE_FIELDS.index("ask")
_FIELDS = ("open", "high", "low", "close", "volume")


def frames_looked_back(config: BrokerConfig) -> int:
    """Return the frames before a trade that its market looks back on."""
    return 2 + LONG_WINDOWS * config.window_bars


class RecentBars:
    """Keep at least the last `n_frames` frames.

    Parameters
    ----------
    n_symbols, n_frames : int

    Attributes
    ----------
    bars : Bars
    row : int
        Of the last frame; -1 before the first.
    """

    def __init__(self, n_symbols: int, n_frames: int) -> None:
        self._n_frames = n_frames
        columns = np.full((N_BAR_COLUMNS, 2 * n_frames, n_symbols), np.nan)
        self.bars: Bars = tuple(columns)  # type: ignore[assignment]  # nine of them
        self.row = -1

    def push(self, frame: Frame) -> None:
        """Add a frame."""
        if self.row == len(self.bars[0]) - 1:
            for column in self.bars:
                column[: self._n_frames] = column[-self._n_frames :]
            self.row = self._n_frames - 1
        self.row += 1
        for column, name in zip(self.bars, _FIELDS, strict=False):
            column[self.row] = getattr(frame, name)
        self.bars[QUOTED_SPREAD][self.row] = np.nan if frame.tape is None else quoted_spread(frame.tape)
        for place, neutral in enumerate(NO_ACTION):
            self.bars[BAR_SPLIT + place][self.row] = neutral if frame.actions is None else frame.actions[:, place]


def bars_of(frames: FrameTensor) -> Bars:
    """Return frames as rows for a kernel; arrays that are as it wants them are not copied."""
    columns = tuple(np.ascontiguousarray(getattr(frames, name)) for name in _FIELDS)
    spread = np.full(frames.close.shape, np.nan) if frames.tape is None else quoted_spread(frames.tape)
    if frames.actions is None:
        actions = [np.empty((0, frames.n_symbols))] * len(NO_ACTION)
    else:
        actions = [np.ascontiguousarray(frames.actions[..., place]) for place in range(len(NO_ACTION))]
    return (*columns, spread, *actions)  # type: ignore[return-value]  # nine of them


def quoted_spread(tape: FloatArray) -> FloatArray:
    """Return the spread as a fraction of the price, float64 of the shape of `tape` without its last axis."""
    bid, ask = tape[..., _BID], tape[..., _ASK]
    spread: FloatArray = (ask - bid) / ((ask + bid) / 2.0)
    return spread
