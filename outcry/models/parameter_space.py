"""Where a search looks for the parameters of a family."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from outcry.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Span:
    """Every number from `low` to `high`, both included.

    Attributes
    ----------
    low, high : float
    is_log : bool
        Whether ratios of the number matter, rather than differences.
    is_integer : bool
    """

    low: float
    high: float
    is_log: bool = False
    is_integer: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ConfigurationError(f"a range must go from a number to a larger one, was {self.low}..{self.high}")
        if self.is_log and self.low <= 0.0:
            raise ConfigurationError(f"a logarithmic range must begin above 0, was {self.low}..{self.high}")
        if self.is_integer and not (float(self.low).is_integer() and float(self.high).is_integer()):
            raise ConfigurationError(f"a range of integers must end with integers, was {self.low}..{self.high}")

    def draw(self, rng: np.random.Generator) -> float | int:
        """Return a value drawn evenly."""
        low, high = (math.log(self.low), math.log(self.high)) if self.is_log else (self.low, self.high)
        value = float(rng.uniform(low, high))
        value = min(max(math.exp(value) if self.is_log else value, self.low), self.high)
        return round(value) if self.is_integer else value


@dataclass(frozen=True, slots=True)
class Choices:
    """One of a few values without an order."""

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if len(self.values) < 2 or len(set(map(repr, self.values))) < len(self.values):
            raise ConfigurationError(f"choices must be two different values or more, were {list(self.values)}")

    def draw(self, rng: np.random.Generator) -> Any:
        """Return one, each as likely as any other."""
        return self.values[int(rng.integers(len(self.values)))]


ParameterSpace = Mapping[str, Span | Choices]
"""By the name of a field of the family's parameters; what is not named keeps its default."""


@runtime_checkable
class Searchable(Protocol):
    """A family that says where good parameters may be."""

    @property
    def search_spaces(self) -> Mapping[str, ParameterSpace]:
        """By name: ``narrow`` is the usual one, ``wide`` what is left where a family has more."""
        ...
