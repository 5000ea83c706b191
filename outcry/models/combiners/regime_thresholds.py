"""Weights for each regime, told by thresholds on features.

The columns are trailing themselves, so the thresholds roll: ``tech_hv_20_percentile`` is the share of the last 252
values below this one. ``stat_volatility_20_252_ensemble`` with thresholds 0.5, 1.5 and 2.5 takes the four regimes of
`outcry.features.regimes.EnsembleRegime` as they are.
"""

from itertools import pairwise
from math import prod
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from outcry.config import FrozenConfig
from outcry.market.frame import FloatArray, IntArray
from outcry.models.combiners.combiner import Combiner, Finite, WeightedSpec, Weights, check_sum


class RegimeAxis(FrozenConfig):
    """A column of the feature set, and the ascending values that cut it into intervals; each begins with its value."""

    feature: str
    thresholds: Annotated[tuple[Finite, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if any(low >= high for low, high in pairwise(self.thresholds)):
            raise ValueError(f"thresholds of {self.feature} must increase, were {self.thresholds}")
        return self


Axes = Annotated[tuple[RegimeAxis, ...], Field(min_length=1)]


class RegimeThresholdsSpec(WeightedSpec):
    """``regime_weights_frac`` has a row a regime, the last axis fastest; ``weights_frac`` is for rows without one.

    A row has no regime where one of the features is not known.
    """

    kind: Literal["regime_thresholds"] = "regime_thresholds"
    axes: Axes
    regime_weights_frac: tuple[Weights, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(axis.feature for axis in self.axes)

    @model_validator(mode="after")
    def _check_regimes(self) -> Self:
        n_regimes = prod(len(axis.thresholds) + 1 for axis in self.axes)
        if len(self.regime_weights_frac) != n_regimes:
            raise ValueError(f"regime_weights_frac must have {n_regimes} regimes, had {len(self.regime_weights_frac)}")
        for regime, weights_frac in enumerate(self.regime_weights_frac):
            if len(weights_frac) != self.n_members:
                raise ValueError(f"regime {regime} must weigh {self.n_members} members, weighed {len(weights_frac)}")
            check_sum(f"weights of regime {regime}", weights_frac)
        return self


class RegimeThresholds(Combiner):
    """Average by the weights of the regime of each row."""

    spec_type = RegimeThresholdsSpec

    def __init__(self, spec: RegimeThresholdsSpec) -> None:
        from outcry.models.kernels.votes import compile_weigh  # noqa: PLC0415 - see Combiner

        super().__init__(spec)
        self._weigh = compile_weigh()
        self._find_regime = RegimeFinder(spec.axes)
        self._weights_frac = np.array([*spec.regime_weights_frac, spec.weights_frac])

    def _combine(self, probability: FloatArray, rows: FloatArray, columns: IntArray, out: FloatArray) -> None:
        self._weigh(probability, self._weights_frac, self._find_regime(rows, columns), out)


class RegimeFinder:
    """Number the regime of rows, in training and later.

    Parameters
    ----------
    axes : tuple of RegimeAxis
    """

    def __init__(self, axes: tuple[RegimeAxis, ...]) -> None:
        from outcry.models.kernels.regimes import compile_find_regime  # noqa: PLC0415 - see Combiner

        self._find_regime = compile_find_regime()
        self._n_thresholds = np.array([len(axis.thresholds) for axis in axes])
        self._thresholds = np.full((len(axes), self._n_thresholds.max()), np.inf)
        for row, axis in zip(self._thresholds, axes, strict=True):
            row[: len(axis.thresholds)] = axis.thresholds

    @property
    def n_regimes(self) -> int:
        return int(np.prod(self._n_thresholds + 1))

    def __call__(self, rows: FloatArray, columns: IntArray) -> IntArray:
        """Return int64 (n_rows,); `n_regimes` where a feature is not known."""
        regime = np.empty(len(rows), dtype=np.int64)
        self._find_regime(rows, columns, self._thresholds, self._n_thresholds, regime)
        return regime
