"""Both stages of a feature set over a whole universe: each symbol by itself, then among the others."""

import numpy as np

from outcry.features.cross.stage import CrossStage
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import FeatureSet
from outcry.features.state import FeatureState
from outcry.market.frame import BoolArray, Float32Array, FloatArray, Frame, FrameTensor, IntArray
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe


class UniverseFeatures:
    """Compute every column of a feature set in this process: for training, a backtest and a replay.

    Parameters
    ----------
    features : FeatureSet
    universe : Universe
    sessions : Sessions
    bars_per_year : float
    n_threads : int
        Of a replay; see `FeatureEngine`.
    window_bars : int
        Rows of the longest window that `take_recent` is asked for.
    """

    def __init__(
        self,
        features: FeatureSet,
        universe: Universe,
        sessions: Sessions,
        bars_per_year: float,
        *,
        n_threads: int = 1,
        window_bars: int = 1,
    ) -> None:
        self.features = features
        self._engine = FeatureEngine(
            features, len(universe), sessions, bars_per_year, n_threads=n_threads, window_bars=window_bars
        )
        self._cross = CrossStage(features, universe, window_bars=window_bars) if len(features.cross_chosen) else None

    @property
    def last_seq(self) -> int | None:
        return self._engine.last_seq

    @property
    def values(self) -> FloatArray:
        """A copy of the features after the last frame, float64 (n_symbols, n_features)."""
        own = self._engine.values
        return own if self._cross is None else np.concatenate([own, self._cross.values], axis=1)

    @property
    def stale(self) -> BoolArray:
        """A copy of the flags, bool (n_symbols,): no bar in the last frame, or no frame yet."""
        return self._engine.stale

    def take_recent(self, columns: IntArray, n_bars: int) -> Float32Array:
        """Return some columns of the last frames, float32 (n_bars, n_symbols, n_columns); see `RecentRows.take`."""
        is_own = columns < self.features.n_symbol_columns
        own = self._engine.recent.take(columns[is_own], n_bars)
        if self._cross is None or is_own.all():
            return own
        taken = np.empty((*own.shape[:2], len(columns)), dtype=np.float32)
        taken[..., is_own] = own
        taken[..., ~is_own] = self._cross.recent.take(columns[~is_own] - self.features.n_symbol_columns, n_bars)
        return taken

    def update(self, frame: Frame) -> None:
        """Advance by one frame; see `FeatureEngine.update`."""
        self._engine.update(frame)
        if self._cross is not None:
            self._cross.update(frame)

    def replay(self, frames: FrameTensor, out: FloatArray | None = None) -> FloatArray:
        """Advance over frames and return the values after each, float64 (n_frames, n_symbols, n_features).

        They are in `out`, of the same shape, where there is no second stage.
        """
        own, cross = self.replay_stages(frames, out if self._cross is None else None)
        return own if cross is None else np.concatenate([own, cross], axis=-1)

    def replay_stages(self, frames: FrameTensor, out: FloatArray | None = None) -> tuple[FloatArray, FloatArray | None]:
        """As `replay`, the columns of each stage apart; those of the first in `out`, see `FeatureEngine.replay`."""
        return self._engine.replay(frames, out), None if self._cross is None else self._cross.replay(frames)

    def snapshot(self) -> tuple[FeatureState, FeatureState | None]:
        """Copy the states of both stages."""
        return self._engine.snapshot(), None if self._cross is None else self._cross.snapshot()

    def restore(self, own: FeatureState, cross: FeatureState | None) -> None:
        """Resume after the last frame of both states."""
        self._engine.restore(own)
        if self._cross is not None and cross is not None:
            self._cross.restore(cross)
