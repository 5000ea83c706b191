"""The feature engine: one kernel a family for training, backtest and live."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np

from outcry.compiled import compile_entry_point
from outcry.errors import DataValidationError, RecoveryError
from outcry.features.catalogue import STEPS, code_hash
from outcry.features.feature_set import FeatureSet
from outcry.features.kernels.advance import (
    BLOCK_BARS,
    CHOOSE_SIGNATURE,
    SIGNATURE,
    Advance,
    build_advance,
    write_chosen,
)
from outcry.features.kernels.bars import (
    CHECK_SIGNATURE,
    PUSH_SIGNATURE,
    SLACK_BARS,
    find_wrong_bar,
    push_bars,
)
from outcry.features.kernels.clock import CLOCK_SIGNATURE, CLOCK_SLOTS, read_clocks, session_rows
from outcry.features.recent import RecentRows
from outcry.features.state import FeatureState
from outcry.market.frame import BAR_FIELDS, BoolArray, FloatArray, Frame, FrameTensor, IntArray
from outcry.market.sessions import Sessions


@cache
def compiled_family(name: str) -> Advance:
    """Return the compiled loop of a family."""
    return compile_entry_point(advance_of(name), SIGNATURE)


def advance_of(name: str) -> Advance:
    """Return the loop of a family, not compiled."""
    return build_advance(name, STEPS[name], code_hash(name))


_push_bars = cache(lambda: cast(Callable[..., None], compile_entry_point(push_bars, PUSH_SIGNATURE)))
_find_wrong_bar = cache(lambda: compile_entry_point(find_wrong_bar, CHECK_SIGNATURE))
_write_chosen = cache(lambda: compile_entry_point(write_chosen, CHOOSE_SIGNATURE))
_read_clocks = cache(lambda: compile_entry_point(read_clocks, CLOCK_SIGNATURE))


class _Bars(NamedTuple):
    """Frames as the kernels read them.

    Attributes
    ----------
    ts_close_ns : int64 (n_frames,)
    fields : tuple of float64 (n_frames, n_symbols)
        As `BAR_FIELDS`.
    tape : float64 (n_frames, n_symbols, 6) or empty
    present : bool (n_frames, n_symbols)
    """

    ts_close_ns: IntArray
    fields: tuple[FloatArray, ...]
    tape: FloatArray
    present: BoolArray

    def rows(self, rows: slice) -> "_Bars":
        fields = tuple(field[rows] for field in self.fields)
        return _Bars(self.ts_close_ns[rows], fields, self.tape[rows], self.present[rows])


class FeatureEngine:
    """Keep the features of `n_symbols` symbols, frame by frame.

    Parameters
    ----------
    features : FeatureSet
        What to compute.
    n_symbols : int
    sessions : Sessions
        Every frame must close at or before the close of the last one.
    bars_per_year : float
        Annualises volatility: 252 for daily bars, 252 * 78 for 5-minute bars of US equities.
    n_threads : int
        Of a replay; each has some of the symbols.
    window_bars : int
        Frames whose values are kept in `recent`; of 1 none are.

    Notes
    -----
    The values after frame t depend on frames 0..t only. A symbol without a bar keeps its state and its row, and is
    stale. A value before the warm-up of its column is NaN; after it, a finite number. `update`, `replay`, a resumed
    engine and an engine of some of the symbols agree bit for bit: they run the same machine code on rows that are
    independent of each other. A frame that is refused leaves the engine as it was.
    """

    def __init__(
        self,
        features: FeatureSet,
        n_symbols: int,
        sessions: Sessions,
        bars_per_year: float,
        *,
        n_threads: int = 1,
        window_bars: int = 1,
    ) -> None:
        if n_symbols < 1:
            raise DataValidationError(f"n_symbols must be positive, was {n_symbols}")
        if not 0.0 < bars_per_year < np.inf:
            raise DataValidationError(f"bars_per_year must be positive and finite, was {bars_per_year}")
        self.features = features
        self.last_seq: int | None = None
        self.recent = RecentRows(window_bars, n_symbols, len(features.chosen))
        self._bars_per_year = float(bars_per_year)
        self._n_threads = n_threads
        self._end_ns = int(sessions.close_ns[-1])
        self._sessions = session_rows(sessions) if features.reads_clock else np.empty((0, 0), dtype=np.int64)
        self._lookback = features.lookback_bars
        self._rows = features.rows.copy()
        n_rows = int(np.flatnonzero(self._rows)[-1]) + 1
        self._history = np.zeros((n_symbols, n_rows, self._lookback + SLACK_BARS))
        self._ends = np.full(n_symbols, self._lookback - 1, dtype=np.int64)
        self._arrays: dict[str, Any] = {"counts": np.zeros(n_symbols, dtype=np.int64)}
        self._arrays |= {program.family.name: np.zeros((n_symbols, program.n_slots)) for program in features.programs}
        self._arrays["last"] = np.full((n_symbols, len(features.computed)), np.nan)
        self._arrays["stale"] = np.ones(n_symbols, dtype=np.bool_)
        self._steps = [(compiled_family(program.family.name), program) for program in features.programs]
        self._chooses_all = len(features.chosen) == len(features.computed)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of `values`."""
        return self.features.names[: self.features.n_symbol_columns]

    @property
    def n_symbols(self) -> int:
        return len(self._arrays["counts"])

    @property
    def values(self) -> FloatArray:
        """A copy of the features after the last frame, float64 (n_symbols, n_features)."""
        values: FloatArray = self._arrays["last"][:, self.features.chosen]
        return values

    @property
    def stale(self) -> BoolArray:
        """A copy of the flags, bool (n_symbols,): no bar in the last frame, or no frame yet."""
        stale: BoolArray = self._arrays["stale"].copy()
        return stale

    def update(self, frame: Frame) -> None:
        """Advance by one frame.

        Raises
        ------
        DataValidationError
            Where `seq` does not follow `last_seq`, the number of symbols differs, a bar is impossible, or the frame
            closes after the last session.
        """
        self._check_follows(frame.seq, frame.n_symbols)
        bars = _bars_of(_tensor_of(frame.continuous()))
        self._check_bars(frame.seq, bars)
        self._run(bars, self._arrays["last"][np.newaxis], 0, self.n_symbols)
        np.logical_not(bars.present[-1], out=self._arrays["stale"])
        if self.recent.n_bars > 1:
            self.recent.extend(self.values[np.newaxis])
        self.last_seq = frame.seq

    def replay(self, frames: FrameTensor, out: FloatArray | None = None) -> FloatArray:
        """Advance over frames and return the values after each, float64 (n_frames, n_symbols, n_features).

        Parameters
        ----------
        frames : FrameTensor
        out : float64 (n_frames, n_symbols, n_features), optional
            What to write to and return, C-contiguous. Fresh memory for every chunk of a long history costs as much as
            a fifth of the columns.

        Raises
        ------
        DataValidationError
            As `update`, before the first frame is taken; or where `out` has another shape.
        """
        shape = (len(frames), self.n_symbols, len(self.names))
        if out is None:
            out = np.empty(shape)
        if out.shape != shape:
            raise DataValidationError(f"out must have shape {shape}, was {out.shape}")
        self._check_follows(frames.first_seq, frames.n_symbols)
        bars = _bars_of(frames.continuous())
        n_threads = min(self._n_threads, self.n_symbols)
        with ThreadPoolExecutor(n_threads) as pool:
            share = partial(_share, pool, n_threads)
            share(lambda a, b: self._check_bars(frames.first_seq + a, bars.rows(slice(a, b))), len(frames))
            share(partial(self._replay, bars, out), self.n_symbols)
        if len(frames):
            np.logical_not(bars.present[-1], out=self._arrays["stale"])
            self.last_seq = frames.last_seq
        if self.recent.n_bars > 1:
            self.recent.extend(out)
        return out

    def snapshot(self) -> FeatureState:
        """Copy what an engine of the same symbols needs to resume after the last frame."""
        arrays = {name: array.copy() for name, array in self._arrays.items()}
        window = self._ends[:, np.newaxis] + np.arange(1 - self._lookback, 1)
        arrays["history"] = np.take_along_axis(self._history, window[:, np.newaxis], axis=2)
        arrays |= self.recent.snapshot()
        return FeatureState(arrays=arrays, features_hash=self.features.hash, last_seq=self.last_seq)

    def restore(self, state: FeatureState) -> None:
        """Resume after the last frame of `state`.

        Raises
        ------
        RecoveryError
            Where the state was made by other kernels, for another number of symbols, or with other windows.
        """
        if state.features_hash != self.features.hash:
            raise RecoveryError(f"features_hash must be {self.features.hash}, was {state.features_hash}")
        expected = self._arrays | {"history": self._history[..., : self._lookback]}
        for name, array in expected.items():
            if name not in state.arrays:
                raise RecoveryError(f"arrays must hold {name}, held {', '.join(sorted(state.arrays))}")
            given = state.arrays[name]
            if given.shape != array.shape or given.dtype != array.dtype:
                raise RecoveryError(f"{name} must be {array.dtype} {array.shape}, was {given.dtype} {given.shape}")
        self.recent.restore(state.arrays)
        self._arrays = {name: np.array(state.arrays[name], order="C") for name in self._arrays}
        self._history[..., : self._lookback] = state.arrays["history"]
        self._ends[:] = self._lookback - 1
        self.last_seq = state.last_seq

    def _check_follows(self, seq: int, n_symbols: int) -> None:
        if self.last_seq is not None and seq != self.last_seq + 1:
            raise DataValidationError(f"seq must be {self.last_seq + 1}, was {seq}")
        if n_symbols != self.n_symbols:
            raise DataValidationError(f"n_symbols must be {self.n_symbols}, was {n_symbols}")

    def _check_bars(self, first_seq: int, bars: _Bars) -> None:
        last_ns = bars.ts_close_ns.max(initial=0)
        if last_ns > self._end_ns:
            raise DataValidationError(
                f"ts_close_ns must not be after the last session, which closes at {self._end_ns}, was {last_ns}"
            )
        given: tuple[Any, ...] = (*(field.reshape(-1) for field in bars.fields), bars.present.reshape(-1))
        wrong = _find_wrong_bar()(*given)
        if wrong >= 0:
            row, symbol = divmod(wrong, self.n_symbols)
            named = zip(BAR_FIELDS, bars.fields, strict=True)
            shown = ", ".join(f"{name} {values[row, symbol]:g}" for name, values in named)
            raise DataValidationError(
                f"a bar must have finite positive prices, low <= high and volume >= 0;"
                f" frame {first_seq + row}, symbol {symbol} had {shown}"
            )

    def _replay(self, bars: _Bars, out: FloatArray, first: int, stop: int) -> None:
        """Advance some symbols over frames; write the chosen columns after each to `out`."""
        n_frames, n_symbols = bars.present.shape
        computed = None
        if not self._chooses_all:
            computed = np.empty((min(n_frames, SLACK_BARS), n_symbols, len(self.features.computed)))
        for start in range(0, n_frames, SLACK_BARS):
            chunk = bars.rows(slice(start, start + SLACK_BARS))
            values = out[start : start + SLACK_BARS]
            if computed is None:
                self._run(chunk, values, first, stop)
            else:
                self._run(chunk, computed[: len(values)], first, stop)
                _write_chosen()(computed, self.features.chosen, first, stop, values)

    def _run(self, bars: _Bars, out: FloatArray, first: int, stop: int) -> None:
        """Advance symbols `first` to `stop` over at most `SLACK_BARS` frames; write all computed columns to `out`."""
        arrays, ends, history = self._arrays, self._ends, self._history
        present, counts, last = bars.present, arrays["counts"], arrays["last"]
        clock = np.empty((len(present), CLOCK_SLOTS))
        if self.features.reads_clock:
            _read_clocks()(bars.ts_close_ns, self._sessions, self._bars_per_year, clock)
        work = np.empty((min(len(present), BLOCK_BARS), len(self.features.computed)))
        n_bars = np.empty_like(counts)
        given = (*bars.fields, bars.tape, present)
        _push_bars()(counts, ends, history, *given, self._rows, self._lookback, first, stop, n_bars)
        for advance, program in self._steps:
            state, table, rows = arrays[program.family.name], program.table, program.rows
            advance(table, counts, ends, history, state, last, clock, present, out, work, rows, first, stop)
        counts[first:stop] += n_bars[first:stop]
        ends[first:stop] += n_bars[first:stop]


def _share(pool: ThreadPoolExecutor, n_parts: int, function: Callable[[int, int], None], n: int) -> None:
    """Call a function with parts of 0 .. n, each in a thread of its own; the first in this one, which would only wait.

    Of several that raise, the first part tells.
    """
    first, *others = pairwise(np.linspace(0, n, n_parts + 1).astype(int).tolist())
    waiting = [pool.submit(function, *part) for part in others]
    function(*first)
    for each in waiting:
        each.result()


def _bars_of(frames: FrameTensor) -> _Bars:
    """Return a tensor as the kernels read it; copied only where its memory is laid out in another way."""
    fields = tuple(np.require(getattr(frames, name), np.float64, ["C", "A"]) for name in BAR_FIELDS)
    tape = np.empty((0, 0, 0)) if frames.tape is None else np.require(frames.tape, np.float64, ["C", "A"])
    present = np.require(frames.present, np.bool_, ["C", "A"])
    return _Bars(np.array(frames.ts_close_ns, dtype=np.int64), fields, tape, present)


def _tensor_of(frame: Frame) -> FrameTensor:
    """Return a frame as a tensor of one row; nothing is copied."""
    columns = {name: getattr(frame, name)[np.newaxis] for name in (*BAR_FIELDS, "present")}
    tape = None if frame.tape is None else frame.tape[np.newaxis]
    return FrameTensor(frame.seq, np.array([frame.ts_close_ns], dtype=np.int64), tape=tape, **columns)
