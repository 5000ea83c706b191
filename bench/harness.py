"""How a figure is measured and written down."""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TypedDict

import numpy as np


class Result(TypedDict):
    """One measured figure.

    `goal` is the bound with its sign (``<= 2.0``), or an empty string where there is none; `holds` is then true.
    `how` says on what it was measured, so that a reader can repeat it.
    """

    name: str
    value: float
    unit: str
    goal: str
    holds: bool
    how: str


def result(
    name: str, value: float, unit: str, how: str, *, at_most: float | None = None, at_least: float | None = None
) -> Result:
    """Return a figure held against its goal.

    Parameters
    ----------
    name : str
    value : float
        In `unit`. NaN meets no goal.
    unit, how : str
    at_most, at_least : float, optional
        The goal, in `unit`; at most one of the two.

    Raises
    ------
    ValueError
        If both goals are given.
    """
    if at_most is not None and at_least is not None:
        raise ValueError(f"one goal a figure, was at_most={at_most} and at_least={at_least} for {name}")
    if at_most is not None:
        goal, holds = f"<= {at_most:g}", value <= at_most
    elif at_least is not None:
        goal, holds = f">= {at_least:g}", value >= at_least
    else:
        goal, holds = "", True
    return Result(name=name, value=float(value), unit=unit, goal=goal, holds=bool(holds), how=how)


def measure(function: Callable[[], object], n: int, warmup: int = 1) -> list[float]:
    """Time `n` calls one by one, after `warmup` calls that are not counted.

    Parameters
    ----------
    function : callable
    n, warmup : int
        `n` is positive, `warmup` not negative.

    Returns
    -------
    list of float
        Seconds, in the order of the calls.

    Raises
    ------
    ValueError
        If `n` or `warmup` is out of range.
    """
    if n < 1:
        raise ValueError(f"n must be positive, was {n}")
    if warmup < 0:
        raise ValueError(f"warmup must not be negative, was {warmup}")
    for _ in range(warmup):
        function()
    seconds = []
    for _ in range(n):
        started = perf_counter()
        function()
        seconds.append(perf_counter() - started)
    return seconds


def percentiles(samples: Sequence[float], levels: Sequence[float] = (50.0, 99.0)) -> tuple[float, ...]:
    """Return the percentiles of the samples, each a value that was measured.

    Parameters
    ----------
    samples : sequence of float
        Not empty; any unit.
    levels : sequence of float
        In [0, 100].

    Returns
    -------
    tuple of float
        One a level, in the unit of the samples.

    Raises
    ------
    ValueError
        If there is no sample, or a level is out of range.

    References
    ----------
    Hyndman and Fan, "Sample quantiles in statistical packages" (1996), definition 1: no interpolation.
    """
    if len(samples) == 0:
        raise ValueError("samples must not be empty, had 0")
    found = np.percentile(np.asarray(samples, dtype=np.float64), levels, method="inverted_cdf")
    return tuple(float(value) for value in found)
