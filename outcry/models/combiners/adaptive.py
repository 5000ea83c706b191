"""Weights that follow how well the members did of late."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray, IntArray
from outcry.models.combiners.combiner import Fraction
from outcry.models.combiners.online import Arrays
from outcry.models.combiners.outcomes import OutcomesCombiner, OutcomesSpec


class AdaptiveSpec(OutcomesSpec):
    """By which ``score`` members are judged, and how hard.

    ``log_score`` adds up ``ln p_label``, the mean over symbols of each frame, older frames by less; ``sharpe`` is mean
    over deviation of ``(p_up - p_down) sign``, a frame, with sign 1, 0, -1 for up, neutral, down. A member that leads
    by ``temperature`` weighs e times as much, and none of those with a weight falls below ``min_weight_frac``.
    """

    kind: Literal["adaptive"] = "adaptive"
    score: Literal["log_score", "sharpe"] = "log_score"
    temperature: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 1.0
    min_weight_frac: Fraction = 0.05

    @model_validator(mode="after")
    def _check_floor(self) -> Self:
        n_weighed = sum(weight_frac > 0.0 for weight_frac in self.weights_frac)
        if n_weighed * self.min_weight_frac > 1.0:
            raise ValueError(f"min_weight_frac must be at most 1/{n_weighed}, was {self.min_weight_frac}")
        return self


class Adaptive(OutcomesCombiner):
    """Weigh by ``w_k = f + (1 - n f) p_k exp(s_k / T) / sum_j p_j exp(s_j / T)`` of the decayed score ``s_k``.

    References
    ----------
    Cesa-Bianchi & Lugosi, "Prediction, Learning, and Games", 2006, sections 2.2 (exponentially weighted average), 2.11
    (discounted regret) and 5.2 (a share for all, so that the best may change).
    """

    spec_type = AdaptiveSpec

    def __init__(self, spec: AdaptiveSpec) -> None:
        from outcry.models.kernels.performance import compile_decay_scores, compile_share_weights  # noqa: PLC0415

        self._temperature, self._min_weight_frac = spec.temperature, spec.min_weight_frac
        self._is_sharpe = spec.score == "sharpe"
        self._decay_scores, self._share_weights = compile_decay_scores(), compile_share_weights()
        super().__init__(spec)

    def _begin(self, n_symbols: int) -> Arrays:
        return super()._begin(n_symbols) | {"memory": np.zeros((4, len(self._start_weights_frac)))}

    def _advance(
        self, first_seq: int, probability: FloatArray, settled: LabelArray, rows: FloatArray, columns: IntArray
    ) -> FloatArray:
        from outcry.models.kernels.performance import LOG_SCORE, MEAN, SKILL, TOTAL, VARIANCE  # noqa: PLC0415

        scores = self._score(first_seq, probability, settled)[:, SKILL if self._is_sharpe else LOG_SCORE].copy()
        remembered = np.empty((len(scores), 4, scores.shape[1]))
        self._decay_scores(scores, self._keep_frac, self._arrays["memory"], remembered)
        judged = remembered[:, TOTAL].copy()
        if self._is_sharpe:
            deviation = np.sqrt(remembered[:, VARIANCE])
            judged = np.divide(remembered[:, MEAN], deviation, out=np.zeros_like(judged), where=deviation > 0.0)
        weights_frac = np.empty_like(judged)
        self._share_weights(judged, self._start_weights_frac, self._temperature, self._min_weight_frac, weights_frac)
        return weights_frac[:, np.newaxis]
