"""Bayesian optimisation: a Gaussian process over the points traded says which to trade next."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from configs.search import Acquisition
from outcry.market.frame import FloatArray, IntArray
from training.search.asking import Told
from training.search.space import SearchSpace, as_set

N_FAR, N_NEAR = 600, 400
"""Candidates drawn from the whole space, and around the best points."""
N_CENTRES = 5
_FLAT = 1e-12


@dataclass(frozen=True, slots=True)
class SurrogateProposer:
    """Fit a Gaussian process to the values known and propose the candidates whose acquisition is highest.

    The first batch covers the space. Every later one is chosen point by point: after each the process believes that its
    mean came true there (kriging believer), so that the mean stays, the deviation around the point shrinks, and the
    next one lies elsewhere. Unlike a constant lie this has no value to choose, bends nothing, and needs no refit; with
    `Acquisition.UCB` it is the batch rule whose regret Desautels, Krause and Burdick bound.

    Attributes
    ----------
    seed : int
    batch : int
        Points after the first batch; as many as there are workers.
    n_initial : int
        Points of the first batch.
    acquisition : Acquisition
    ucb_deviations : float

    Notes
    -----
    Values are standardised; a failed trial counts as the worst one known, which keeps the search away from it. The
    kernel is Matérn 5/2 with a length an axis, plus a noise that takes up what is rougher than that, as results of
    discrete trades are. The best value known is that of the mean at the points traded, since noise is no merit.
    Candidates are points of the space, all that are left where they are few, else `N_FAR` even draws and `N_NEAR`
    changes of the best points: what is judged is what can be traded. Fitted lengths are rounded, so that the last bits
    of a matrix product do not decide which candidate is best.

    A batch takes 0.2 s of one core at 100 points and 0.8 s at 400, and time grows with their cube from there.

    References
    ----------
    Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, eq. 2.25, 2.26 and 4.17. Jones, Schonlau and
    Welch, Efficient Global Optimization of Expensive Black-Box Functions, 1998, eq. 15 (expected improvement).
    Srinivas, Krause, Kakade and Seeger, Gaussian Process Optimization in the Bandit Setting, 2010, eq. 6 (upper
    confidence bound). Ginsbourger, Le Riche and Carraro, Kriging Is Well-Suited to Parallelize Optimization, 2010,
    section 4 (kriging believer, constant liar). Desautels, Krause and Burdick, Parallelizing Exploration-Exploitation
    Tradeoffs in Gaussian Process Bandit Optimization, 2014, section 4. Garrido-Merchán and Hernández-Lobato, Dealing
    with Categorical and Integer-Valued Variables in Bayesian Optimization, 2020 (only points that exist are judged).
    """

    seed: int
    batch: int
    n_initial: int
    acquisition: Acquisition = Acquisition.EI
    ucb_deviations: float = 2.0

    def propose(self, space: SearchSpace, told: Sequence[Told]) -> IntArray:
        """Return the next batch; see `training.search.asking.Proposer`."""
        rng = np.random.default_rng((self.seed, len(told)))
        if not told:
            return space.spread(self.n_initial, rng)
        rows = np.concatenate([each.levels for each in told])
        values = np.concatenate([each.values for each in told])
        known = values[~np.isnan(values)]
        if known.size < 2 or float(known.std()) <= _FLAT * max(1.0, float(np.abs(known).max())):
            return space.draw_new(self.batch, as_set(rows), rng)
        filled = np.where(np.isnan(values), known.min(), values)
        standard = (filled - filled.mean()) / filled.std()
        candidates = _candidates(space, rows, standard, rng)
        surrogate = _fit(space.features(rows), standard)
        return candidates[self._choose(surrogate, space.features(rows), space.features(candidates))]

    def to_json(self) -> dict[str, Any]:
        return {"search": "bayes", **asdict(self)}

    def _choose(self, surrogate: GaussianProcessRegressor, traded: FloatArray, candidates: FloatArray) -> list[int]:
        noise = float(surrogate.kernel_.k2.noise_level)
        mean, covariance = surrogate.predict(candidates, return_cov=True)
        covariance -= noise * np.eye(len(candidates))
        best = float(surrogate.predict(traded).max())
        chosen: list[int] = []
        for _ in range(min(self.batch, len(candidates))):
            deviation = np.sqrt(np.maximum(np.diag(covariance), _FLAT))
            if self.acquisition is Acquisition.UCB:
                worth = mean + self.ucb_deviations * deviation
            else:
                worth = expected_improvement(mean, deviation, best)
            worth[chosen] = -np.inf
            place = int(worth.argmax())
            chosen.append(place)
            best = max(best, float(mean[place]))
            column = covariance[:, place].copy()
            covariance -= np.outer(column, column / (max(column[place], _FLAT) + noise))
        return chosen


def expected_improvement(mean: FloatArray, deviation: FloatArray, best: float) -> FloatArray:
    """Return what a normal value is above the best one on average, where below counts as nothing.

    Parameters
    ----------
    mean, deviation : float64 (n,)
        The second positive.
    best : float

    References
    ----------
    Jones, Schonlau and Welch, 1998, eq. 15: ``(μ − f) Φ(z) + σ φ(z)`` with ``z = (μ − f) / σ``.
    """
    z = (mean - best) / deviation
    density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    return np.asarray((mean - best) * ndtr(z) + deviation * density)


def _fit(features: FloatArray, values: FloatArray) -> GaussianProcessRegressor:
    """Return a process with the most likely lengths and noise, rounded; `kernel_.k2` is the noise."""
    lengths = np.full(features.shape[1], 0.5)
    kernel = ConstantKernel(1.0, (0.05, 20.0)) * Matern(lengths, (0.02, 20.0), nu=2.5) + WhiteKernel(1e-2, (1e-6, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # an axis that does nothing has a length at its bound
        found = GaussianProcessRegressor(kernel).fit(features, values)
    rounded = found.kernel_.clone_with_theta(np.round(found.kernel_.theta, 2))
    return GaussianProcessRegressor(rounded, optimizer=None).fit(features, values)


def _candidates(space: SearchSpace, rows: IntArray, values: FloatArray, rng: np.random.Generator) -> IntArray:
    taken = as_set(rows)
    if space.n_points - len(rows) <= N_FAR + N_NEAR:
        return space.draw_new(space.n_points, taken, rng)
    far = space.draw_new(N_FAR, taken, rng)
    centres = rows[np.argsort(-values, kind="stable")[:N_CENTRES]]
    near = _changed(space, centres[rng.integers(len(centres), size=N_NEAR)], rng)
    taken |= as_set(far)
    new = [row for row in dict.fromkeys(tuple(row) for row in near.tolist()) if row not in taken]
    return np.concatenate([far, np.array(new, dtype=np.int64).reshape(-1, space.n_axes)])


def _changed(space: SearchSpace, rows: IntArray, rng: np.random.Generator) -> IntArray:
    """Return rows with about half of their axes changed, by widths from a third of an axis to a thousandth."""
    width = 10.0 ** rng.uniform(-3.0, -0.5, size=(len(rows), 1))
    moved = space.nearest(space.units(rows) + width * rng.normal(size=rows.shape))
    drawn = rng.integers(space.n_levels, size=rows.shape)
    changed = np.where(space.is_ordered, moved, drawn)
    return np.where(rng.random(rows.shape) < 0.5, changed, rows)
