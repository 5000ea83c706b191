"""Points of a sweep: the values that settings and parameters take, and the product of them."""

import json
import math
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from outcry.errors import ConfigurationError

SECTIONS = ("portfolio", "risk", "broker")
"""Sections that change neither data, features nor forecasts: those of a sweep are computed once."""
PARAMETER = "param"
MOST_POINTS = 100_000
RANGE_STEPS = 10_000
"""Of a range without steps: finer than any result can tell, and each value has few digits."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The values that one setting or parameter takes.

    Attributes
    ----------
    key : str
    values : tuple
        In the order given, none of them twice; of a range without steps its two ends.
    is_range : bool
        Whether what lies between the two values belongs to it, in `RANGE_STEPS` steps.
    """

    key: str
    values: tuple[Any, ...]
    is_range: bool = False

    @property
    def n_levels(self) -> int:
        return RANGE_STEPS + 1 if self.is_range else len(self.values)

    def level(self, place: int) -> Any:
        """Return the value at a place, from 0 to ``n_levels - 1``."""
        if not self.is_range:
            return self.values[place]
        first, last = (Decimal(str(value)) for value in self.values)
        return float(first + (last - first) * place / RANGE_STEPS)

    @property
    def section(self) -> str:
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        return self.key.partition(".")[2]


@dataclass(frozen=True)
class SweepGrid:
    """The product of some axes; the last one turns fastest, and a parameter of the strategy slowest.

    Examples
    --------
    >>> grid = SweepGrid((Axis("portfolio.max_positions", (5, 10)), Axis("param.window", (20, 50))))
    >>> grid.n_points, grid.point(1)
    (4, {'portfolio.max_positions': 10, 'param.window': 20})
    """

    axes: tuple[Axis, ...]

    @property
    def n_points(self) -> int:
        return math.prod(axis.n_levels for axis in self.axes)

    @cached_property
    def _turning(self) -> tuple[Axis, ...]:
        """Parameters first: the weights of a strategy are then asked for once for many settings."""
        return tuple(sorted(self.axes, key=lambda axis: axis.section != PARAMETER))

    def point(self, index: int) -> dict[str, Any]:
        """Return the values of a point, by key, in the order of the axes."""
        found: dict[str, Any] = {}
        for axis in reversed(self._turning):
            index, place = divmod(index, axis.n_levels)
            found[axis.key] = axis.level(place)
        return {axis.key: found[axis.key] for axis in self.axes}

    def points(self, n_random: int | None = None, seed: int = 0) -> list[dict[str, Any]]:
        """Return every point, or `n_random` different ones drawn evenly, in the order of the grid.

        Raises
        ------
        ConfigurationError
            For more than `MOST_POINTS`, and for every point of a range without steps.
        """
        n_all = self.n_points
        wanted = n_all if n_random is None else min(n_random, n_all)
        for axis in self.axes:
            if axis.is_range and n_random is None:
                text = f"--grid {axis.key}={axis.values[0]}..{axis.values[1]}"
                raise ConfigurationError(
                    f"{text} must say how many values, as {text.partition('=')[2]}/5, or the step between them, as "
                    f"{text.partition('=')[2]}:STEP, with --search grid"
                )
        if wanted > MOST_POINTS:
            sizes = " x ".join(str(axis.n_levels) for axis in self.axes)
            raise ConfigurationError(
                f"--grid must have at most {MOST_POINTS:,} points, has {sizes} = {n_all:,}; --search random --trials N "
                "draws some"
            )
        if wanted == n_all:
            return [self.point(index) for index in range(n_all)]
        return [self.point(index) for index in sorted(self._draw(wanted, np.random.default_rng(seed)))]

    def _draw(self, n: int, rng: np.random.Generator) -> list[int]:
        if self.n_points <= np.iinfo(np.int64).max:
            drawn: list[int] = rng.choice(self.n_points, size=n, replace=False).tolist()
            return drawn
        found: set[int] = set()  # of so many points that one is hardly ever drawn twice
        while len(found) < n:
            index = 0
            for axis in self._turning:
                index = index * axis.n_levels + int(rng.integers(axis.n_levels))
            found.add(index)
        return list(found)

    def to_json(self) -> dict[str, Any]:
        """Return the axes as plain values."""
        return {
            axis.key: {"first": axis.values[0], "last": axis.values[1]} if axis.is_range else list(axis.values)
            for axis in self.axes
        }


def to_level(value: Any) -> bool | int | float | str | None:
    """Return a value as tables show it: itself, or as JSON text where it is a list."""
    return value if isinstance(value, bool | int | float | str | None) else json.dumps(value, default=str)
