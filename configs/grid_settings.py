"""A grid over the settings: read from ``--grid``, checked against them, and the settings of each of its points."""

import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from configs.grid import PARAMETER, SECTIONS, Axis, SweepGrid
from configs.grid_text import FORMS, read_axis
from configs.schema import Settings
from outcry.config import FrozenConfig
from outcry.errors import ConfigurationError

_KEPT_OUT = {
    "market": "it changes the data",
    "features": "it changes the features",
    "training": "it changes the forecasts",
    "alphas": "it changes what is forecast",
    "mode": "a sweep is a backtest",
    "report": "it changes no trade",
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
            raise ConfigurationError(f"--grid must have the form KEY=VALUES, with VALUES {FORMS}, was {text!r}")
        if any(axis.key == key for axis in axes):
            raise ConfigurationError(f"--grid {key} must be given once, was given twice")
        _check_key(key, settings, parameters)
        axis = read_axis(key, values, _kinds_of(key, settings, parameters or {}))
        _check_values(axis, settings, parameters or {})
        axes.append(axis)
    if not axes:
        raise ConfigurationError("--grid must name at least one setting or parameter")
    return SweepGrid(tuple(axes))


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
