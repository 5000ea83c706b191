"""The feature engine: one kernel a family for training, backtest and live."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from outcry.compiled import compile_entry_point
from outcry.errors import DataValidationError, RecoveryError
from outcry.features.catalogue import STEPS, code_hash
from outcry.features.feature_set import FeatureSet
from outcry.features.kernels.advance import BLOCK_BARS, SIGNATURE, Advance, build_advance
from outcry.features.kernels.bars import HISTORY_ROWS, N_BAR_FIELDS, PUSH_SIGNATURE, SLACK_BARS, push_bars
from outcry.features.kernels.clock import CLOCK_SIGNATURE, CLOCK_SLOTS, read_clocks, session_rows
from outcry.features.state import FeatureState
from outcry.market.frame import BAR_FIELDS, BoolArray, FloatArray, Frame, FrameTensor, IntArray, stack_frames
from outcry.market.sessions import Sessions


@cache
def compiled_family(name: str) -> Advance:
    """Return the compiled loop of a family."""
    return compile_entry_point(advance_of(name), SIGNATURE)


def advance_of(name: str) -> Advance:
    """Return the loop of a family, not compiled."""
    return build_advance(name, STEPS[name], code_hash(name))


_push_bars = cache(lambda: compile_entry_point(push_bars, PUSH_SIGNATURE))
_read_clocks = cache(lambda: compile_entry_point(read_clocks, CLOCK_SIGNATURE))


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

    Notes
    -----
    The values after frame t depend on frames 0..t only. A symbol without a bar keeps its state and its row, and is
    stale. A value before the warm-up of its column is NaN; after it, a finite number. `update`, `replay`, a resumed
    engine and an engine of some of the symbols agree bit for bit: they run the same machine code on rows that are
    independent of each other. A frame that is refused leaves the engine as it was.
    """

    def __init__(
        self, features: FeatureSet, n_symbols: int, sessions: Sessions, bars_per_year: float, *, n_threads: int = 1
    ) -> None:
        if n_symbols < 1:
            raise DataValidationError(f"n_symbols must be positive, was {n_symbols}")
        if not 0.0 < bars_per_year < np.inf:
            raise DataValidationError(f"bars_per_year must be positive and finite, was {bars_per_year}")
        self.features = features
        self.last_seq: int | None = None
        self._bars_per_year = float(bars_per_year)
        self._n_threads = n_threads
        self._sessions = session_rows(sessions)
        self._lookback = features.lookback_bars
        self._history = np.zeros((n_symbols, HISTORY_ROWS, self._lookback + SLACK_BARS))
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
        rows = _pack(stack_frames([frame.continuous()]), slice(None))
        self._check_follows(frame.seq, frame.n_symbols)
        self._check_bars(frame.seq, *rows)
        self._run(*rows, self._arrays["last"][np.newaxis])
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
        frames = frames.continuous()
        chunks = [slice(start, start + SLACK_BARS) for start in range(0, len(frames), SLACK_BARS)]
        for chunk in chunks:
            self._check_bars(frames.first_seq + chunk.start, *_pack(frames, chunk))
        for chunk in chunks:
            if self._chooses_all:
                self._run(*_pack(frames, chunk), out[chunk])
            else:
                out[chunk] = self._run(*_pack(frames, chunk))[..., self.features.chosen]
            self.last_seq = min(frames.first_seq + chunk.stop - 1, frames.last_seq)
        return out

    def snapshot(self) -> FeatureState:
        """Copy what an engine of the same symbols needs to resume after the last frame."""
        arrays = {name: array.copy() for name, array in self._arrays.items()}
        window = self._ends[:, np.newaxis] + np.arange(1 - self._lookback, 1)
        arrays["history"] = np.take_along_axis(self._history, window[:, np.newaxis], axis=2)
        return FeatureState(arrays=arrays, features_hash=self.features.hash, last_seq=self.last_seq)

    def restore(self, state: FeatureState) -> None:
        """Resume after the last frame of `state`.

        Raises
        ------
        RecoveryError
            Where the state was made by other kernels, or for another number of symbols.
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
        self._arrays = {name: np.array(state.arrays[name], order="C") for name in self._arrays}
        self._history[..., : self._lookback] = state.arrays["history"]
        self._ends[:] = self._lookback - 1
        self.last_seq = state.last_seq

    def _check_follows(self, seq: int, n_symbols: int) -> None:
        if self.last_seq is not None and seq != self.last_seq + 1:
            raise DataValidationError(f"seq must be {self.last_seq + 1}, was {seq}")
        if n_symbols != self.n_symbols:
            raise DataValidationError(f"n_symbols must be {self.n_symbols}, was {n_symbols}")

    def _check_bars(self, seq: int, ts_close_ns: IntArray, bars: FloatArray, present: BoolArray) -> None:
        if ts_close_ns[-1] > self._sessions[1, -1]:
            raise DataValidationError(
                f"ts_close_ns must not be after the last session, which closes at {self._sessions[1, -1]},"
                f" was {ts_close_ns[-1]}"
            )
        low, high, volume = bars[..., 2], bars[..., 1], bars[..., 4]
        with np.errstate(invalid="ignore"):
            valid = (
                np.isfinite(bars[..., : len(BAR_FIELDS)]).all(axis=-1) & (low > 0.0) & (volume >= 0.0) & (low <= high)
            )
            for price in (bars[..., 0], bars[..., 3], bars[..., 5]):
                valid &= price > 0.0
        wrong = np.argwhere(present & ~valid)
        if len(wrong):
            row, symbol = wrong[0]
            given = ", ".join(f"{name} {value:g}" for name, value in zip(BAR_FIELDS, bars[row, symbol], strict=False))
            raise DataValidationError(
                f"a bar must have finite positive prices, low <= high and volume >= 0;"
                f" frame {seq + row}, symbol {symbol} had {given}"
            )

    def _run(
        self, ts_close_ns: IntArray, bars: FloatArray, present: BoolArray, out: FloatArray | None = None
    ) -> FloatArray:
        """Advance over at most `SLACK_BARS` frames; return all computed columns after each, in `out` where given."""
        arrays = self._arrays
        if out is None:
            out = np.empty((*present.shape, len(self.features.computed)))
        clock = np.empty((len(present), CLOCK_SLOTS))
        _read_clocks()(ts_close_ns, self._sessions, self._bars_per_year, clock)
        counts, last = arrays["counts"], arrays["last"]

        def run_symbols(first: int, stop: int) -> None:
            work = np.empty((min(len(present), BLOCK_BARS), len(self.features.computed)))
            _push_bars()(counts, self._ends, self._history, bars, present, self._lookback, first, stop)
            for advance, program in self._steps:
                state = arrays[program.family.name]
                table, ends, history = program.table, self._ends, self._history
                advance(table, counts, ends, history, state, last, clock, present, out, work, first, stop)

        edges = np.linspace(0, self.n_symbols, self._n_threads + 1).astype(int).tolist()
        if len(present) == 1 or self._n_threads == 1:
            run_symbols(0, self.n_symbols)
        else:
            with ThreadPoolExecutor(self._n_threads) as pool:
                list(pool.map(run_symbols, edges[:-1], edges[1:]))
        n_bars = present.sum(axis=0)
        counts += n_bars
        self._ends += n_bars
        np.logical_not(present[-1], out=arrays["stale"])
        return out


def _pack(frames: FrameTensor, chunk: slice) -> tuple[IntArray, FloatArray, BoolArray]:
    """Copy rows of a tensor as the kernel reads them: times, bars (n_frames, n_symbols, N_BAR_FIELDS), present."""
    present = np.array(frames.present[chunk], dtype=np.bool_, order="C")
    bars = np.full((*present.shape, N_BAR_FIELDS), np.nan)
    for field, name in enumerate(BAR_FIELDS):
        bars[..., field] = getattr(frames, name)[chunk]
    if frames.tape is not None:
        bars[..., len(BAR_FIELDS) :] = frames.tape[chunk]
    return np.array(frames.ts_close_ns[chunk], dtype=np.int64), bars, present
