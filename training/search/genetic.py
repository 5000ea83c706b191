"""A genetic algorithm: generations of points, each bred from the best of those before."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from outcry.market.frame import FloatArray, IntArray
from training.search.asking import Told
from training.search.space import SearchSpace, as_set

BLEND = 0.5
"""How far beyond its parents a child may lie, as a fraction of their distance; 0.5 keeps the spread of a population."""
MOST_MUTATIONS = 20


@dataclass(frozen=True, slots=True)
class GeneticProposer:
    """Breed a generation from the one before and the best points ever traded.

    The first generation covers the space. Parents of a later one are chosen by tournament; a child takes each ordered
    axis from the interval around both parents (blend crossover) and each choice from one of them (uniform crossover);
    each axis then mutates with a probability of one in the number of axes. A child that was traded before is mutated
    until it was not: no trial is spent twice.

    Attributes
    ----------
    seed : int
    population, n_elite, n_tournament : int
    crossover_frac, mutation_width_frac : float
        See `configs.search.SearchConfig`.

    Notes
    -----
    The elite need not be traded again, since the same point has the same value; they stand among the parents. A failed
    trial loses every tournament against one that did not fail; of equal ones that drawn first wins.

    References
    ----------
    Holland, Adaptation in Natural and Artificial Systems, 1975. De Jong, An Analysis of the Behavior of a Class of
    Genetic Adaptive Systems, 1975 (elitism). Goldberg and Deb, A Comparative Analysis of Selection Schemes, 1991
    (tournament). Syswerda, Uniform Crossover in Genetic Algorithms, 1989. Eshelman and Schaffer, Real-Coded Genetic
    Algorithms and Interval-Schemata, 1993 (BLX-α). Mühlenbein, How Genetic Algorithms Really Work, 1992 (the rate 1/n).
    """

    seed: int
    population: int = 12
    n_elite: int = 3
    n_tournament: int = 3
    crossover_frac: float = 0.9
    mutation_width_frac: float = 0.1

    def propose(self, space: SearchSpace, told: Sequence[Told]) -> IntArray:
        """Return the next generation; see `training.search.asking.Proposer`."""
        rng = np.random.default_rng((self.seed, len(told)))
        if not told:
            return space.spread(self.population, rng)
        rows = np.concatenate([each.levels for each in told])
        fitness = np.nan_to_num(np.concatenate([each.values for each in told]), nan=-np.inf)
        is_parent = np.arange(len(rows)) >= len(rows) - len(told[-1].values)
        is_parent[np.argsort(-fitness, kind="stable")[: self.n_elite]] = True
        parents, fitness = rows[is_parent], fitness[is_parent]
        taken, children = as_set(rows), []
        for _ in range(min(self.population, space.n_points - len(rows))):
            child = self._child(space, parents, fitness, rng)
            for _ in range(MOST_MUTATIONS):
                if tuple(child.tolist()) not in taken:
                    break
                child = self._mutated(space, child, rng)
            else:
                child = space.draw_new(1, taken, rng)[0]
            taken.add(tuple(child.tolist()))
            children.append(child)
        return np.array(children, dtype=np.int64).reshape(-1, space.n_axes)

    def to_json(self) -> dict[str, Any]:
        return {"search": "genetic", **asdict(self)}

    def _child(self, space: SearchSpace, parents: IntArray, fitness: FloatArray, rng: np.random.Generator) -> IntArray:
        first, second = (parents[self._winner(fitness, rng)] for _ in range(2))
        if rng.random() >= self.crossover_frac:
            return self._mutated(space, first, rng)
        one, other = space.units(first), space.units(second)
        low, high = np.minimum(one, other), np.maximum(one, other)
        reach = BLEND * (high - low)
        blended = space.nearest(rng.uniform(low - reach, high + reach))
        taken_over = np.where(rng.random(space.n_axes) < 0.5, first, second)
        return self._mutated(space, np.where(space.is_ordered, blended, taken_over), rng)

    def _winner(self, fitness: FloatArray, rng: np.random.Generator) -> int:
        drawn = rng.integers(len(fitness), size=self.n_tournament)
        return int(drawn[fitness[drawn].argmax()])

    def _mutated(self, space: SearchSpace, row: IntArray, rng: np.random.Generator) -> IntArray:
        moved = space.nearest(space.units(row) + self.mutation_width_frac * rng.normal(size=space.n_axes))
        changed = np.where(space.is_ordered, moved, rng.integers(space.n_levels))
        return np.where(rng.random(space.n_axes) < 1.0 / space.n_axes, changed, row)
