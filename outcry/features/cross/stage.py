"""The second stage of a feature set, as the desk and a replay run it."""

import numpy as np

from outcry.errors import DataValidationError, RecoveryError
from outcry.features.cross.proxies import MARKET, find_proxies
from outcry.features.cross.section import CrossSection
from outcry.features.feature_set import FeatureSet
from outcry.features.recent import RecentRows
from outcry.features.state import FeatureState
from outcry.market.frame import FloatArray, Frame, FrameTensor
from outcry.market.universe import UNKNOWN_SECTOR, Universe


class CrossStage:
    """The second stage of a feature set, frame by frame.

    Parameters
    ----------
    features : FeatureSet
    universe : Universe
        ``SPY`` is the market where it is in it; see `outcry.features.cross.proxies`.
    window_bars : int
        As of `FeatureEngine`.

    Notes
    -----
    As `FeatureEngine`: frames follow one another by `seq`, and one that is refused changes nothing.
    """

    def __init__(self, features: FeatureSet, universe: Universe, *, window_bars: int = 1) -> None:
        codes, names = universe.sector_index()
        if UNKNOWN_SECTOR in names:
            codes[codes == names.index(UNKNOWN_SECTOR)] = -1
        market = universe.symbols.index(MARKET) if MARKET in universe.symbols else None
        self._features = features
        self._section = CrossSection(codes, market, find_proxies(universe.symbols), features.cross)
        self.last_seq: int | None = None
        self.recent = RecentRows(window_bars, len(universe), len(features.cross_chosen))

    @property
    def values(self) -> FloatArray:
        """A copy of the exposed columns after the last frame, float64 (n_symbols, n)."""
        return self._section.values[:, self._features.cross_chosen]

    def update(self, frame: Frame) -> None:
        """Advance by one frame."""
        self._check_follows(frame.seq)
        frame = frame.continuous()
        self._section.update(frame.close, frame.volume, frame.present)
        if self.recent.n_bars > 1:
            self.recent.extend(self.values[np.newaxis])
        self.last_seq = frame.seq

    def replay(self, frames: FrameTensor) -> FloatArray:
        """Advance over frames and return the exposed columns after each, float64 (n_frames, n_symbols, n)."""
        self._check_follows(frames.first_seq)
        frames = frames.continuous()
        values = self._section.replay(frames.close, frames.volume, frames.present)[..., self._features.cross_chosen]
        if self.recent.n_bars > 1:
            self.recent.extend(values)
        self.last_seq = frames.last_seq
        return values

    def snapshot(self) -> FeatureState:
        """Copy what a stage of the same universe needs to resume after the last frame."""
        arrays = {**self._section.snapshot(), **self.recent.snapshot()}
        return FeatureState(arrays, self._features.hash, self.last_seq)

    def restore(self, state: FeatureState) -> None:
        """Resume after the last frame of `state`; raise `RecoveryError` where it was made by another set."""
        if state.features_hash != self._features.hash:
            raise RecoveryError(f"features_hash must be {self._features.hash}, was {state.features_hash}")
        self._section.restore(state.arrays)
        self.recent.restore(state.arrays)
        self.last_seq = state.last_seq

    def _check_follows(self, seq: int) -> None:
        if self.last_seq is not None and seq != self.last_seq + 1:
            raise DataValidationError(f"seq must be {self.last_seq + 1}, was {seq}")
