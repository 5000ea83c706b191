"""A vote for one class each."""

from typing import Literal

import numpy as np

from outcry.market.frame import FloatArray, IntArray
from outcry.models.combiners.combiner import Combiner, WeightedSpec


class HardVoteSpec(WeightedSpec):
    """What each vote weighs."""

    kind: Literal["hard_vote"] = "hard_vote"


class HardVote(Combiner):
    """Give each class the share of the votes for it; a member votes for what it holds most likely, and splits a tie."""

    spec_type = HardVoteSpec

    def __init__(self, spec: HardVoteSpec) -> None:
        from outcry.models.kernels.votes import compile_count_votes  # noqa: PLC0415 - see Combiner

        super().__init__(spec)
        self._count_votes = compile_count_votes()
        self._weights_frac = np.array(spec.weights_frac)

    def _combine(self, probability: FloatArray, rows: FloatArray, columns: IntArray, out: FloatArray) -> None:
        self._count_votes(probability, self._weights_frac, out)
