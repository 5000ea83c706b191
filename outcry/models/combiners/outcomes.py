"""How an online combiner gets to know how well its members did."""

from typing import Annotated

import numpy as np
from pydantic import Field

from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.combiners.combiner import WeightedSpec
from outcry.models.combiners.online import Arrays, OnlineCombiner

HalfLife = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class OutcomesSpec(WeightedSpec):
    """What a combiner that learns from outcomes needs.

    ``weights_frac`` are the weights before anything is known; a member without one stays without. The outcome of a
    frame is known ``horizon_bars`` later, and counts half after ``half_life_bars`` further outcomes.
    """

    horizon_bars: int = Field(gt=0)
    half_life_bars: HalfLife = 63.0

    @property
    def keep_frac(self) -> float:
        """What a frame keeps of the outcomes before it."""
        return float(0.5 ** (1.0 / self.half_life_bars))


class OutcomesCombiner(OnlineCombiner):
    """Keep what members said for `horizon_bars` frames, and score it by the outcome."""

    def __init__(self, spec: OutcomesSpec) -> None:
        from outcry.models.kernels.performance import compile_score_frames  # noqa: PLC0415 - see Combiner

        self._horizon_bars, self._keep_frac = spec.horizon_bars, spec.keep_frac
        self._start_weights_frac = np.array(spec.weights_frac)
        self._score_frames = compile_score_frames()
        super().__init__(spec)

    def _first_weights(self) -> FloatArray:
        return self._start_weights_frac[np.newaxis].copy()

    def _begin(self, n_symbols: int) -> Arrays:
        shape = (self._horizon_bars, len(self._start_weights_frac), n_symbols, len(Direction))
        return {"said": np.full(shape, np.nan)}

    def _score(self, first_seq: int, probability: FloatArray, settled: LabelArray) -> FloatArray:
        """Return float64 (n_frames, 3, n_members); see `outcry.models.kernels.performance.score_frames`."""
        n_members, n_frames = probability.shape[:2]
        scores = np.empty((n_frames, 3, n_members))
        self._score_frames(probability, settled, first_seq % self._horizon_bars, self._arrays["said"], scores)
        return scores
