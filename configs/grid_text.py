"""The values of one axis of a grid, as ``--grid`` writes them.

::

    portfolio.max_positions=5,10,20                     a list
    portfolio.target_volatility_per_year=0.05..0.25/5   so many values, evenly spaced, both ends among them
    param.window=10..50:10                              a first value, a last one, and the step between
    param.edge=0.01..0.05                               everything between, for a search that is not the grid; whole
                                                        numbers where the key takes them
    broker.latency_ms=[[0, 0], [50, 250]]               a list in YAML, for values that are lists themselves
"""

import math
import re
from collections.abc import Collection
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any

import yaml

from configs.grid import MOST_POINTS, Axis
from outcry.errors import ConfigurationError

_RANGE = re.compile(r"(?P<first>[^.\s]\S*?|\.\d\S*?)\.\.(?P<last>[^/:\s]+)(?:(?P<kind>[/:])(?P<detail>\S+))?")
FORMS = "a,b,c or first..last/count or first..last:step or first..last"


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
            raise ConfigurationError(f"--grid {key} must be {FORMS}, was {text}")
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
