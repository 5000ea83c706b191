"""A grid as a search sees it: points are rows of level numbers, and every axis is an order or a choice."""

from collections.abc import Iterable
from itertools import product
from numbers import Real
from typing import Any

import numpy as np
from scipy.stats import qmc

from configs.grid import PARAMETER, Axis, SweepGrid
from outcry.market.frame import BoolArray, FloatArray, IntArray

MOST_LISTED = 10_000
"""Points of a space that is small enough to look at each of them."""


class SearchSpace:
    """Every point that a grid spans; a row of level numbers, one an axis, stands for one.

    Levels of an axis of numbers are in rising order, whatever the order they were given in, and as far from each other
    as their places are: 1, 10, 100 are evenly spaced. Other values are choices without an order.

    Parameters
    ----------
    grid : SweepGrid

    Attributes
    ----------
    n_points : int
    n_levels : int64 (n_axes,)
    is_ordered : bool (n_axes,)
    """

    def __init__(self, grid: SweepGrid) -> None:
        self.grid = grid
        self.n_points = grid.n_points
        self.n_levels: IntArray = np.array([axis.n_levels for axis in grid.axes], dtype=np.int64)
        self.is_ordered: BoolArray = np.array([_is_numeric(axis) for axis in grid.axes])
        self._places = [_rising_places(axis) if _is_numeric(axis) else None for axis in grid.axes]
        self._n_steps = np.maximum(self.n_levels - 1, 1)

    @property
    def n_axes(self) -> int:
        return len(self.grid.axes)

    def point(self, levels: IntArray) -> dict[str, Any]:
        """Return the values of a row of levels, by key."""
        found = {}
        for axis, places, level in zip(self.grid.axes, self._places, levels.tolist(), strict=True):
            found[axis.key] = axis.level(level if places is None else places[level])
        return found

    def units(self, levels: IntArray) -> FloatArray:
        """Return each level as its place in [0, 1], float64 of the same shape."""
        return np.asarray(levels / self._n_steps)

    def nearest(self, units: FloatArray) -> IntArray:
        """Return the levels nearest to places, which are brought into [0, 1]."""
        return np.rint(np.clip(units, 0.0, 1.0) * self._n_steps).astype(np.int64)

    def features(self, levels: IntArray) -> FloatArray:
        """Return points (n, n_axes) as float64 (n, n_features): the place of an order, a column for each choice.

        Two different choices are as far apart as the two ends of an order.
        """
        units = self.units(levels)
        columns = [units[:, self.is_ordered]]
        for place in np.flatnonzero(~self.is_ordered):
            columns.append(np.eye(self.n_levels[place])[levels[:, place]] / np.sqrt(2.0))
        return np.concatenate(columns, axis=1)

    def everything(self) -> IntArray:
        """Return all points, int64 (n_points, n_axes)."""
        return np.array(list(product(*(range(n) for n in self.n_levels))), dtype=np.int64).reshape(-1, self.n_axes)

    def spread(self, n: int, rng: np.random.Generator) -> IntArray:
        """Return different points that cover every axis evenly, int64 (n, n_axes); all there are, where that is less.

        References
        ----------
        McKay, Beckman and Conover, A Comparison of Three Methods for Selecting Values of Input Variables, 1979 (Latin
        hypercube sampling).
        """
        places = qmc.LatinHypercube(self.n_axes, rng=rng).random(n)
        rows = _different((places * self.n_levels).astype(np.int64))
        return np.concatenate([rows, self.draw_new(n - len(rows), as_set(rows), rng)])

    def draw_new(self, n: int, taken: set[tuple[int, ...]], rng: np.random.Generator) -> IntArray:
        """Return different points drawn evenly from those not taken, int64 (n, n_axes); fewer where none is left."""
        if self.n_points <= MOST_LISTED:
            rows = np.array([row for row in self.everything().tolist() if tuple(row) not in taken], dtype=np.int64)
            rows = rows.reshape(-1, self.n_axes)
            return rows[rng.permutation(len(rows))[:n]]
        found: dict[tuple[int, ...], None] = {}
        n = min(n, self.n_points - len(taken))
        while len(found) < n:
            drawn = tuple(rng.integers(self.n_levels).tolist())
            if drawn not in taken:
                found[drawn] = None
        return np.array(list(found), dtype=np.int64).reshape(-1, self.n_axes)

    def probes(self) -> list[dict[str, Any]]:
        """Return values that show what the points of the space read, a few keys at a time.

        Every setting by itself, and all parameters of a strategy together; where these have more than `MOST_LISTED`
        combinations, each parameter while the others have their first value. Of a range without steps the two ends.
        """
        parameters = [axis for axis in self.grid.axes if axis.section == PARAMETER]
        first = {axis.key: axis.values[0] for axis in parameters}
        found = [first] + [first | {axis.key: value} for axis in self.grid.axes for value in axis.values]
        if np.prod([float(len(axis.values)) for axis in parameters]) <= MOST_LISTED:
            found += [dict(zip(first, values, strict=True)) for values in product(*(a.values for a in parameters))]
        return found


def as_set(rows: IntArray) -> set[tuple[int, ...]]:
    """Return rows of levels as a set."""
    return {tuple(row) for row in rows.tolist()}


def _different(rows: IntArray) -> IntArray:
    """Return every row once, in the order in which they first come."""
    kept: Iterable[tuple[int, ...]] = dict.fromkeys(tuple(row) for row in rows.tolist())
    return np.array(list(kept), dtype=np.int64).reshape(-1, rows.shape[1])


def _is_numeric(axis: Axis) -> bool:
    return all(isinstance(value, Real) and not isinstance(value, bool) for value in axis.values)


def _rising_places(axis: Axis) -> list[int]:
    return list(range(axis.n_levels)) if axis.is_range else np.argsort(axis.values).tolist()
