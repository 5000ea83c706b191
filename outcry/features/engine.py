"""The feature engine: one kernel for training, backtest and live."""

from typing import Any

import numpy as np

from outcry.errors import DataValidationError, RecoveryError
from outcry.features.catalogue import FEATURE_NAMES, catalogue_hash
from outcry.features.kernels.advance import STATE_SHAPES, compile_advance
from outcry.features.state import FeatureState
from outcry.market.frame import BAR_FIELDS, BoolArray, FloatArray, Frame, FrameTensor, IntArray
from outcry.market.sessions import Sessions

_CHUNK_FRAMES = 512
_NO_OUTPUT = np.empty((0, 0, 0))


class FeatureEngine:
    """Keep the features of `n_symbols` symbols, frame by frame.

    Parameters
    ----------
    n_symbols : int
    sessions : Sessions
        Every frame must close at or before the close of the last one.
    bars_per_year : float
        Annualises volatility: 252 for daily bars, 252 * 78 for 5-minute bars of US equities.

    Notes
    -----
    The values after frame t depend on frames 0..t only. A symbol without a bar keeps its state and its row, and is
    stale. A value before the warm-up of its column is NaN; after it, a finite number. `update`, `replay`, a resumed
    engine and an engine of some of the symbols agree bit for bit: they run the same machine code on rows that are
    independent of each other. A frame that is refused leaves the engine as it was.
    """

    names: tuple[str, ...] = FEATURE_NAMES

    def __init__(self, n_symbols: int, sessions: Sessions, bars_per_year: float) -> None:
        if n_symbols < 1:
            raise DataValidationError(f"n_symbols must be positive, was {n_symbols}")
        if not 0.0 < bars_per_year < np.inf:
            raise DataValidationError(f"bars_per_year must be positive and finite, was {bars_per_year}")
        self.last_seq: int | None = None
        self._bars_per_year = float(bars_per_year)
        lengths = sessions.close_ns - sessions.open_ns
        rows = (sessions.open_ns, sessions.close_ns, sessions.midnight_ns, sessions.weekday, lengths < lengths.max())
        self._sessions = np.array(rows, dtype=np.int64)
        self._arrays: dict[str, Any] = {"counts": np.zeros(n_symbols, dtype=np.int64)}
        self._arrays |= {name: np.zeros((n_symbols, *shape)) for name, shape in STATE_SHAPES.items()}
        self._arrays["last"] = np.full((n_symbols, len(FEATURE_NAMES)), np.nan)
        self._arrays["stale"] = np.ones(n_symbols, dtype=np.bool_)
        self._advance = compile_advance(catalogue_hash())

    @property
    def n_symbols(self) -> int:
        return len(self._arrays["counts"])

    @property
    def values(self) -> FloatArray:
        """A copy of the features after the last frame, float64 (n_symbols, n_features)."""
        values: FloatArray = self._arrays["last"].copy()
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
        bars = np.stack([getattr(frame, name) for name in BAR_FIELDS], axis=-1)[np.newaxis]
        ts_close_ns = np.array([frame.ts_close_ns], dtype=np.int64)
        present = np.array(frame.present[np.newaxis], dtype=np.bool_, order="C")
        self._check(frame.seq, ts_close_ns, bars, present)
        self._run(ts_close_ns, bars, present, _NO_OUTPUT)
        self.last_seq = frame.seq

    def replay(self, frames: FrameTensor) -> FloatArray:
        """Advance over frames and return the values after each, float64 (n_frames, n_symbols, n_features).

        Raises
        ------
        DataValidationError
            As `update`, before the first frame is taken.
        """
        self._check_follows(frames.first_seq, frames.n_symbols)
        chunks = [slice(start, start + _CHUNK_FRAMES) for start in range(0, len(frames), _CHUNK_FRAMES)]
        for chunk in chunks:
            self._check_bars(frames.first_seq + chunk.start, *_pack(frames, chunk))
        out = np.empty((len(frames), self.n_symbols, len(FEATURE_NAMES)))
        for chunk in chunks:
            self._run(*_pack(frames, chunk), out[chunk])
            self.last_seq = min(frames.first_seq + chunk.stop - 1, frames.last_seq)
        return out

    def snapshot(self) -> FeatureState:
        """Copy what an engine of the same symbols needs to resume after the last frame."""
        arrays = {name: array.copy() for name, array in self._arrays.items()}
        return FeatureState(arrays=arrays, catalogue_hash=catalogue_hash(), last_seq=self.last_seq)

    def restore(self, state: FeatureState) -> None:
        """Resume after the last frame of `state`.

        Raises
        ------
        RecoveryError
            Where the state was made by other kernels, or for another number of symbols.
        """
        if state.catalogue_hash != catalogue_hash():
            raise RecoveryError(f"catalogue_hash must be {catalogue_hash()}, was {state.catalogue_hash}")
        for name, array in self._arrays.items():
            if name not in state.arrays:
                raise RecoveryError(f"arrays must hold {name}, held {', '.join(sorted(state.arrays))}")
            given = state.arrays[name]
            if given.shape != array.shape or given.dtype != array.dtype:
                raise RecoveryError(f"{name} must be {array.dtype} {array.shape}, was {given.dtype} {given.shape}")
        self._arrays = {name: np.array(state.arrays[name], order="C") for name in self._arrays}
        self.last_seq = state.last_seq

    def _check(self, seq: int, ts_close_ns: IntArray, bars: FloatArray, present: BoolArray) -> None:
        self._check_follows(seq, present.shape[1])
        self._check_bars(seq, ts_close_ns, bars, present)

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
            valid = np.isfinite(bars).all(axis=-1) & (low > 0.0) & (volume >= 0.0) & (low <= high)
            for price in (bars[..., 0], bars[..., 3], bars[..., 5]):
                valid &= price > 0.0
        wrong = np.argwhere(present & ~valid)
        if len(wrong):
            row, symbol = wrong[0]
            given = ", ".join(f"{name} {value:g}" for name, value in zip(BAR_FIELDS, bars[row, symbol], strict=True))
            raise DataValidationError(
                f"a bar must have finite positive prices, low <= high and volume >= 0;"
                f" frame {seq + row}, symbol {symbol} had {given}"
            )

    def _run(self, ts_close_ns: IntArray, bars: FloatArray, present: BoolArray, out: FloatArray) -> None:
        state = [self._arrays[name] for name in ("counts", *STATE_SHAPES, "last")]
        self._advance(*state, ts_close_ns, bars, present, self._sessions, self._bars_per_year, out)
        np.logical_not(present[-1], out=self._arrays["stale"])


def _pack(frames: FrameTensor, chunk: slice) -> tuple[IntArray, FloatArray, BoolArray]:
    """Copy rows of a tensor as the kernel reads them: times, bars (n_frames, n_symbols, 6), present."""
    bars = np.stack([getattr(frames, name)[chunk] for name in BAR_FIELDS], axis=-1)
    present = np.array(frames.present[chunk], dtype=np.bool_, order="C")
    return np.array(frames.ts_close_ns[chunk], dtype=np.int64), np.ascontiguousarray(bars, dtype=np.float64), present
