"""A grid of settings and parameters, as ``--grid`` writes it: read, checked against the settings, and multiplied out.

::

    portfolio.max_positions=5,10,20                     a list
    portfolio.target_volatility_per_year=0.05..0.25/5   so many values, evenly spaced, both ends among them
    param.window=10..50:10                              a first value, a last one, and the step between
    param.edge=0.01..0.05                               everything between, for a search that is not the grid; whole
                                                        numbers where the key takes them
    broker.latency_ms=[[0, 0], [50, 250]]               a list in YAML, for values that are lists themselves
"""

import difflib
import json
import math
import re
import types
import typing
from collections.abc import Collection, Mapping, Sequence
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
RANGE_STEPS = 10_000
"""Of a range without steps: finer than any result can tell, and each value has few digits."""

_KEPT_OUT = {
    "market": "it changes the data",
    "features": "it changes the features",
    "training": "it changes the forecasts",
    "mode": "a sweep is a backtest",
    "report": "it changes no trade",
}
_RANGE = re.compile(r"(?P<first>[^.\s]\S*?|\.\d\S*?)\.\.(?P<last>[^/:\s]+)(?:(?P<kind>[/:])(?P<detail>\S+))?")
_FORMS = "a,b,c or first..last/count or first..last:step or first..last"


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
        axis = read_axis(key, values, _kinds_of(key, settings, parameters or {}))
        _check_values(axis, settings, parameters or {})
        axes.append(axis)
    if not axes:
        raise ConfigurationError("--grid must name at least one setting or parameter")
    return SweepGrid(tuple(axes))


def read_axis(key: str, text: str, kinds: Collection[Any] = ()) -> Axis:
    """Return the axis of a list or a range.

    Parameters
    ----------
    key, text : str
    kinds : collection of type
        What the key takes, as far as it is known: of a range without steps they say whether it means whole numbers;
        where they do not, both ends decide.

    Examples
    --------
    >>> read_axis("k", "0.1..0.3:0.1").values, read_axis("k", "5..25/5").values, read_axis("k", "true,false").values
    ((0.1, 0.2, 0.3), (5, 10, 15, 20, 25), (True, False))
    >>> read_axis("k", "1..3"), read_axis("k", "1..3", [float])
    (Axis(key='k', values=(1, 2, 3), is_range=False), Axis(key='k', values=(1.0, 3.0), is_range=True))
    """
    if text.startswith("["):
        values = _read_yaml(key, text)
        if not isinstance(values, list):
            raise ConfigurationError(f"--grid {key} must be a list in YAML where it begins with [, was {text}")
    elif ".." in text:
        match = _RANGE.fullmatch(text)
        if match is None:
            raise ConfigurationError(f"--grid {key} must be {_FORMS}, was {text}")
        if match["kind"] is None:
            return _read_span(key, text, match, kinds)
        values = _read_range(key, text, match)
    else:
        values = [_read_yaml(key, part) for part in text.split(",")]
    if not values:
        raise ConfigurationError(f"--grid {key}={text} must hold a value, is empty")
    for place, value in enumerate(values):
        if any(type(value) is type(other) and value == other for other in values[:place]):
            raise ConfigurationError(f"--grid {key}={text} must hold each value once, holds {value} twice")
    return Axis(key, tuple(values))


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


def _kinds_of(key: str, settings: Settings, parameters: Mapping[str, Any]) -> set[Any]:
    """Return the types that a key takes, those of a union one by one."""
    section, _, name = key.partition(".")
    if section == PARAMETER:
        open_kinds = [parameters.get(name, object)]
    else:
        open_kinds = [type(getattr(settings, section)).model_fields[name].annotation]
    found: set[Any] = set()
    while open_kinds:
        kind = open_kinds.pop()
        if typing.get_origin(kind) in (typing.Union, types.UnionType):
            open_kinds += typing.get_args(kind)
        else:
            found.add(kind)
    return found


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


def _read_span(key: str, text: str, match: re.Match[str], kinds: Collection[Any]) -> Axis:
    first, last = (_read_number(key, match[name]) for name in ("first", "last"))
    if last <= first:
        raise ConfigurationError(f"--grid {key}={text} is empty: {last} is not above {first}")
    is_whole = first == first.to_integral_value() and last == last.to_integral_value()
    if is_whole and float not in kinds and (int in kinds or _is_written_whole(match)):
        if last - first >= MOST_POINTS:
            raise ConfigurationError(f"--grid {key}={text} must have at most {MOST_POINTS:,} values, has more")
        return Axis(key, tuple(range(int(first), int(last) + 1)))
    return Axis(key, (float(first), float(last)), is_range=True)


def _read_range(key: str, text: str, match: re.Match[str]) -> list[int | float]:
    first, last = (_read_number(key, match[name]) for name in ("first", "last"))
    values = (
        _spaced(key, text, first, last, match["detail"])
        if match["kind"] == "/"
        else _stepped(key, text, first, last, match["detail"])
    )
    is_whole = all(value == value.to_integral_value() for value in (first, last, *values))
    return [int(value) for value in values] if is_whole and _is_written_whole(match) else [float(v) for v in values]


def _is_written_whole(match: re.Match[str]) -> bool:
    return not any(sign in match["first"] + match["last"] for sign in ".eE")


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
