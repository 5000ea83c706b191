"""How much a result hangs on its parameters: the neighbours of the best trial, and what each parameter does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import BoolArray, FloatArray, IntArray

NEAR_FRAC = 0.2
MIN_LEVELS_FOR_EDGE = 3  # of two levels each is an edge

Level = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class LevelMean:
    """Mean metric of the trials with one value of a parameter; None where all of them failed."""

    level: Level
    mean: float | None
    n_trials: int


@dataclass(frozen=True, slots=True)
class MainEffect:
    """What one parameter does by itself, over all values of the others.

    Attributes
    ----------
    parameter : str
    levels : tuple of LevelMean
        Numbers in rising order, other values as they first appear.
    effect_frac : float or None
        Variance of the means of the levels over the variance of the metric, in [0, 1]. None for one level, for a metric
        that never varies, and for a parameter that nearly every trial has another value of (a random search).
    chance_frac : float or None
        The `effect_frac` to expect of a parameter that does nothing.
    """

    parameter: str
    levels: tuple[LevelMean, ...]
    effect_frac: float | None
    chance_frac: float | None


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The best trial of a sweep, and what is around it.

    Attributes
    ----------
    best_trial : int
        Its row; of equal ones the first.
    best_metric : float
    n_trials, n_failed : int
        Of the sweep; the second without a metric.
    n_neighbours, n_failed_neighbours : int
        Trials one step away in one parameter, and those of them without a metric.
    near_frac : float or None
        Share of the neighbours that are within the tolerance of the best, or None without neighbours.
    flipped_frac : float or None
        Share of the neighbours at or below 0 where the best is above it; None where it is not.
    stability_frac : float or None
        1 where neighbours are on average as good as the best, 0 where no better than the median trial. Low as well
        where half of the sweep is about as good as the best; `near_frac` is high then.
    edge_parameters : tuple of str
        Numeric parameters whose lowest or highest value is the best one.
    effects : tuple of MainEffect
        In the order of the parameters.
    """

    best_trial: int
    best_metric: float
    n_trials: int
    n_failed: int
    n_neighbours: int
    n_failed_neighbours: int
    near_frac: float | None
    flipped_frac: float | None
    stability_frac: float | None
    edge_parameters: tuple[str, ...]
    effects: tuple[MainEffect, ...]


def parameter_sensitivity(
    trials: Sequence[Mapping[str, Level]], metric: FloatArray, near_frac: float = NEAR_FRAC
) -> Sensitivity | None:
    """Measure how a metric depends on the parameters of a sweep, around its best trial and over all of it.

    Parameters
    ----------
    trials : sequence of mapping
        Parameters of every trial, by the same names. A parameter is numeric where every value is a number and none is
        a bool, else categorical.
    metric : float64 (n_trials,)
        Of every trial, more is better; NaN for one that failed.
    near_frac : float
        A neighbour is near that loses at most this fraction of the size of the best metric.

    Returns
    -------
    Sensitivity or None
        None where no trial has a metric.

    Raises
    ------
    DataValidationError
        For an infinite metric, a length that differs, or trials with other parameters than the first.
    ConfigurationError
        For a negative `near_frac`.

    Notes
    -----
    A neighbour differs in one parameter only: by one step of the values tried where it is numeric, by any other value
    where it is categorical. Trials of a random search have none, and the figures of neighbours are None. What this
    ignores: steps of different size count alike, and effects that parameters have only together are in no main effect.

    References
    ----------
    `effect_frac` is the correlation ratio η² (Fisher, Statistical Methods for Research Workers, 1925), and on a full
    grid the first-order index of Sobol, Sensitivity Estimates for Nonlinear Mathematical Models, 1993; by chance it is
    ``(L − 1) / (n − 1)``. `stability_frac` is ``1 − (best − mean of neighbours) / (best − median)``, in [0, 1].
    """
    _check(trials, metric, near_frac)
    is_known = ~np.isnan(metric)
    if not is_known.any():
        return None
    axes = [_Axis.of(name, [trial[name] for trial in trials]) for name in trials[0]]
    best = int(np.nanargmax(metric))
    is_neighbour = _neighbours(axes, best, len(metric))
    near, flipped, stability = _around(
        metric[is_known], float(metric[best]), metric[is_neighbour & is_known], near_frac
    )
    return Sensitivity(
        best_trial=best,
        best_metric=float(metric[best]),
        n_trials=len(metric),
        n_failed=int((~is_known).sum()),
        n_neighbours=int(is_neighbour.sum()),
        n_failed_neighbours=int((is_neighbour & ~is_known).sum()),
        near_frac=near,
        flipped_frac=flipped,
        stability_frac=stability,
        edge_parameters=tuple(axis.name for axis in axes if _is_at_edge(axis, best, is_known)),
        effects=tuple(_main_effect(axis, metric) for axis in axes),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """One parameter: its values, and which of them each trial has, int64 (n_trials,)."""

    name: str
    levels: tuple[Level, ...]
    level_of_trial: IntArray
    is_numeric: bool

    @classmethod
    def of(cls, name: str, values: Sequence[Level]) -> "_Axis":
        is_numeric = all(isinstance(value, Real) and not isinstance(value, bool) for value in values)
        levels = np.unique(np.array(values)).tolist() if is_numeric else list(dict.fromkeys(values))
        position = {level: index for index, level in enumerate(levels)}
        return cls(name, tuple(levels), np.array([position[value] for value in values], dtype=np.int64), is_numeric)


def _check(trials: Sequence[Mapping[str, Level]], metric: FloatArray, near_frac: float) -> None:
    if near_frac < 0:
        raise ConfigurationError(f"near_frac must be at least 0, was {near_frac}")
    if metric.shape != (len(trials),):
        raise DataValidationError(f"metric must have the shape ({len(trials)},) of the trials, was {metric.shape}")
    if np.isinf(metric).any():
        raise DataValidationError(
            f"metric must be finite, or NaN for a failed trial; trial {np.isinf(metric).argmax()}"
        )
    for row, trial in enumerate(trials):
        if trial.keys() != trials[0].keys():
            raise DataValidationError(f"trial {row} must have the parameters {sorted(trials[0])}, had {sorted(trial)}")


def _neighbours(axes: Sequence[_Axis], best: int, n_trials: int) -> BoolArray:
    """Return the trials that are one step away from the best in exactly one parameter."""
    n_changed = np.zeros(n_trials, dtype=np.int64)
    is_far = np.zeros(n_trials, dtype=np.bool_)
    for axis in axes:
        steps = np.abs(axis.level_of_trial - axis.level_of_trial[best])
        n_changed += steps > 0
        is_far |= axis.is_numeric & (steps > 1)
    return np.asarray((n_changed == 1) & ~is_far)


def _around(
    known: FloatArray, best: float, neighbours: FloatArray, near_frac: float
) -> tuple[float | None, float | None, float | None]:
    """Return the shares of neighbours that are near and flipped, and the stability."""
    if not neighbours.size:
        return None, None, None
    near = float((neighbours >= best - near_frac * abs(best)).mean())
    flipped = float((neighbours <= 0).mean()) if best > 0 else None
    drop, typical_drop = best - float(neighbours.mean()), best - float(np.median(known))
    if drop <= 1e-12 * abs(best):
        return near, flipped, 1.0
    return near, flipped, max(1.0 - drop / typical_drop, 0.0) if typical_drop > 0 else 0.0


def _is_at_edge(axis: _Axis, best: int, is_known: BoolArray) -> bool:
    """Return whether the best value is the lowest or the highest with a metric."""
    tried = np.unique(axis.level_of_trial[is_known])
    is_outer = axis.level_of_trial[best] in (tried[0], tried[-1])
    return axis.is_numeric and len(tried) >= MIN_LEVELS_FOR_EDGE and bool(is_outer)


def _main_effect(axis: _Axis, metric: FloatArray) -> MainEffect:
    means = []
    for index, level in enumerate(axis.levels):
        values = metric[axis.level_of_trial == index]
        values = values[~np.isnan(values)]
        means.append(LevelMean(level, float(values.mean()) if values.size else None, len(values)))
    known = [each for each in means if each.mean is not None]
    n_trials, n_levels = sum(each.n_trials for each in known), len(known)
    overall = float(np.nanmean(metric))
    total = float(np.nansum((metric - overall) ** 2))
    is_flat = total <= n_trials * (1e-12 * max(1.0, abs(overall))) ** 2
    if n_levels < 2 or n_trials < 2 * n_levels or is_flat:
        return MainEffect(axis.name, tuple(means), None, None)
    between = sum(each.n_trials * (each.mean - overall) ** 2 for each in known if each.mean is not None)
    return MainEffect(axis.name, tuple(means), min(between / total, 1.0), (n_levels - 1) / (n_trials - 1))
