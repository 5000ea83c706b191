"""What every combiner is: a function of what the members say of a row, and JSON."""

import json
from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from outcry.config import FrozenConfig
from outcry.errors import PredictionError
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction

Finite = Annotated[float, Field(allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Weights = Annotated[tuple[Fraction, ...], Field(min_length=1)]
"""One a member, summing to 1."""

_SUM_TOLERANCE = 1e-9


class CombinerSpec(FrozenConfig):
    """What a combiner is made of: the fields of its JSON.

    Where ``min_agreement_frac`` is positive, and less than this part of the members hold most likely what the answer
    does, the answer is an even split.
    """

    kind: str
    min_agreement_frac: Fraction = 0.0

    @property
    def n_members(self) -> int | None:
        """How many members there are; None where any number will do."""
        return None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns of the feature set that it reads besides; none, for most kinds."""
        return ()

    @property
    def heard(self) -> tuple[bool, ...] | None:
        """Which members can make a difference to an answer, whatever comes; None where all of them can."""
        return None


class WeightedSpec(CombinerSpec):
    """The fields of a kind with a weight a member."""

    weights_frac: Weights

    @property
    def n_members(self) -> int:
        return len(self.weights_frac)

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        check_sum("weights_frac", self.weights_frac)
        return self


class Combiner(ABC):
    """Make one probability of each class out of those of the members.

    Parameters
    ----------
    spec : CombinerSpec
        Of the type that `spec_type` names.

    Notes
    -----
    A row gets the same bits whatever rows stand beside it. A member with a NaN has no voice in that row: those who vote
    and average do without it, a model over the members answers NaN.
    """

    spec_type: ClassVar[type[CombinerSpec]]

    def __init__(self, spec: CombinerSpec) -> None:
        from outcry.models.kernels.votes import compile_hold_back  # noqa: PLC0415 - half a second, to load only

        self._spec = spec
        self._hold_back = compile_hold_back()

    @property
    def spec(self) -> CombinerSpec:
        return self._spec

    @property
    def kind(self) -> str:
        return self._spec.kind

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns of the feature set that it reads besides what the members say."""
        return self._spec.feature_names

    def combine(self, probability: FloatArray, rows: FloatArray, columns: IntArray) -> FloatArray:
        """Return float64 (n_rows, 3), columns in the order of `Direction`; rows sum to 1 or are NaN.

        Parameters
        ----------
        probability : float64 (n_members, n_rows, 3)
            What each member says.
        rows : float64 (n_rows, n_wide)
            Features. A combiner without `feature_names` does not look at them.
        columns : int64 (n_features,)
            Where `feature_names` stand in `rows`.

        Raises
        ------
        PredictionError
            Where a shape is another.
        """
        probability = np.ascontiguousarray(probability, dtype=np.float64)
        self._check_members(probability.shape, 3)
        rows = self._check_features(rows, columns, probability.shape[1:2])
        out = np.empty(probability.shape[1:])
        self._combine(probability, rows, columns, out)
        self._hold(probability, out)
        return out

    def to_json(self) -> bytes:
        """Return what `outcry.models.combiners.registry.parse_combiner` reads."""
        content: dict[str, Any] = self._spec.model_dump(mode="json")
        return (json.dumps(content, indent=1) + "\n").encode()

    @abstractmethod
    def _combine(self, probability: FloatArray, rows: FloatArray, columns: IntArray, out: FloatArray) -> None:
        """Write the answers into `out`; shapes are checked."""

    def _hold(self, probability: FloatArray, out: FloatArray) -> None:
        """Overwrite the answers that too few members support."""
        if self._spec.min_agreement_frac > 0.0:
            self._hold_back(probability, self._spec.min_agreement_frac, out)

    def _check_members(self, shape: tuple[int, ...], n_dims: int) -> None:
        n_members = self._spec.n_members or max(shape[0], 1)
        if len(shape) != n_dims or shape[0] != n_members or shape[-1] != len(Direction):
            of_rows = "n_rows" if n_dims == 3 else "n_frames, n_symbols"
            raise PredictionError(f"probability must have shape ({n_members}, {of_rows}, 3), was {shape}")

    def _check_features(self, rows: FloatArray, columns: IntArray, shape: tuple[int, ...]) -> FloatArray:
        """Return the rows, contiguous; those that nobody looks at are empty."""
        n_features = len(self.feature_names)
        if not n_features:
            return np.empty((*shape, 0))
        if rows.shape[:-1] != shape:
            raise PredictionError(f"rows must have shape {shape} of features, was {rows.shape}")
        if columns.shape != (n_features,) or not np.all((columns >= 0) & (columns < rows.shape[-1])):
            raise PredictionError(f"columns must be {n_features} of rows of shape {rows.shape}, were {columns}")
        return np.ascontiguousarray(rows, dtype=np.float64)


def check_sum(name: str, weights_frac: tuple[float, ...]) -> None:
    """Raise `ValueError` where weights do not sum to 1."""
    if abs(sum(weights_frac) - 1.0) > _SUM_TOLERANCE:
        raise ValueError(f"{name} must sum to 1, summed to {sum(weights_frac)}")
