"""What a sweep asks a search: the next points, until there are none; a search is told what came of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from configs.grid import SweepGrid
from outcry.market.frame import FloatArray, IntArray
from training.search.space import SearchSpace

Point = dict[str, Any]


class Search(Protocol):
    """Ask for points and tell their values in turn; the same values give the same points.

    Attributes
    ----------
    grid : SweepGrid
    is_adaptive : bool
        Whether points depend on the values of those before them.
    n_points : int
        That are asked for in all.
    """

    grid: SweepGrid
    is_adaptive: bool
    n_points: int

    def ask(self) -> list[Point]:
        """Return the next points; none at the end."""

    def tell(self, values: FloatArray) -> None:
        """Take the values of the points last asked for, float64 (n,), more is better, NaN where one failed."""

    def probes(self) -> Sequence[Point]:
        """Return points, or parts of points, that show what all of them read of the market."""

    def to_json(self) -> dict[str, Any]:
        """Return what decides the points, beside the grid and the values, as plain values."""


class ListedSearch:
    """Points known beforehand, asked for at once: a grid, or a draw from it."""

    is_adaptive = False

    def __init__(self, grid: SweepGrid, points: Sequence[Point], description: dict[str, Any]) -> None:
        self.grid = grid
        self.n_points = len(points)
        self._points = list(points)
        self._is_asked = False
        self._description = description

    def ask(self) -> list[Point]:
        if self._is_asked:
            return []
        self._is_asked = True
        return self._points

    def tell(self, values: FloatArray) -> None:
        """Pass over them."""

    def probes(self) -> list[Point]:
        return self._points

    def to_json(self) -> dict[str, Any]:
        return self._description


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A batch that was traded.

    Attributes
    ----------
    levels : int64 (n, n_axes)
    values : float64 (n,)
        More is better; NaN where a trial failed.
    """

    levels: IntArray
    values: FloatArray


class Proposer(Protocol):
    """Propose the next batch, as a function of the batches before it and of nothing else."""

    def propose(self, space: SearchSpace, told: Sequence[Told]) -> IntArray:
        """Return points that are in no batch yet, int64 (n, n_axes); fewer than usual where no more are left."""

    def to_json(self) -> dict[str, Any]:
        """Return the settings that decide the proposals."""


class AdaptiveSearch:
    """Points proposed batch by batch from the values of the batches before.

    More points of the same search begin with the same points.

    Parameters
    ----------
    grid : SweepGrid
    proposer : Proposer
    n_points : int
        Every point of the space, where it has fewer.
    """

    is_adaptive = True

    def __init__(self, grid: SweepGrid, proposer: Proposer, n_points: int) -> None:
        self.grid = grid
        self.space = SearchSpace(grid)
        self.n_points = min(n_points, self.space.n_points)
        self._proposer = proposer
        self._told: list[Told] = []
        self._asked: IntArray | None = None

    def ask(self) -> list[Point]:
        left = self.n_points - sum(len(batch.values) for batch in self._told)
        if left < 1:
            return []
        self._asked = self._proposer.propose(self.space, self._told)[:left]
        return [self.space.point(row) for row in self._asked]

    def tell(self, values: FloatArray) -> None:
        if self._asked is None or values.shape != (len(self._asked),) or np.isinf(values).any():
            raise ValueError(f"values must be finite or NaN, one for each point asked for, were {values}")
        self._told.append(Told(self._asked, values))
        self._asked = None

    def probes(self) -> list[Point]:
        return self.space.probes()

    def to_json(self) -> dict[str, Any]:
        return self._proposer.to_json()
