"""Read settings from YAML files, the environment and the command line, with errors that read like help.

Later sources win: ``base.yaml``, ``<mode>.yaml``, the file of ``--config``, ``.env``, ``OUTCRY_…`` variables,
``--set section.key=value``, named options. A nested key is ``OUTCRY_RISK__DAILY_LOSS_FRAC`` in the environment.
"""

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values
from pydantic import BaseModel, ValidationError

from configs.features import FeaturesConfig
from configs.schema import Settings
from outcry.errors import ConfigurationError

CONFIG_DIR = Path(__file__).parent
PREFIX = "OUTCRY_"
_ALIASES = {f"{name}_URL": f"STORAGE__{name}_URL" for name in ("DATABASE", "REDIS", "MLFLOW")}


def load_settings(
    *,
    mode: str | None = None,
    config: Path | None = None,
    assignments: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Settings:
    """Load the settings of a command.

    Parameters
    ----------
    mode : str or None
        None takes the mode of `assignments`, environment or file; it selects ``configs/<mode>.yaml``.
    config : Path or None
        A YAML file of the user.
    assignments : sequence of str
        ``section.key=value`` as given with ``--set``; the value is read as YAML.
    options : mapping or None
        Nested values of named command-line options.

    Raises
    ------
    ConfigurationError
        For an unreadable file, an unknown key or a value outside its range; the message names key, value and rule.
    """
    chosen: dict[str, Any] = {} if config is None else _read_yaml(config)
    _merge(chosen, _read_environment())
    for assignment in assignments:
        key, separator, text = assignment.partition("=")
        if not separator or not key:
            raise ConfigurationError(f"--set must have the form section.key=value, was {assignment!r}")
        _merge(chosen, _nest(key.strip().split("."), _read_scalar(text)))
    _merge(chosen, options or {})
    if mode is not None:
        chosen["mode"] = mode
    values = _read_yaml(CONFIG_DIR / "base.yaml")
    mode_file = CONFIG_DIR / f"{chosen.get('mode', values['mode'])}.yaml"
    if mode_file.is_file():
        _merge(values, _read_yaml(mode_file))
    _merge(values, chosen)
    if isinstance(features := values.get("features", {}), dict):
        name = features.get("set", FeaturesConfig.model_fields["set"].default)
        values["features"] = _read_feature_set(name) | features
    return restore_settings(values)


def restore_settings(values: Mapping[str, Any]) -> Settings:
    """Return the settings of these values, untouched by files and environment: how a recorded run is read back."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(_describe(error)) from error


def _read_feature_set(name: Any) -> dict[str, Any]:
    shipped = sorted(path.stem for path in (CONFIG_DIR / "feature_sets").glob("*.yaml"))
    path = CONFIG_DIR / "feature_sets" / f"{name}.yaml" if name in shipped else Path(str(name))
    if not path.is_file():
        raise ConfigurationError(f"features.set must be {', '.join(shipped)} or a YAML file, was {name!r}")
    return _read_yaml(path)


def _read_environment() -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, text in {**dotenv_values(".env"), **os.environ}.items():
        name = variable.removeprefix(PREFIX)
        if not variable.startswith(PREFIX) or name.startswith("TEST_") or text is None:
            continue
        keys = [key.lower() for key in _ALIASES.get(name, name).split("__")]
        if keys[0] not in Settings.model_fields:
            raise ConfigurationError(f"environment variable {variable} names no setting of outcry")
        _merge(values, _nest(keys, _read_scalar(text)))
    return values


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise ConfigurationError(f"--config must name a readable YAML file, was {path} ({reason})") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} must be valid YAML: {error}") from error
    if not isinstance(content, dict | None):
        raise ConfigurationError(f"{path} must hold a mapping of sections, was {type(content).__name__}")
    return content or {}


def _read_scalar(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _nest(keys: list[str], value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        value = {key: value}
    return dict(value)


def _merge(into: dict[str, Any], new: Mapping[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, Mapping):
            branch = into.setdefault(key, {})
            if isinstance(branch, dict):
                _merge(branch, value)
                continue
        into[key] = value


def _describe(error: ValidationError) -> str:
    """One line a mistake: key, rule, value."""
    lines = []
    for mistake in error.errors(include_url=False, include_context=False):
        location = [str(part) for part in mistake["loc"]]
        key = ".".join(location)
        if mistake["type"] == "extra_forbidden":
            close = difflib.get_close_matches(location[-1], _keys_beside(location), n=1)
            hint = f"; did you mean {'.'.join([*location[:-1], close[0]])}?" if close else ""
            lines.append(f"{key} is not a setting{hint}")
        else:
            rule = mistake["msg"].removeprefix("Value error, ")
            value = "a secret" if location[0] == "storage" else repr(mistake["input"])
            lines.append(f"{key}: {rule[:1].lower()}{rule[1:]}, was {value}")
    return "\n".join(lines)


def _keys_beside(location: list[str]) -> list[str]:
    model: Any = Settings
    for part in location[:-1]:
        if part not in model.model_fields:
            return []
        model = model.model_fields[part].annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return []
    return list(model.model_fields)
