"""The mean of what the members say, by weight; each class by weights of its own, where there are any."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from outcry.market.frame import FloatArray, IntArray
from outcry.models.combiners.combiner import Combiner, Fraction, WeightedSpec, check_sum

ClassWeights = tuple[Fraction, Fraction, Fraction]


class SoftVoteSpec(WeightedSpec):
    """Weights of the members. With ``class_weights_frac``, one a member and class, these count instead."""

    kind: Literal["soft_vote"] = "soft_vote"
    class_weights_frac: Annotated[tuple[ClassWeights, ...], Field(min_length=1)] | None = None

    @property
    def heard(self) -> tuple[bool, ...] | None:
        if self.min_agreement_frac > 0.0:
            return None  # a member without a weight counts among those who agree
        if self.class_weights_frac is not None:
            return tuple(any(weights) for weights in self.class_weights_frac)
        return tuple(weight_frac > 0.0 for weight_frac in self.weights_frac)

    @model_validator(mode="after")
    def _check_class_weights(self) -> Self:
        if self.class_weights_frac is not None:
            if len(self.class_weights_frac) != self.n_members:
                raise ValueError(
                    f"class_weights_frac must be of {self.n_members} members, was of {len(self.class_weights_frac)}"
                )
            for of_class in zip(*self.class_weights_frac, strict=True):
                check_sum("class_weights_frac of a class", of_class)
        return self


class SoftVote(Combiner):
    """Average by weight: ``p_c = sum_k w_k p_kc``, or with weights of its own ``p_c ∝ sum_k w_kc p_kc``."""

    spec_type = SoftVoteSpec

    def __init__(self, spec: SoftVoteSpec) -> None:
        from outcry.models.kernels.votes import compile_weigh, compile_weigh_classes  # noqa: PLC0415 - see Combiner

        super().__init__(spec)
        self._weigh = compile_weigh()
        self._weights_frac = np.array([spec.weights_frac])
        self._class_weights_frac = None
        if spec.class_weights_frac is not None:
            self._class_weights_frac = np.array(spec.class_weights_frac)
            self._weigh_classes = compile_weigh_classes()

    def _combine(self, probability: FloatArray, rows: FloatArray, columns: IntArray, out: FloatArray) -> None:
        if self._class_weights_frac is not None:
            self._weigh_classes(probability, self._class_weights_frac, out)
        else:
            self._weigh(probability, self._weights_frac, np.zeros(len(out), dtype=np.int64), out)
