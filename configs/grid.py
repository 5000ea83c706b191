"""A grid of settings and parameters, as ``--grid`` writes it: read, checked against the settings, and multiplied out.

::

    portfolio.max_positions=5,10,20                     a list
    portfolio.target_volatility_per_year=0.05..0.25/5   so many values, evenly spaced, both ends among them
    param.window=10..50:10                              a first value, a last one, and the step between
    broker.latency_ms=[[0, 0], [50, 250]]               a list in YAML, for values that are lists themselves
"""

import difflib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation
from functools import cached_property
from typing import Any

import numpy as np
import yaml
from pydantic import ValidationError

from configs.schema import Settings
from outcry.config import FrozenConfig
from outcry.errors import ConfigurationError

SECTIONS = ("portfolio", "risk", "broker")
"""Sections that change neither data, features nor forecasts: those of a sweep are computed once."""
PARAMETER = "param"
MOST_POINTS = 100_000

_KEPT_OUT = {
    "market": "it changes the data",
    "features": "it changes the features",
    "training": "it changes the forecasts",
    "mode": "a sweep is a backtest",
    "report": "it changes no trade",
}
_RANGE = re.compile(r"(?P<first>[^.\s]\S*?|\.\d\S*?)\.\.(?P<last>[^/:\s]+)(?:(?P<kind>[/:])(?P<detail>\S+))?")
_FORMS = "a,b,c or first..last/count or first..last:step"


@dataclass(frozen=True, slots=True)
class Axis:
    """The values that one setting or parameter takes, in the order given; none is there twice."""

    key: str
    values: tuple[Any, ...]

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
    >>> len(grid), grid.point(1)
    (4, {'portfolio.max_positions': 10, 'param.window': 20})
    """

    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        return math.prod(len(axis.values) for axis in self.axes)

    @cached_property
    def _turning(self) -> tuple[Axis, ...]:
        """Parameters first: the weights of a strategy are then asked for once for many settings."""
        return tuple(sorted(self.axes, key=lambda axis: axis.section != PARAMETER))

    def point(self, index: int) -> dict[str, Any]:
        """Return the values of a point, by key, in the order of the axes."""
        found: dict[str, Any] = {}
        for axis in reversed(self._turning):
            index, place = divmod(index, len(axis.values))
            found[axis.key] = axis.values[place]
        return {axis.key: found[axis.key] for axis in self.axes}

    def points(self, n_random: int | None = None, seed: int = 0) -> list[dict[str, Any]]:
        """Return every point, or `n_random` different ones drawn evenly, in the order of the grid.

        Raises
        ------
        ConfigurationError
            For more than `MOST_POINTS`, or a draw of less than one.
        """
        n_all = len(self)
        if n_random is not None and n_random < 1:
            raise ConfigurationError(f"--random must draw at least one point, was {n_random}")
        wanted = n_all if n_random is None else min(n_random, n_all)
        if wanted > MOST_POINTS:
            sizes = " x ".join(str(len(axis.values)) for axis in self.axes)
            raise ConfigurationError(
                f"--grid must have at most {MOST_POINTS:,} points, has {sizes} = {n_all:,}; --random N draws some"
            )
        if wanted == n_all:
            return [self.point(index) for index in range(n_all)]
        drawn = np.random.default_rng(seed).choice(n_all, size=wanted, replace=False)
        return [self.point(index) for index in sorted(drawn.tolist())]

    def to_json(self) -> dict[str, list[Any]]:
        """Return the axes as plain values."""
        return {axis.key: list(axis.values) for axis in self.axes}


def read_grid(texts: Sequence[str], settings: Settings, parameters: Mapping[str, Any] | None) -> SweepGrid:
    """Read a grid and check every value of it.

    Parameters
    ----------
    texts : sequence of str
        ``KEY=VALUES`` as given with ``--grid``.
    settings : Settings
        Those of every point, but for its own values.
    parameters : mapping of str to type, or None
        Parameters that the strategy takes, with the type it wants, ``object`` for any; None where there is no strategy.

    Raises
    ------
    ConfigurationError
        For a key that cannot be swept, a text that is no list and no range, an empty range, a value twice, a value of
        the wrong type or out of its range; the message names it. Values that only contradict each other in some points
        are no error here: those points fail by themselves.
    """
    axes: list[Axis] = []
    for text in texts:
        key, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not key or not values:
            raise ConfigurationError(f"--grid must have the form KEY=VALUES, with VALUES {_FORMS}, was {text!r}")
        if any(axis.key == key for axis in axes):
            raise ConfigurationError(f"--grid {key} must be given once, was given twice")
        _check_key(key, settings, parameters)
        axis = Axis(key, read_values(key, values))
        _check_values(axis, settings, parameters or {})
        axes.append(axis)
    if not axes:
        raise ConfigurationError("--grid must name at least one setting or parameter")
    return SweepGrid(tuple(axes))


def read_values(key: str, text: str) -> tuple[Any, ...]:
    """Return the values of a list or a range.

    Examples
    --------
    >>> read_values("k", "0.1..0.3:0.1"), read_values("k", "5..25/5"), read_values("k", "true,false")
    ((0.1, 0.2, 0.3), (5, 10, 15, 20, 25), (True, False))
    """
    if text.startswith("["):
        values = _read_yaml(key, text)
        if not isinstance(values, list):
            raise ConfigurationError(f"--grid {key} must be a list in YAML where it begins with [, was {text}")
    elif ".." in text:
        values = _read_range(key, text)
    else:
        values = [_read_yaml(key, part) for part in text.split(",")]
    if not values:
        raise ConfigurationError(f"--grid {key}={text} must hold a value, is empty")
    for place, value in enumerate(values):
        if any(type(value) is type(other) and value == other for other in values[:place]):
            raise ConfigurationError(f"--grid {key}={text} must hold each value once, holds {value} twice")
    return tuple(values)


def settings_at(settings: Settings, point: Mapping[str, Any]) -> dict[str, FrozenConfig]:
    """Return the sections of `SECTIONS` with the values of a point; parameters of a strategy are passed over.

    Raises
    ------
    ConfigurationError
        Where the values contradict each other.
    """
    changed: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for key, value in point.items():
        section, _, name = key.partition(".")
        if section != PARAMETER:
            changed[section][name] = value
    try:
        return {name: _section(getattr(settings, name), values) for name, values in changed.items()}
    except ValidationError as error:
        raise ConfigurationError("; ".join(_rules(error))) from None


def parameters_at(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a strategy at a point, by name."""
    start = f"{PARAMETER}."
    return {key.removeprefix(start): value for key, value in point.items() if key.startswith(start)}


def to_level(value: Any) -> bool | int | float | str | None:
    """Return a value as tables show it: itself, or as JSON text where it is a list."""
    return value if isinstance(value, bool | int | float | str | None) else json.dumps(value, default=str)


def _section(base: FrozenConfig, values: Mapping[str, Any]) -> FrozenConfig:
    return type(base).model_validate({**dict(base), **values}) if values else base


def _check_key(key: str, settings: Settings, parameters: Mapping[str, Any] | None) -> None:
    section, _, name = key.partition(".")
    if section == PARAMETER:
        if parameters is None:
            raise ConfigurationError(f"--grid {key} is a parameter of a strategy, and --strategy was not given")
        if name not in parameters and "**" not in parameters:
            takes = ", ".join(parameters) or "none"
            raise ConfigurationError(
                f"--grid {key} is no parameter of the strategy, which takes {takes}{_hint(name, parameters, section)}"
            )
    elif section in SECTIONS:
        fields = type(getattr(settings, section)).model_fields
        if name not in fields:
            raise ConfigurationError(f"--grid {key} is not a setting{_hint(name, fields, section)}")
    elif section in type(settings).model_fields:
        reason = _KEPT_OUT.get(section, "it changes the machinery of a run, not what it trades")
        raise ConfigurationError(
            f"--grid {key} cannot be swept, {reason}; what can is {', '.join(SECTIONS)} and {PARAMETER}"
        )
    else:
        raise ConfigurationError(f"--grid {key} is not a setting{_hint_of_key(key, settings, parameters)}")


def _check_values(axis: Axis, settings: Settings, parameters: Mapping[str, Any]) -> None:
    if axis.section == PARAMETER:
        wanted = parameters.get(axis.name, object)
        for value in axis.values:
            if not _is_of(value, wanted):
                raise ConfigurationError(f"--grid {axis.key} must be {wanted.__name__}, was {value!r}")
        return
    for value in axis.values:
        try:
            _section(getattr(settings, axis.section), {axis.name: value})
        except ValidationError as error:
            if any(mistake["loc"][:1] == (axis.name,) for mistake in error.errors()):
                raise ConfigurationError(f"--grid {axis.section}.{'; '.join(_rules(error))}") from None


def _is_of(value: Any, wanted: Any) -> bool:
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if wanted in (int, bool, str):
        return type(value) is wanted
    return True


def _rules(error: ValidationError) -> list[str]:
    found = []
    for mistake in error.errors(include_url=False, include_context=False):
        rule = mistake["msg"].removeprefix("Value error, ")
        where = ".".join(str(part) for part in mistake["loc"])
        found.append(f"{where}: {rule[:1].lower()}{rule[1:]}, was {mistake['input']!r}" if where else rule)
    return found


def _hint(name: str, known: Mapping[str, Any], section: str) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {section}.{close[0]}?" if close else ""


def _hint_of_key(key: str, settings: Settings, parameters: Mapping[str, Any] | None) -> str:
    keys = [f"{section}.{name}" for section in SECTIONS for name in type(getattr(settings, section)).model_fields]
    keys += [f"{PARAMETER}.{name}" for name in parameters or {}]
    names = [each for each in keys if each.partition(".")[2] == key]
    close = names or difflib.get_close_matches(key, keys, n=1)
    return f"; did you mean {close[0]}?" if close else f"; sections are {', '.join(SECTIONS)} and {PARAMETER}"


def _read_yaml(key: str, text: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigurationError(f"--grid {key} must be YAML, was {text!r}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigurationError(f"--grid {key} must be finite, was {text.strip()}")
    if value is None and not text.strip():
        raise ConfigurationError(f"--grid {key} must hold a value between commas, has none")
    if isinstance(value, str):
        try:  # YAML takes 1e-3 for text
            return float(value) if math.isfinite(float(value)) else value
        except ValueError:
            return value
    return value


def _read_range(key: str, text: str) -> list[int | float]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ConfigurationError(f"--grid {key} must be {_FORMS}, was {text}")
    if match["kind"] is None:
        raise ConfigurationError(
            f"--grid {key}={text} must say how many values, as {text}/5, or the step between them, as {text}:STEP"
        )
    first, last = (_read_number(key, match[name]) for name in ("first", "last"))
    values = (
        _spaced(key, text, first, last, match["detail"])
        if match["kind"] == "/"
        else _stepped(key, text, first, last, match["detail"])
    )
    is_whole = all(value == value.to_integral_value() for value in (first, last, *values))
    written_whole = not any(sign in match["first"] + match["last"] for sign in ".eE")
    return [int(value) for value in values] if is_whole and written_whole else [float(value) for value in values]


def _spaced(key: str, text: str, first: Decimal, last: Decimal, detail: str) -> list[Decimal]:
    if not detail.isdecimal() or not 2 <= int(detail) <= MOST_POINTS:
        raise ConfigurationError(
            f"--grid {key}={text} must have a whole number of values from 2 to {MOST_POINTS:,} after /, was {detail}"
        )
    if last <= first:
        raise ConfigurationError(f"--grid {key}={text} is empty: {last} is not above {first}")
    n = int(detail)
    return [first + (last - first) * k / (n - 1) for k in range(n)]


def _stepped(key: str, text: str, first: Decimal, last: Decimal, detail: str) -> list[Decimal]:
    step = _read_number(key, detail)
    if step <= 0:
        raise ConfigurationError(f"--grid {key}={text} must have a step above 0, was {step}")
    if last < first:
        raise ConfigurationError(f"--grid {key}={text} is empty: {last} is below {first}")
    try:
        n = (last - first) / step
    except (DivisionByZero, InvalidOperation):
        n = Decimal("inf")
    if n >= MOST_POINTS:
        raise ConfigurationError(f"--grid {key}={text} must have at most {MOST_POINTS:,} values, has more")
    return [first + k * step for k in range(int(n) + 1)]


def _read_number(key: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ConfigurationError(f"--grid {key} must be a number at both ends and in its step, was {text}") from None
    if not number.is_finite() or abs(number.adjusted()) > 300:
        raise ConfigurationError(f"--grid {key} must be finite, was {text}")
    return number
