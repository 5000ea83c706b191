"""One answer out of those for several horizons."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from outcry.market.frame import FloatArray, IntArray
from outcry.models.combiners.combiner import Combiner, WeightedSpec

Horizons = Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1)]


class MultiHorizonSpec(WeightedSpec):
    """How far ahead each member looks, and what it weighs.

    ``min_agreement_frac`` is here the least part of the weights that must lean to the side of the answer, up or down:
    over a longer horizon the neutral class is as wide or wider, so members may agree on a side and not on a class.
    """

    kind: Literal["multi_horizon"] = "multi_horizon"
    horizons_bars: Horizons

    @model_validator(mode="after")
    def _check_horizons(self) -> Self:
        if len(set(self.horizons_bars)) != self.n_members or len(self.horizons_bars) != self.n_members:
            raise ValueError(f"horizons_bars must be {self.n_members} different ones, were {self.horizons_bars}")
        return self


class MultiHorizon(Combiner):
    """Average the forecasts of several horizons by weight; one that is missing leaves its weight to the others."""

    spec_type = MultiHorizonSpec

    def __init__(self, spec: MultiHorizonSpec) -> None:
        from outcry.models.kernels.votes import compile_hold_back_edge, compile_weigh  # noqa: PLC0415 - see Combiner

        super().__init__(spec)
        self._weigh = compile_weigh()
        self._hold_back_edge = compile_hold_back_edge()
        self._weights_frac = np.array([spec.weights_frac])

    def _combine(self, probability: FloatArray, rows: FloatArray, columns: IntArray, out: FloatArray) -> None:
        self._weigh(probability, self._weights_frac, np.zeros(len(out), dtype=np.int64), out)

    def _hold(self, probability: FloatArray, out: FloatArray) -> None:
        if self._spec.min_agreement_frac > 0.0:
            self._hold_back_edge(probability, self._weights_frac[0], self._spec.min_agreement_frac, out)
