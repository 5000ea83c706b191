"""What the alphas of the settings say of every symbol, frame by frame: the same live, in a backtest and in a replay."""

import hashlib
from dataclasses import dataclass

import numpy as np

from outcry.alphas.combination import AlphaCombination
from outcry.alphas.config import AlphasConfig
from outcry.alphas.cross_section import rank
from outcry.alphas.scorer import AlphaScorer
from outcry.errors import RecoveryError
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.features.feature_set import FeatureSet
from outcry.features.state import FeatureState
from outcry.features.universe_features import UniverseFeatures
from outcry.market.frame import FloatArray, Frame, FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import Direction

CHUNK_FRAMES = 256
_OWN, _CROSS, _COMBINATION = "own.", "cross.", "combination."


@dataclass(frozen=True, slots=True, eq=False)
class SignalHistory:
    """What a signal said of many frames.

    Attributes
    ----------
    edge, volatility_per_year, score : float64 (n_frames, n_symbols)
    scores : float64 (n_alphas, n_frames, n_symbols)
    weights : float64 (n_frames, n_alphas)
    """

    edge: FloatArray
    volatility_per_year: FloatArray
    score: FloatArray
    scores: FloatArray
    weights: FloatArray


class AlphaSignal:
    """Keep the features that alphas read, their scores, their weights and what they say together.

    Parameters
    ----------
    config : AlphasConfig
    universe : Universe
    sessions : Sessions
    bars_per_year : float
    bar_ns : int
    n_threads : int
        Of a replay.

    Raises
    ------
    ConfigurationError
        Where an alpha or a column is unknown, or the limits leave no weights.

    Notes
    -----
    What is said of frame t depends on frames and forecasts 0..t. The features are those of a model, bit for bit, but
    computed apart: what a bundle reads does not change with the alphas. `update`, `replay` and a restored signal give
    the same bits on the same machine.
    """

    def __init__(
        self,
        config: AlphasConfig,
        universe: Universe,
        sessions: Sessions,
        bars_per_year: float,
        bar_ns: int,
        *,
        n_threads: int = 1,
    ) -> None:
        self._scorer = AlphaScorer(config, universe, bar_ns)
        features = self._scorer.features
        self._features = UniverseFeatures(features, universe, sessions, bars_per_year, n_threads=n_threads)
        self._volatility = features.place(VOLATILITY_COLUMN)
        self._combination = AlphaCombination(len(self.names), len(universe), config.horizon_bars, config)
        self._hash = hashlib.sha256(f"{features.hash} {config.model_dump_json()}".encode()).hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the alphas."""
        return self._scorer.names

    @property
    def features(self) -> FeatureSet:
        """The columns that the alphas read."""
        return self._scorer.features

    @property
    def last_seq(self) -> int | None:
        return self._features.last_seq

    @property
    def weights(self) -> FloatArray:
        """Of the alphas, float64 (n_alphas,)."""
        return self._combination.weights

    @property
    def edge(self) -> FloatArray:
        """The rank of the common score among all symbols, float64 (n_symbols,) in (-1, 1); NaN where no alpha knows.

        It takes the place of the difference of probabilities in sizing: symbols of the best tenth have 0.8 and more.
        """
        return rank(self._combination.score)

    @property
    def volatility_per_year(self) -> FloatArray:
        """What sizing reads, float64 (n_symbols,); NaN before its warm-up."""
        volatility: FloatArray = self._features.values[:, self._volatility]
        return volatility

    def update(self, frame: Frame, forecast: FloatArray) -> None:
        """Advance by one frame.

        Parameters
        ----------
        frame : Frame
        forecast : float64 (n_symbols,)
            Of the model for this frame, see `outcry.alphas.forecast.forecast_score`; NaN where there is none.

        Raises
        ------
        DataValidationError
            As `FeatureEngine.update`.
        """
        self._features.update(frame)
        values = self._features.values
        scores = self._scorer.scores(values, frame.present, forecast)
        self._combination.update(scores, frame.continuous().close, self._scorer.regime(values))

    def replay(self, frames: FrameTensor, forecasts: FloatArray | None = None) -> SignalHistory:
        """Advance over frames, with forecasts float64 (n_frames, n_symbols) or none, and return what was said."""
        n_frames, n_symbols = frames.close.shape
        volatility, score = np.empty((n_frames, n_symbols)), np.empty((n_frames, n_symbols))
        scores, weights = np.empty((len(self.names), n_frames, n_symbols)), np.empty((n_frames, len(self.names)))
        close = frames.continuous().close
        if forecasts is None:
            forecasts = np.full(close.shape, np.nan)
        for start in range(0, n_frames, CHUNK_FRAMES):
            piece = frames.rows(start, min(start + CHUNK_FRAMES, n_frames), first_seq=frames.first_seq + start)
            rows = slice(start, start + len(piece))
            values = self._features.replay(piece)
            volatility[rows] = values[..., self._volatility]
            scores[:, rows] = self._scorer.scores(values, piece.present, forecasts[rows])
            for t in range(rows.start, rows.stop):
                self._combination.update(scores[:, t], close[t], self._scorer.regime(values[t - start]))
                score[t], weights[t] = self._combination.score, self._combination.weights
        return SignalHistory(rank(score), volatility, score, scores, weights)

    def snapshot(self) -> FeatureState:
        """Copy what a signal of the same description needs to resume after the last frame."""
        own, cross = self._features.snapshot()
        parts = (
            (_OWN, own.arrays),
            (_CROSS, cross.arrays if cross else {}),
            (_COMBINATION, self._combination.snapshot()),
        )
        arrays = {prefix + name: array for prefix, part in parts for name, array in part.items()}
        return FeatureState(arrays, self._hash, own.last_seq)

    def restore(self, state: FeatureState) -> None:
        """Resume after the last frame of a snapshot; `RecoveryError` where it is of another description."""
        if state.features_hash != self._hash:
            raise RecoveryError(f"state must be of alphas {self._hash[:12]}, was of {state.features_hash[:12]}")
        features = self._features.features
        own, cross, combination = (
            {name.removeprefix(prefix): array for name, array in state.arrays.items() if name.startswith(prefix)}
            for prefix in (_OWN, _CROSS, _COMBINATION)
        )
        states = [FeatureState(arrays, features.hash, state.last_seq) for arrays in (own, cross)]
        self._features.restore(states[0], states[1] if cross else None)
        self._combination.restore(combination)  # type: ignore[arg-type]  # of the types that it gave


def edge_probability(edge: FloatArray) -> FloatArray:
    """Return what sizing reads in the place of probabilities, (..., n_symbols, 3): up less down is the edge.

    They are no probabilities of anything, and are never recorded as such.
    """
    probability = np.zeros((*edge.shape, len(Direction)))
    probability[..., Direction.UP] = 0.5 + 0.5 * edge
    probability[..., Direction.DOWN] = 0.5 - 0.5 * edge
    return probability
