"""From what the members say of a frame to its forecast, where that rests on what became of earlier frames."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from outcry.errors import PredictionError
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import CoverageReport, Direction, ReasonArray
from outcry.models.calibration import Calibration
from outcry.models.combiners import Combiner, CombinerState, OnlineCombiner, parse_combiner
from outcry.models.combiners.combiner import WeightedSpec
from outcry.models.manifest import LabelSpec
from outcry.models.uncertainty.prediction_sets import PredictionSets

if TYPE_CHECKING:
    from outcry.models.uncertainty.abstention import Abstention
    from outcry.models.uncertainty.spread import Spread

State = dict[str, NDArray[Any]]
Decided = tuple[FloatArray, ReasonArray | None]
"""Probabilities, and why a forecast asks for no new risk; None where nothing is withheld."""
BuildAbstention = Callable[[PredictionSets | None, LabelSpec, int], "Abstention | None"]
"""From the sets of a bundle, if it has any, its label and the number of symbols to what judges its forecasts."""


@dataclass(frozen=True, slots=True)
class DecisionSpec:
    """How a bundle makes a forecast of what its members say: enough to do so away from it.

    Attributes
    ----------
    combiner, calibration, conformal : bytes
        The files of these names; the last is None where there are no prediction sets.
    label : LabelSpec
    learns : bool
        The combiner moves its weights with the frames.
    """

    combiner: bytes
    calibration: bytes
    conformal: bytes | None
    label: LabelSpec
    learns: bool

    def build(
        self, n_symbols: int, feature_names: tuple[str, ...], build_abstention: BuildAbstention | None = None
    ) -> "Decisions | None":
        """Return what decides before its first frame; None where what the bundle itself answers is all there is to it.

        Parameters
        ----------
        n_symbols : int
        feature_names : tuple of str
            Of the columns of the frames.
        build_abstention : callable, optional
            Absent where nobody asks whether a forecast abstains.
        """
        abstention = None
        if build_abstention is not None:
            sets = None if self.conformal is None else PredictionSets.from_json(self.conformal)
            abstention = build_abstention(sets, self.label, n_symbols)
        if not self.learns and abstention is None:
            return None
        combiner = parse_combiner(self.combiner)
        columns = np.array([feature_names.index(name) for name in combiner.feature_names], dtype=np.int64)
        calibration = Calibration.from_json(self.calibration)
        return Decisions(combiner, calibration, self.label, n_symbols, columns, abstention)


class Decisions:
    """Forecast frame after frame from what members say, and learn from the closes what became of earlier ones.

    Parameters
    ----------
    combiner : Combiner
        Its own: nobody else may have it learn.
    calibration : Calibration
    label : LabelSpec
        What the outcomes are of.
    n_symbols : int
    columns : int64 (n_features,)
        Where the features that the combiner reads stand in the frames.
    abstention : Abstention, optional
        Judges the forecasts.

    Notes
    -----
    A deterministic function of the frames since the first: a desk, a backtest and a replay get the same bits, one frame
    at a time or many. An outcome is known `horizon_bars` after its frame, the first of them once the band of the label
    is. A frame of which the members say nothing is fed with NaN: it has its place, and its close counts.
    """

    def __init__(  # noqa: PLR0917 - the parts of a bundle
        self,
        combiner: Combiner,
        calibration: Calibration,
        label: LabelSpec,
        n_symbols: int,
        columns: IntArray,
        abstention: "Abstention | None" = None,
    ) -> None:
        from outcry.labels.outcomes import DirectionOutcomes  # noqa: PLC0415 - Numba, which few who read a bundle need

        self._combiner = combiner
        self._calibration = calibration
        self._outcomes = DirectionOutcomes(
            n_symbols, label.horizon_bars, label.band_value, label.volatility_window_bars
        )
        self._columns = columns
        self._abstention = abstention
        self._n_frames = 0

    @property
    def n_members(self) -> int:
        """How many say something; as many are asked."""
        return self._combiner.spec.n_members or 1

    @property
    def abstention(self) -> "Abstention | None":
        """What judges the forecasts."""
        return self._abstention

    @property
    def coverage(self) -> CoverageReport | None:
        """What the last frames say of the coverage of prediction sets; None without, or while they are too few."""
        return None if self._abstention is None else self._abstention.coverage

    def update(self, said: FloatArray, values: FloatArray, close: FloatArray) -> Decided:
        """Take a frame, and return its forecast, float64 (n_symbols, 3), and int8 (n_symbols,) or None: it abstains.

        Parameters
        ----------
        said : float64 (n_members, n_symbols, 3)
            What the members say; NaN rows where they do not.
        values : float64 (n_symbols, n_features)
            Features of the frame; none infinite among those that the combiner reads.
        close : float64 (n_symbols,)
            As if no share had ever been split; NaN where a symbol has no bar.

        Raises
        ------
        PredictionError
            Where a shape is another.
        """
        probability, abstain = self.replay(said[:, np.newaxis], values[np.newaxis], close[np.newaxis])
        return probability[0], None if abstain is None else abstain[0]

    def replay(self, said: FloatArray, values: FloatArray, close: FloatArray) -> Decided:
        """Take many frames; return what `update` gives, with a first axis of frames.

        Parameters
        ----------
        said : float64 (n_members, n_frames, n_symbols, 3)
        values : float64 (n_frames, n_symbols, n_features)
        close : float64 (n_frames, n_symbols)
        """
        if close.shape != said.shape[1:3]:
            raise PredictionError(f"close must have shape {said.shape[1:3]}, was {close.shape}")
        settled = self._outcomes.replay(close)
        combiner, shape = self._combiner, said.shape[1:]
        if isinstance(combiner, OnlineCombiner):
            combined = combiner.replay(self._n_frames, said, settled, values, self._columns)
        else:
            rows = values.reshape(values.shape[0] * values.shape[1], values.shape[2])
            combined = combiner.combine(said.reshape(len(said), -1, len(Direction)), rows, self._columns)
        self._n_frames += len(close)
        probability = self._calibration.apply(combined.reshape(-1, len(Direction))).reshape(shape)
        if self._abstention is None:
            return probability, None
        return probability, self._abstention.replay(probability, settled, self._spread(said))

    def _spread(self, said: FloatArray) -> "Spread | None":
        """Measure how far the members are apart that are heard, by the weights they begin with, where that counts."""
        from outcry.models.uncertainty.spread import measure_spread  # noqa: PLC0415 - as above

        if self._abstention is None or not self._abstention.rule.wants_spread:
            return None
        spec = self._combiner.spec
        weights_frac = np.full(len(said), 1.0 / len(said))
        if isinstance(spec, WeightedSpec):
            weights_frac = np.array(spec.weights_frac)
        heard = np.array(spec.heard or (True,) * len(said))
        rows = said[heard].reshape(int(heard.sum()), -1, len(Direction))
        return measure_spread(rows, weights_frac[heard] / weights_frac[heard].sum())

    def skip(self, close: FloatArray, n_features: int) -> Decided:
        """Take a frame of which nothing is said, of so many columns; return its forecast, which is NaN."""
        nothing = np.full((self.n_members, len(close), len(Direction)), np.nan)
        return self.update(nothing, np.full((len(close), n_features), np.nan), close)

    def snapshot(self) -> State:
        """Return the state after the last frame, as arrays."""
        state: State = {f"outcomes_{name}": array for name, array in self._outcomes.snapshot().items()}
        state["n_frames"] = np.array([self._n_frames])
        if self._abstention is not None:
            state |= {f"abstention_{name}": array for name, array in self._abstention.snapshot().items()}
        if isinstance(self._combiner, OnlineCombiner) and self._n_frames:
            found = self._combiner.snapshot()
            state |= {f"combiner_{name}": array for name, array in found.arrays.items()}
            state["combiner_hash"] = np.array(found.combiner_hash)
        return state

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Resume after the last frame before the snapshot; `RecoveryError` where another combiner made it."""
        self._n_frames = int(state["n_frames"][0])
        self._outcomes.restore(_part(state, "outcomes_"))
        if self._abstention is not None:
            self._abstention.restore(_part(state, "abstention_"))
        if isinstance(self._combiner, OnlineCombiner) and self._n_frames:
            arrays = _part(state, "combiner_")
            combiner_hash = str(arrays.pop("hash"))
            n_symbols = state["outcomes_closes"].shape[1]
            self._combiner.restore(CombinerState(arrays, combiner_hash, n_symbols, self._n_frames - 1))


def _part(state: Mapping[str, NDArray[Any]], prefix: str) -> State:
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
