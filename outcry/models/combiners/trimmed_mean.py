"""The mean, the trimmed mean and the median of what the members say."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from outcry.market.frame import FloatArray, IntArray
from outcry.models.combiners.combiner import Combiner, CombinerSpec


class TrimmedMeanSpec(CombinerSpec):
    """How much of the members is left out at either end: nothing for the mean, a half for the median."""

    kind: Literal["trimmed_mean"] = "trimmed_mean"
    trim_frac: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0


class TrimmedMean(Combiner):
    """Average the middle of the members, class by class, and divide by the sum of the classes."""

    spec_type = TrimmedMeanSpec

    def __init__(self, spec: TrimmedMeanSpec) -> None:
        from outcry.models.kernels.votes import compile_average_middle  # noqa: PLC0415 - see Combiner

        super().__init__(spec)
        self._trim_frac = spec.trim_frac
        self._average_middle = compile_average_middle()

    def _combine(self, probability: FloatArray, rows: FloatArray, columns: IntArray, out: FloatArray) -> None:
        self._average_middle(probability, self._trim_frac, np.empty(len(probability)), out)
