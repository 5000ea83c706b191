"""The compiled step of every frame: a live frame and a replay of thousands run the same machine code."""

import math
from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point, kernel
from outcry.features.cross.comovement import write_betas, write_change, write_correlations, write_with_volume
from outcry.features.cross.rings import MARKET, Past, place, push_bars, push_peers, push_references
from outcry.features.cross.standing import write_relative, write_standing, write_volume
from outcry.market.frame import BoolArray, FloatArray, IntArray

VOLUME_FRAMES, CORRELATION_FRAMES, SHORT_FRAMES, LONG_FRAMES = range(4)
"""Where the single windows stand in `spans`."""

WORK_ROWS = 5

Windows = tuple[IntArray, IntArray, IntArray, IntArray]
"""The windows of strength, excess, standing and beta."""

Scratch = tuple[FloatArray, FloatArray, FloatArray]
"""What one frame needs and the next does not: its values (n_ordinary, n_symbols); work (WORK_ROWS, n_symbols); line
(n_frames of the rings,)."""

_SIGNATURE = (
    "void(i8[::1], Tuple((i8[:,::1], f8[:,:,::1], f8[:,::1], i8[::1])), f8[:,::1], f8[:,::1], i8[::1], i8[::1],"
    " UniTuple(i8[::1], 4), i8[::1], Tuple((f8[:,::1], f8[:,::1], f8[::1])), f8[:,::1], f8[:,::1], b1[:,::1],"
    " f8[:,:,::1])"
)


@cache
def compile_advance(version: str) -> Callable[..., None]:
    """Compile the entry point, or load it from Numba's cache.

    Parameters
    ----------
    version : str
        Names the text of all kernels. Numba looks only at the file of a cached function to see whether it is current;
        as a closure variable, the version makes an edit of any kernel part of the key.
    """

    def advance(  # noqa: PLR0917 - compiled code takes arrays, not objects
        frames: IntArray,
        past: Past,
        held: FloatArray,
        last: FloatArray,
        sectors: IntArray,
        columns: IntArray,
        windows: Windows,
        spans: IntArray,
        scratch: Scratch,
        close: FloatArray,
        volume: FloatArray,
        present: BoolArray,
        out: FloatArray,
    ) -> None:
        """Advance the universe over frames.

        Parameters
        ----------
        frames : int64 (1,)
            Number of the last frame, from 1.
        held : float64 (n_dear, n_symbols)
            Values of the last refit.
        last : float64 (n_symbols, n_columns)
            Values of a symbol after its last bar.
        sectors : int64 (n_symbols,)
        columns : int64 (n_references,)
            Of the market, -1 for the mean of all, and of the proxies.
        close, volume, present : (n_frames, n_symbols)
        out : float64 (n_frames, n_symbols, n_columns)
            Receives `last` after each frame; of 0 frames where that is not wanted.
        """
        len(version)
        history, rings, references, reference_history = past
        fresh, work, line = scratch
        for t in range(len(present)):
            frames[0] += 1
            k = frames[0]
            push_bars(k, close[t], volume[t], present[t], history, rings)
            push_references(k, columns, past)
            market = references[place(k, len(references)), MARKET]
            push_peers(k, sectors, history, rings, market, reference_history[MARKET] > 1, work)
            write_frame(k, past, present[t], windows, spans, work, line, fresh)
            for i in range(last.shape[0]):
                row = last[i]
                if present[t, i]:
                    for c in range(fresh.shape[0]):
                        row[c] = fresh[c, i]
                    for c in range(held.shape[0]):
                        row[fresh.shape[0] + c] = held[c, i]
                if len(out):
                    target = out[t, i]
                    for c in range(len(row)):
                        target[c] = row[c]

    return compile_entry_point(advance, _SIGNATURE)


@kernel
def write_frame(  # noqa: PLR0917 - compiled code takes arrays, not objects
    k: int,
    past: Past,
    present: BoolArray,
    windows: Windows,
    spans: IntArray,
    work: FloatArray,
    line: FloatArray,
    out: FloatArray,
) -> None:
    """Write the columns of `outcry.features.cross.columns.ordinary_columns`; out is (n_ordinary, n_symbols)."""
    for row in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[row, i] = math.nan
    strength, excess, standing, beta = windows
    write_relative(k, past, strength, excess, work, out)
    c = 2 * len(strength) + len(excess)
    write_volume(k, past, present, spans[VOLUME_FRAMES], work, out[c])
    c += 1
    write_standing(k, past, standing, work, out[c:])
    c += 4 * len(standing)
    write_betas(k, past, beta, work, line, out[c:])
    c += 2 * len(beta)
    write_correlations(k, past, spans[CORRELATION_FRAMES], work, line, out[c:])
    c += len(past[3]) + 3
    write_change(k, past, spans[SHORT_FRAMES], spans[LONG_FRAMES], work, line, out[c])
    write_with_volume(k, past, spans[VOLUME_FRAMES], work, out[c + 1])
