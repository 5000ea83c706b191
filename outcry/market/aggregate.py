"""Larger bars from smaller ones."""

import numpy as np

from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.bar_size import DAY_NS, format_bar_size
from outcry.market.frame import BoolArray, FloatArray, FrameTensor, IntArray
from outcry.market.sessions import Sessions


def aggregate_frames(frames: FrameTensor, bar_ns: int, target_ns: int, sessions: Sessions) -> FrameTensor:
    """Aggregate frames to a larger bar size, aligned to the open of each session.

    Parameters
    ----------
    frames : FrameTensor
    bar_ns, target_ns : int
        Bar sizes of `frames` and of the result, nanoseconds; `target_ns` is a multiple of `bar_ns`, at most one day.
    sessions : Sessions
        Of a calendar over the span of `frames`.

    Returns
    -------
    FrameTensor
        `first_seq` as in `frames`. A bar closes ``target_ns`` after the one before it, or with its session; it never
        crosses a session's open or close. Open and close are those of the first and last bar in it, vwap is weighted
        by volume, (high + low + close) / 3 without volume. The quote is that of the last bar in it that has one, whole:
        a side that was missing there stays missing, and no bid stands beside the ask of another bar. Trades and buy
        volume are sums, NaN where a bar in it does not know them.

    Raises
    ------
    ConfigurationError
        Where `target_ns` is not a multiple of `bar_ns`, or the bars straddle the larger ones.
    DataValidationError
        Where no larger bar is complete.

    Notes
    -----
    Bars before the open are counted back from it and bars after the close forward from it, up to midnight. A larger
    bar is complete when the frame that closes it is there; the first one also needs the frame that opens it.
    """
    if target_ns % bar_ns or not bar_ns <= target_ns <= DAY_NS:
        raise ConfigurationError(
            f"bars must be a multiple of the source's bar size {format_bar_size(bar_ns)} and at most 1d, "
            f"was {format_bar_size(target_ns)}"
        )
    if target_ns == bar_ns:
        return frames
    start_ns, end_ns = _spans(frames.ts_close_ns, target_ns, sessions)
    straddles = frames.ts_close_ns - bar_ns < start_ns
    straddles &= ~_is_first_of_session(frames.ts_close_ns, bar_ns, sessions)
    if straddles.any():
        raise ConfigurationError(
            f"bars must not be cut by bars of {format_bar_size(target_ns)} counted from the open of the session, the "
            f"{format_bar_size(bar_ns)} bar closing at {_instant(frames.ts_close_ns[np.argmax(straddles)])} is"
        )
    first_row = 0
    if frames.ts_close_ns[0] > start_ns[0] + bar_ns:
        first_row = int(np.searchsorted(end_ns, end_ns[0], side="right"))
    stop_row = len(frames) if frames.ts_close_ns[-1] == end_ns[-1] else int(np.searchsorted(end_ns, end_ns[-1]))
    if first_row >= stop_row:
        raise DataValidationError(
            f"the span must hold a whole {format_bar_size(target_ns)} bar, {len(frames)} frames from "
            f"{_instant(frames.ts_close_ns[0])} to {_instant(frames.ts_close_ns[-1])} hold none"
        )
    part = frames.rows(first_row, stop_row, first_seq=frames.first_seq)
    closes_ns, first_rows = np.unique(end_ns[first_row:stop_row], return_index=True)
    return _reduce(part, closes_ns, first_rows)


def _spans(ts_close_ns: IntArray, target_ns: int, sessions: Sessions) -> tuple[IntArray, IntArray]:
    """Return the open and close, int64 (n_frames,), of the larger bar that holds each frame."""
    session = np.minimum(np.searchsorted(sessions.close_ns, ts_close_ns, side="left"), len(sessions) - 1)
    open_ns, close_ns, midnight_ns = (
        sessions.open_ns[session],
        sessions.close_ns[session],
        sessions.midnight_ns[session],
    )
    previous_close_ns = np.where(session > 0, sessions.close_ns[session - 1], open_ns)
    is_after_last = ts_close_ns > close_ns
    is_inside = (ts_close_ns > open_ns) & ~is_after_last
    is_before = (ts_close_ns <= open_ns) & ((session == 0) | (ts_close_ns > midnight_ns))
    anchor_ns = np.where(is_inside | is_before, open_ns, np.where(is_after_last, close_ns, previous_close_ns))
    start_ns = anchor_ns + ((ts_close_ns - anchor_ns - 1) // target_ns) * target_ns
    end_ns = start_ns + target_ns
    end_ns = np.where(is_inside, np.minimum(end_ns, close_ns), end_ns)
    is_between = ~is_inside & ~is_before & ~is_after_last
    return start_ns, np.where(is_between, np.minimum(end_ns, np.maximum(midnight_ns, ts_close_ns)), end_ns)


def _is_first_of_session(ts_close_ns: IntArray, bar_ns: int, sessions: Sessions) -> BoolArray:
    """Say which frames reach back over the open, as a bar labelled by the clock hour does: nothing traded before it."""
    session = np.minimum(np.searchsorted(sessions.close_ns, ts_close_ns, side="left"), len(sessions) - 1)
    open_ns = sessions.open_ns[session]
    return (ts_close_ns > open_ns) & (ts_close_ns - bar_ns < open_ns)


def _reduce(frames: FrameTensor, closes_ns: IntArray, first_rows: IntArray) -> FrameTensor:
    """Reduce each run of rows, starting at `first_rows`, to one."""
    n_rows = len(frames)
    present = np.logical_or.reduceat(frames.present, first_rows, axis=0)
    row = np.arange(n_rows)[:, None]
    opening = np.minimum.reduceat(np.where(frames.present, row, n_rows - 1), first_rows, axis=0)
    closing = np.maximum.reduceat(np.where(frames.present, row, 0), first_rows, axis=0)
    high = np.fmax.reduceat(frames.high, first_rows, axis=0)
    low = np.fmin.reduceat(frames.low, first_rows, axis=0)
    close = _pick(frames.close, closing, present)
    volume = _total(frames.volume, frames.present, first_rows)
    traded = _total(frames.volume * frames.vwap, frames.present, first_rows)
    has_volume = volume > 0
    vwap = np.where(has_volume, traded / np.where(has_volume, volume, 1.0), (high + low + close) / 3)
    tape = None
    if frames.tape is not None:
        tape = np.where(present[..., None], _reduce_tape(frames.tape, frames.present, first_rows), np.nan)
    return FrameTensor(
        first_seq=frames.first_seq,
        ts_close_ns=closes_ns,
        open=_pick(frames.open, opening, present),
        high=high,
        low=low,
        close=close,
        volume=np.where(present, volume, np.nan),
        vwap=np.where(present, vwap, np.nan),
        present=present,
        tape=tape,
    )


def _reduce_tape(tape: FloatArray, present: BoolArray, first_rows: IntArray) -> FloatArray:
    """Reduce each run of rows of a tape; columns in the order of `TAPE_FIELDS`: four of the quote, two that add up."""
    has_quote = present & ~np.isnan(tape[..., :2]).all(axis=-1)
    last = np.maximum.reduceat(np.where(has_quote, np.arange(len(tape))[:, None], -1), first_rows, axis=0)[..., None]
    quote = np.where(last >= 0, np.take_along_axis(tape[..., :4], np.maximum(last, 0), axis=0), np.nan)
    return np.concatenate([quote, _total(tape[..., 4:], present[..., None], first_rows)], axis=-1)


def _pick(values: FloatArray, rows: IntArray, present: BoolArray) -> FloatArray:
    return np.where(present, np.take_along_axis(values, rows, axis=0), np.nan)


def _total(values: FloatArray, present: BoolArray, first_rows: IntArray) -> FloatArray:
    totals: FloatArray = np.add.reduceat(np.where(present, values, 0.0), first_rows, axis=0)
    return totals


def _instant(ts_ns: int) -> str:
    return str(np.datetime64(int(ts_ns), "ns").astype("datetime64[s]"))
