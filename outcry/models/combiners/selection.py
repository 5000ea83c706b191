"""The one member that did best of late."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray, IntArray
from outcry.models.combiners.online import Arrays
from outcry.models.combiners.outcomes import OutcomesCombiner, OutcomesSpec


class SelectionSpec(OutcomesSpec):
    """Another member takes over when it leads by more than ``min_lead_nats``, decayed mean of ``ln p_label`` a frame.

    Until then the members weigh ``weights_frac``.
    """

    kind: Literal["selection"] = "selection"
    min_lead_nats: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = 0.0


class Selection(OutcomesCombiner):
    """Follow the member with the best recent log score, among those with a weight to begin with."""

    spec_type = SelectionSpec

    def __init__(self, spec: SelectionSpec) -> None:
        from outcry.models.kernels.performance import compile_decay_scores  # noqa: PLC0415 - see Combiner

        self._min_lead_nats = spec.min_lead_nats
        self._decay_scores = compile_decay_scores()
        super().__init__(spec)

    def _begin(self, n_symbols: int) -> Arrays:
        n_members = len(self._start_weights_frac)
        return super()._begin(n_symbols) | {"memory": np.zeros((4, n_members)), "followed": np.array([-1.0])}

    def _advance(
        self, first_seq: int, probability: FloatArray, settled: LabelArray, rows: FloatArray, columns: IntArray
    ) -> FloatArray:
        from outcry.models.kernels.performance import LOG_SCORE, MEAN, N_FRAMES  # noqa: PLC0415 - see Combiner

        scores = self._score(first_seq, probability, settled)[:, LOG_SCORE].copy()
        remembered = np.empty((len(scores), 4, scores.shape[1]))
        self._decay_scores(scores, self._keep_frac, self._arrays["memory"], remembered)
        weights_frac = np.tile(self._start_weights_frac, (len(scores), 1))
        followed = int(self._arrays["followed"][0])
        means = np.where(self._start_weights_frac > 0.0, remembered[:, MEAN], -np.inf)
        for t, mean in enumerate(means):
            if remembered[t, N_FRAMES, 0] > 0.0:
                best = int(mean.argmax())
                if followed < 0 or mean[best] > mean[followed] + self._min_lead_nats:
                    followed = best
                weights_frac[t] = 0.0
                weights_frac[t, followed] = 1.0
        self._arrays["followed"][0] = followed
        return weights_frac[:, np.newaxis]
