"""Known functions over known spaces, more is better."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from configs.grid import Axis, SweepGrid
from configs.search import Acquisition, SearchConfig, SearchName
from training.search.asking import Search
from training.search.build import build_search

Function = Callable[[Mapping[str, Any]], float]


def branin(point: Mapping[str, Any]) -> float:
    """Return minus the function of Branin, 1972; its three maxima are -0.397887."""
    x, y = point["param.x"], point["param.y"]
    hill = (y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6) ** 2
    return -float(hill + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10)


def noisy_quadratic(point: Mapping[str, Any]) -> float:
    """Return a bowl of four axes with noise that a point always has: at most about 0.1."""
    values = np.array(list(point.values()))
    noise = np.random.default_rng((values * 10_000).astype(np.int64) + 10_000).normal()
    return float(-((values - 0.3) ** 2).sum() + 0.05 * noise)


def stepped(point: Mapping[str, Any]) -> float:
    slow, scale, lag = point["param.slow"], point["param.scale"], point["param.lag"]
    return float(-(((slow - 65) / 30) ** 2) - (np.log10(scale) - 1.5) ** 2 - ((lag - 4) / 8) ** 2)


def mixed(point: Mapping[str, Any]) -> float:
    """Return at most 0.5."""
    kind = {"mean": 0.0, "ewm": 0.3, "median": 0.1, "none": -0.5}[point["param.kind"]]
    bowl = 3 * (point["param.edge"] - 0.7) ** 2 + ((point["param.window"] - 22) / 15) ** 2
    return float(kind + 0.2 * point["param.is_long"] - bowl)


def axes(**values: tuple[Any, ...]) -> SweepGrid:
    """Return a grid of parameters; two floats are the ends of a range."""
    return SweepGrid(
        tuple(
            Axis(f"param.{name}", each, is_range=len(each) == 2 and isinstance(each[0], float))
            for name, each in values.items()
        )
    )


LANDSCAPES: dict[str, tuple[SweepGrid, Function, int]] = {
    "branin": (axes(x=(-5.0, 10.0), y=(0.0, 15.0)), branin, 60),
    "noisy": (axes(a=(-1.0, 1.0), b=(-1.0, 1.0), c=(-1.0, 1.0), d=(-1.0, 1.0)), noisy_quadratic, 50),
    "stepped": (
        axes(slow=tuple(range(5, 105, 5)), scale=(300, 1, 3, 10, 30, 100), lag=tuple(range(20))),
        stepped,
        40,
    ),
    "mixed": (
        axes(
            kind=("mean", "ewm", "median", "none"), is_long=(False, True), edge=(0.0, 1.0), window=tuple(range(1, 31))
        ),
        mixed,
        50,
    ),
}


def make_search(
    name: str, grid: SweepGrid, n_trials: int, seed: int = 0, acquisition: str | None = None, **settings: Any
) -> Search:
    return build_search(
        SearchName(name),
        grid,
        n_trials,
        seed,
        None if acquisition is None else Acquisition(acquisition),
        SearchConfig(**settings),
        n_workers=4,
    )


def run_to_end(search: Search, function: Function) -> tuple[list[dict[str, Any]], list[float]]:
    """Return every point asked for, and its value."""
    points: list[dict[str, Any]] = []
    values: list[float] = []
    while asked := search.ask():
        new = [function(point) for point in asked]
        points += asked
        values += new
        search.tell(np.array(new))
    return points, values
