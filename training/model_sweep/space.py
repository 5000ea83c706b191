"""What a search may change: parameters of the members, as ranges or values, by ``FAMILY.PARAMETER``."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from configs.training import TrainingConfig
from outcry.errors import ConfigurationError
from outcry.models.families import find_family
from outcry.models.parameter_space import Choices, ParameterSpace, Searchable, Span

_MARKS = {"log", "int"}


def space_of(config: TrainingConfig, assignments: Sequence[str], *, is_wide: bool = False) -> ParameterSpace:
    """Return what is searched: what the user names, or else what each member says of itself.

    Parameters
    ----------
    config : TrainingConfig
    assignments : sequence of str
        ``FAMILY.PARAMETER=LOW..HIGH``, with ``:log`` or ``:int`` behind it where the range is one of logarithms or of
        integers, or ``FAMILY.PARAMETER=VALUE,VALUE,…``.

    is_wide : bool
        Take the wide ranges of a member that has some.

    Raises
    ------
    ConfigurationError
        Where a text has another form, names no parameter of a member, or a value is outside its rule.
    """
    if not assignments:
        space = {f"{name}.{key}": each for name in config.families for key, each in _own_space(name, is_wide).items()}
        if not space:
            raise ConfigurationError(f"--space must name what is searched: {', '.join(config.families)} say nothing")
        return space
    space = {}
    for text in assignments:
        key, equals, values = text.partition("=")
        key = key.strip()
        if not equals or not values.strip():
            raise ConfigurationError(f"--space must be FAMILY.PARAMETER=LOW..HIGH or =VALUE,VALUE, was {text!r}")
        if key in space:
            raise ConfigurationError(f"--space must name {key} once")
        _check_key(config, key)
        space[key] = _read_values(text, values.strip())
    for key, each in space.items():
        for value in _ends(each):
            settings_at(config, {key: value})
    return space


def settings_at(config: TrainingConfig, point: Mapping[str, Any]) -> TrainingConfig:
    """Return the settings with the parameters of a point.

    Raises
    ------
    ConfigurationError
        Where a value is outside its rule.
    """
    changed: dict[str, Any] = {}
    for name in config.families:
        prefix = f"{name}."
        own = {key.removeprefix(prefix): value for key, value in point.items() if key.startswith(prefix)}
        if own:
            params = getattr(config, name)
            try:
                changed[name] = type(params).model_validate(params.model_dump() | own)
            except ValueError as error:
                raise ConfigurationError(f"{prefix}{_first_reason(error)}") from None
    return config.model_copy(update=changed)


def to_json(space: ParameterSpace) -> dict[str, Any]:
    """Return a space as JSON values."""
    return {
        key: {"low": each.low, "high": each.high, "log": each.is_log, "integer": each.is_integer}
        if isinstance(each, Span)
        else list(each.values)
        for key, each in space.items()
    }


def _ends(each: Span | Choices) -> tuple[Any, ...]:
    if isinstance(each, Choices):
        return each.values
    return (round(each.low), round(each.high)) if each.is_integer else (each.low, each.high)


def _own_space(name: str, is_wide: bool) -> ParameterSpace:
    family = find_family(name)
    spaces = family.search_spaces if isinstance(family, Searchable) else {"narrow": {}}
    return spaces.get("wide", spaces["narrow"]) if is_wide else spaces["narrow"]


def _check_key(config: TrainingConfig, key: str) -> None:
    family, _, parameter = key.partition(".")
    if family not in config.families:
        raise ConfigurationError(f"--space must name a parameter of {' or '.join(config.families)}, was {key!r}")
    known = list(find_family(family).params.model_fields)
    if parameter not in known:
        raise ConfigurationError(f"--space: {family} has the parameters {', '.join(known)}, not {parameter!r}")


def _read_values(text: str, values: str) -> Span | Choices:
    try:
        bounds, *marks = values.split(":")
        low, dots, high = bounds.partition("..")
        if not dots:
            return Choices(tuple(yaml.safe_load(value) for value in values.split(",")))
        if not set(marks) <= _MARKS:
            raise ConfigurationError(f"marks of a range must be :log or :int, were {':'.join(marks)!r}")
        return Span(float(low), float(high), is_log="log" in marks, is_integer="int" in marks)
    except (ValueError, yaml.YAMLError):
        raise ConfigurationError(f"--space must be FAMILY.PARAMETER=LOW..HIGH or =VALUE,VALUE, was {text!r}") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"--space {text}: {error}") from None


def _first_reason(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}, was {first['input']!r}"
