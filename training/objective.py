"""What the best trial is the best in: a figure of every trial, or a function in a file of the user's own."""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from actors.trials import Point, TrialOutcome
from outcry.errors import ConfigurationError, StrategyError
from outcry.market.frame import FloatArray

IC = "ic"
NAMED = ("sharpe", "sortino", "calmar", "total_return", IC)


@dataclass(frozen=True, slots=True, eq=False)
class JudgedTrial:
    """What a function of the user judges.

    Attributes
    ----------
    point : mapping of str to Any
        The values of the trial, by key.
    metrics : mapping of str to number or None
        See `outcry.backtest.fast.figures.measure_run`; None where a figure is not defined.
    returns : float64 (n_sessions,)
        By session, above the risk-free rate.
    """

    point: Point
    metrics: Mapping[str, float | int | None]
    returns: FloatArray


@dataclass(frozen=True, slots=True)
class Objective:
    """A figure to rank trials by, more is better.

    Attributes
    ----------
    name : str
        One of `NAMED`, or FILE.py:FUNCTION.
    version : str
        SHA-256 of the file, in hex; empty without one.
    function : callable or None
    """

    name: str
    version: str = ""
    function: Callable[[JudgedTrial], Any] | None = None

    def judge(self, outcome: TrialOutcome, point: Point) -> TrialOutcome:
        """Return the outcome with this figure among its metrics; None where it is NaN, which ranks nowhere.

        Raises
        ------
        StrategyError
            Where the function raises, or returns something else than a finite number, NaN or None.
        """
        if self.function is None or outcome.metrics is None or outcome.returns is None:
            return outcome
        where = f"objective {self.name} at {' '.join(f'{key}={value}' for key, value in point.items())}"
        try:
            value = self.function(JudgedTrial(point, dict(outcome.metrics), outcome.returns.copy()))
            number = math.nan if value is None else float(value)
        except Exception as error:
            raise StrategyError(f"{where} must return a number, raised {type(error).__name__}: {error}") from error
        if math.isinf(number):
            raise StrategyError(f"{where} must be finite, or NaN for a trial to pass over, was {number}")
        return replace(outcome, metrics=outcome.metrics | {self.name: None if math.isnan(number) else number})


def read_objective(text: str) -> Objective:
    """Return the objective that a text names.

    Raises
    ------
    ConfigurationError
        Where it is neither one of `NAMED` nor of the form FILE.py:FUNCTION.
    StrategyError
        Where the file cannot be read or run, or does not define the function.
    """
    if text in NAMED:
        return Objective(text)
    path, colon, name = text.rpartition(":")
    if not colon or not path.endswith(".py") or not name.isidentifier():
        raise ConfigurationError(f"--objective must be one of {', '.join(NAMED)} or FILE.py:FUNCTION, was {text}")
    if not Path(path).is_file():
        raise StrategyError(f"objective must name a file, was {path}")
    module = ModuleType(f"outcry_objective_{Path(path).stem}")
    module.__file__ = path
    try:
        source = Path(path).read_text()
        exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102 - what the user asks for
    except Exception as error:
        raise StrategyError(f"objective {path} must run, failed with {type(error).__name__}: {error}") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise StrategyError(f"objective {path} must define a function {name}, does not")
    return Objective(f"{Path(path).name}:{name}", hashlib.sha256(source.encode()).hexdigest(), function)
