"""A model over the members: it has learnt, from what they said out of fold, whom to believe and how far."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from outcry.config import FrozenConfig
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.combiners.combiner import Combiner, CombinerSpec, Finite

Coefficients = Annotated[tuple[Finite, ...], Field(min_length=2)]


class StackingFeature(FrozenConfig):
    """A column of the feature set, and the mean and the deviation that it is measured by."""

    name: str
    mean: Finite
    deviation: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class StackingSpec(CombinerSpec):
    """A linear model of each class, in the order of `Direction`.

    ``coefficients`` has two columns a member (``ln p_up / p_neutral``, ``ln p_down / p_neutral``) and one a feature.
    The ``link`` of a logistic model is ``softmax``; of one fitted to the indicators of the classes, as ridge is, it is
    ``clip``: what is below 1e-6 becomes that, and the three are divided by their sum.
    """

    kind: Literal["stacking"] = "stacking"
    link: Literal["softmax", "clip"]
    intercepts: tuple[Finite, Finite, Finite]
    coefficients: tuple[Coefficients, Coefficients, Coefficients]
    features: tuple[StackingFeature, ...] = ()

    @property
    def n_members(self) -> int:
        return (len(self.coefficients[0]) - len(self.features)) // 2

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    @model_validator(mode="after")
    def _check_columns(self) -> Self:
        counts = {len(row) for row in self.coefficients}
        n_of_members = len(self.coefficients[0]) - len(self.features)
        if len(counts) != 1 or n_of_members < 2 or n_of_members % 2:
            raise ValueError(
                f"coefficients must have two columns a member and one for each of {len(self.features)} features in"
                f" every class, had {', '.join(str(len(row)) for row in self.coefficients)}"
            )
        return self


class Stacking(Combiner):
    """Apply a linear model to the logarithms of the odds of the members, and to features."""

    spec_type = StackingSpec

    def __init__(self, spec: StackingSpec) -> None:
        from outcry.models.kernels.stacking import compile_answer  # noqa: PLC0415 - see Combiner

        super().__init__(spec)
        self._answer = compile_answer()
        self._inputs = StackingInputs(spec.features)
        self._coefficients, self._intercepts = np.array(spec.coefficients), np.array(spec.intercepts)
        self._is_softmax = spec.link == "softmax"

    def _combine(self, probability: FloatArray, rows: FloatArray, columns: IntArray, out: FloatArray) -> None:
        inputs = self._inputs.read(probability, rows, columns)
        self._answer(inputs, self._coefficients, self._intercepts, self._is_softmax, out)


class StackingInputs:
    """What the model sees, in training and later.

    Parameters
    ----------
    features : tuple of StackingFeature
    """

    def __init__(self, features: tuple[StackingFeature, ...]) -> None:
        from outcry.models.kernels.stacking import compile_read_inputs  # noqa: PLC0415 - see Combiner

        self._read = compile_read_inputs()
        self._spread = np.array([(feature.mean, feature.deviation) for feature in features]).reshape(-1, 2)

    def read(self, probability: FloatArray, rows: FloatArray, columns: IntArray) -> FloatArray:
        """Return float64 (n_rows, 2 n_members + n_features); see `outcry.models.kernels.stacking.read_inputs`."""
        n_members, n_rows, _ = probability.shape
        inputs = np.empty((n_rows, (len(Direction) - 1) * n_members + len(columns)))
        self._read(probability, rows, columns, self._spread, inputs)
        return inputs
