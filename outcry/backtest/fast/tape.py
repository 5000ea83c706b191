"""The market of a fast backtest: made once, and shared by all runs over the same frames."""

from dataclasses import dataclass

import numpy as np

from outcry.execution.kernels.past import BAR_FACTOR, Bars
from outcry.execution.session_clock import read_clock
from outcry.execution.tape import bars_of
from outcry.market.frame import BoolArray, FloatArray, FrameTensor, IntArray
from outcry.market.sessions import Sessions


@dataclass(frozen=True, slots=True, eq=False)
class MarketTape:
    """Hold the traded frames and those before them as the loop reads them.

    Attributes
    ----------
    first_seq : int
        Of the first traded frame.
    ts_close_ns : int64 (n_frames,)
    bars : Bars
        Rows of the past, then those of the traded frames.
    n_past : int
    clock : int64 (n_frames, N_CLOCK)
    session : int64 (n_frames,)
        Position of each frame's session.
    present : bool (n_frames, n_symbols)
    """

    first_seq: int
    ts_close_ns: IntArray
    bars: Bars
    n_past: int
    clock: IntArray
    session: IntArray
    present: BoolArray

    def __len__(self) -> int:
        return len(self.ts_close_ns)

    @property
    def n_symbols(self) -> int:
        return int(self.present.shape[1])

    @property
    def split_factor(self) -> FloatArray:
        """What prices of the traded frames are multiplied by, (n_frames, n_symbols); no rows where nothing happened."""
        return self.bars[BAR_FACTOR][self.n_past :]


def build_tape(warmup: FrameTensor, frames: FrameTensor, sessions: Sessions, n_past: int) -> MarketTape:
    """Return the tape of `frames`, with the last `n_past` frames of `warmup` before them; there may be fewer."""
    n_past = min(n_past, len(warmup))
    past = warmup.rows(len(warmup) - n_past, len(warmup), first_seq=-n_past)
    earlier, traded = bars_of(past), bars_of(frames)
    columns = tuple(np.concatenate(pair) if n_past else pair[1] for pair in zip(earlier, traded, strict=True))
    return MarketTape(
        first_seq=frames.first_seq,
        ts_close_ns=frames.ts_close_ns,
        bars=columns,  # type: ignore[arg-type]  # nine of them
        n_past=n_past,
        clock=read_clock(sessions, frames.first_seq, frames.ts_close_ns, 0),
        session=np.searchsorted(sessions.close_ns, frames.ts_close_ns, side="left"),
        present=np.ascontiguousarray(frames.present),
    )
