"""Combiners whose weights move with the frames: a deterministic function of frames and outcomes.

Whatever the number of frames at a time, the same compiled step takes each of them: a replay of the whole matrix and
frame after frame give the same bits.
"""

import hashlib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from outcry.errors import PredictionError, RecoveryError
from outcry.labels.horizon import UNDEFINED, LabelArray
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.combiners.combiner import Combiner, CombinerSpec

Arrays = dict[str, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class CombinerState:
    """What an online combiner needs to resume after frame `last_seq`.

    Attributes
    ----------
    arrays : mapping of str to float64 arrays
    combiner_hash : str
        SHA-256, in hex, of the JSON of the combiner that made it.
    n_symbols : int
        0 before the first frame.
    last_seq : int or None
        None before the first frame.
    """

    arrays: Mapping[str, FloatArray]
    combiner_hash: str
    n_symbols: int
    last_seq: int | None


class OnlineCombiner(Combiner):
    """Move weights with each frame, and average by them.

    Notes
    -----
    A frame is first given to `update`, with the labels of the frame `horizon_bars` before it: those are known at its
    close. Then `combine` answers for it. `replay` does both for many frames. Rows of a frame are the symbols of the
    universe, in its order.
    """

    def __init__(self, spec: CombinerSpec) -> None:
        from outcry.models.kernels.votes import compile_weigh  # noqa: PLC0415 - see Combiner

        super().__init__(spec)
        self._weigh = compile_weigh()
        self._arrays: Arrays = {}
        self._n_symbols = 0
        self._last_seq: int | None = None
        self._weights_frac: FloatArray = self._first_weights()

    @property
    def last_seq(self) -> int | None:
        """The frame it has seen last; None before the first."""
        return self._last_seq

    @property
    def weights_frac(self) -> FloatArray:
        """float64 (n_sets, n_members): the weights after the last frame; a set for all symbols, or one for each."""
        return self._weights_frac.copy()

    def update(
        self, seq: int, probability: FloatArray, settled: LabelArray, rows: FloatArray, columns: IntArray
    ) -> None:
        """Take a frame into account; the one that was taken last changes nothing.

        Parameters
        ----------
        seq : int
            One more than that of the frame before, of which the first may be any.
        probability : float64 (n_members, n_symbols, 3)
            What the members say at this frame.
        settled : int8 (n_symbols,)
            The labels of the frame `horizon_bars` before this one; `UNDEFINED` where not known.
        rows, columns
            As in `combine`; of this frame.

        Raises
        ------
        PredictionError
            Where frames are left out, or a shape is another.
        """
        if seq == self._last_seq:
            return
        self._advance_checked(seq, probability[:, np.newaxis], settled[np.newaxis], rows[np.newaxis], columns)

    def replay(
        self, first_seq: int, probability: FloatArray, settled: LabelArray, rows: FloatArray, columns: IntArray
    ) -> FloatArray:
        """Return float64 (n_frames, n_symbols, 3): what `update` and `combine` give for frame after frame.

        Parameters
        ----------
        first_seq : int
        probability : float64 (n_members, n_frames, n_symbols, 3)
        settled : int8 (n_frames, n_symbols)
            Row t: the labels of the frame `horizon_bars` before it; see `settle_labels`.
        rows : float64 (n_frames, n_symbols, n_wide)
        columns : int64 (n_features,)

        Raises
        ------
        PredictionError
            Where frames are left out, or a shape is another.
        """
        weights_frac = self._advance_checked(first_seq, probability, settled, rows, columns)
        n_members, n_frames, n_symbols, _ = probability.shape
        n_sets = weights_frac.shape[1]
        said = np.ascontiguousarray(probability, dtype=np.float64).reshape(n_members, -1, len(Direction))
        first_set = np.arange(n_frames)[:, np.newaxis] * n_sets
        set_of_row = (first_set + np.arange(n_symbols) % n_sets).ravel()
        out = np.empty(said.shape[1:])
        self._weigh(said, weights_frac.reshape(-1, n_members), set_of_row, out)
        self._hold(said, out)
        return out.reshape(n_frames, n_symbols, len(Direction))

    def restart(self) -> None:
        """Forget every frame."""
        self._arrays, self._last_seq, self._weights_frac = {}, None, self._first_weights()

    def snapshot(self) -> CombinerState:
        """Return a copy of the state after the last frame."""
        arrays = {name: array.copy() for name, array in self._arrays.items()}
        arrays["weights_frac"] = self._weights_frac.copy()
        return CombinerState(arrays, self._hash(), self._n_symbols, self._last_seq)

    def restore(self, state: CombinerState) -> None:
        """Resume after `state.last_seq`, bit for bit.

        Raises
        ------
        RecoveryError
            Where another combiner made the state.
        """
        if state.combiner_hash != self._hash():
            raise RecoveryError(f"combiner_hash must be {self._hash()}, was {state.combiner_hash}")
        self._arrays = {name: array.copy() for name, array in state.arrays.items()}
        self._weights_frac = self._arrays.pop("weights_frac")
        self._n_symbols, self._last_seq = state.n_symbols, state.last_seq

    @abstractmethod
    def _first_weights(self) -> FloatArray:
        """Return float64 (n_sets, n_members): the weights before the first frame."""

    @abstractmethod
    def _begin(self, n_symbols: int) -> Arrays:
        """Return the state before the first frame."""

    @abstractmethod
    def _advance(
        self, first_seq: int, probability: FloatArray, settled: LabelArray, rows: FloatArray, columns: IntArray
    ) -> FloatArray:
        """Carry the state on over frames, and return the weights of each: float64 (n_frames, n_sets, n_members)."""

    def _combine(self, probability: FloatArray, rows: FloatArray, columns: IntArray, out: FloatArray) -> None:
        n_sets = len(self._weights_frac)
        if n_sets not in {1, len(out)}:
            raise PredictionError(f"probability must have {n_sets} rows, one a symbol, had {len(out)}")
        self._weigh(probability, self._weights_frac, np.arange(len(out)) % n_sets, out)

    def _advance_checked(
        self, first_seq: int, probability: FloatArray, settled: LabelArray, rows: FloatArray, columns: IntArray
    ) -> FloatArray:
        probability = np.ascontiguousarray(probability, dtype=np.float64)
        self._check_members(probability.shape, 4)
        shape = probability.shape[1:3]
        if settled.shape != shape or not np.all((settled >= UNDEFINED) & (settled < len(Direction))):
            raise PredictionError(f"settled must be classes of shape {shape} or {UNDEFINED}, was {settled.shape}")
        rows = self._check_features(rows, columns, shape)
        if self._last_seq is None:
            self._arrays, self._n_symbols = self._begin(shape[1]), shape[1]
        elif first_seq != self._last_seq + 1:
            raise PredictionError(f"seq must be {self._last_seq + 1}, was {first_seq}")
        elif shape[1] != self._n_symbols:
            raise PredictionError(f"n_symbols must be {self._n_symbols}, was {shape[1]}")
        settled = np.ascontiguousarray(settled, dtype=np.int8)
        weights_frac = self._advance(first_seq, probability, settled, rows, columns)
        self._weights_frac = weights_frac[-1].copy()
        self._last_seq = first_seq + shape[0] - 1
        return weights_frac

    def _hash(self) -> str:
        return hashlib.sha256(self.to_json()).hexdigest()


def settle_labels(labels: LabelArray, horizon_bars: int) -> LabelArray:
    """Move each label to the frame at whose close it is known.

    Parameters
    ----------
    labels : int8 (n_frames, n_symbols)
        Row t: the label of frame t, which depends on frames up to t + horizon_bars.
    horizon_bars : int

    Returns
    -------
    int8 (n_frames, n_symbols)
        Row t: the label of frame t - horizon_bars; `UNDEFINED` in the first `horizon_bars` rows.
    """
    settled = np.full_like(labels, UNDEFINED)
    settled[horizon_bars:] = labels[: len(labels) - min(horizon_bars, len(labels))]
    return settled
