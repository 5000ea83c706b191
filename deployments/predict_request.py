"""Read the body of a prediction request: rows of features with their names, or symbols.

JSON
    ``{"rows": [[0.1, null, …], …], "feature_names": […]}``; the names default to those the model reads, in its order.
    ``"windows": [[[0.1, null, …], …], …]`` beside ``rows``, for a model that reads windows: of each row the last bars,
    oldest first and that of the row last, with the columns of the rows. They are read as float32.
    ``{"features": [{"tech_rsi_14": 55.2, …}, …]}``
    ``{"symbols": ["AAPL", …]}``
    ``symbols`` beside ``rows`` or ``features`` names the rows. A feature that is not known yet is null.
Arrow IPC stream
    One float64 column a feature, named; a string column ``symbol`` may name the rows. NaN or null is not known yet.
    A column ``window``, fixed_size_list<float32>[n_bars * n_features], holds the last bars of each row one after the
    other, oldest first, each with the features in the order of their columns; NaN is not known yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from outcry.errors import OutcryError
from outcry.market.frame import Float32Array, FloatArray

_NUMBERS = {int, float, type(None)}
_MAX_SYMBOL_LENGTH = 32


class RequestError(OutcryError):
    """A request breaks a rule; `status_code` is that of HTTP."""

    def __init__(self, status_code: int, detail: str) -> None:
        super().__init__(status_code, detail)
        self.status_code = status_code
        self.detail = detail


@dataclass(frozen=True, slots=True, eq=False)
class PredictRequest:
    """What is to be predicted.

    Attributes
    ----------
    symbols : tuple of str, optional
        One a row.
    columns : tuple of str
        Names of the columns of `rows`.
    rows : float64 (n_rows, n_columns), optional
        Absent where the latest features of `symbols` are asked for.
    windows : float32 (n_rows, n_bars, n_columns), optional
        The last bars of each row.
    """

    symbols: tuple[str, ...] | None
    columns: tuple[str, ...] = ()
    rows: FloatArray | None = None
    windows: Float32Array | None = None


def parse_json(body: bytes, feature_names: tuple[str, ...], max_rows: int) -> PredictRequest:
    """Read a JSON body.

    Parameters
    ----------
    body : bytes
    feature_names : tuple of str
        What the columns of nameless rows are.
    max_rows : int

    Raises
    ------
    RequestError
        400 where it is no JSON, 413 where it has too many rows, 422 where it breaks a rule of the schema.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"body must be JSON, with null for a feature not known yet: {error}") from None
    if not isinstance(content, dict):
        raise RequestError(422, f"body must be an object, was {_kind(content)}")
    given = [name for name in ("rows", "features") if name in content]
    unknown = sorted(content.keys() - {"rows", "features", "feature_names", "symbols", "windows"})
    if unknown:
        raise RequestError(422, f"body must hold rows, features or symbols, had {unknown[0]!r}")
    if len(given) == 2:
        raise RequestError(422, "body must hold rows or features, had both")
    if not given and "symbols" not in content:
        raise RequestError(422, "body must hold rows, features or symbols, had none of them")
    if "feature_names" in content and given != ["rows"]:
        raise RequestError(422, "feature_names must stand beside rows, stood alone")
    if "windows" in content and given != ["rows"]:
        raise RequestError(422, "windows must stand beside rows, stood alone")
    symbols = _symbols(content["symbols"], max_rows) if "symbols" in content else None
    if not given:
        return PredictRequest(symbols)
    if given == ["rows"]:
        columns = _names(content["feature_names"]) if "feature_names" in content else feature_names
        table = _table(content["rows"], "rows", max_rows)
        _check_widths(table, len(columns))
    else:
        columns, table = _by_name(_table(content["features"], "features", max_rows))
    windows = _windows(content["windows"], len(table), len(columns)) if "windows" in content else None
    return _request(symbols, columns, _floats(table, len(columns)), windows)


def parse_arrow(body: bytes, max_rows: int) -> PredictRequest:
    """Read an Arrow IPC stream.

    Raises
    ------
    RequestError
        400 where it is no such stream, 413 where it has too many rows, 422 where a column has another type.
    """
    try:
        with pa.ipc.open_stream(body) as reader:
            table = reader.read_all()
            table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise RequestError(400, f"body must be an Arrow IPC stream: {error}") from None
    names = [name for name in table.column_names if name not in {"symbol", "window"}]
    _check_count(table.num_rows, "rows", max_rows)
    _check_unique(table.column_names)
    if not names:
        raise RequestError(422, "body must have a column for each feature, had none")
    for name in names:
        if table.schema.field(name).type != pa.float64():
            raise RequestError(422, f"column {name} must be float64, was {table.schema.field(name).type}")
    symbols = _symbols(table["symbol"].to_pylist(), max_rows) if "symbol" in table.column_names else None
    rows = np.empty((table.num_rows, len(names)))
    for i, name in enumerate(names):
        rows[:, i] = table[name].to_numpy()  # null becomes NaN
    windows = _arrow_windows(table["window"], len(names)) if "window" in table.column_names else None
    return _request(symbols, tuple(names), rows, windows)


def _arrow_windows(column: pa.ChunkedArray, width: int) -> Float32Array:
    kind = column.type
    if not pa.types.is_fixed_size_list(kind) or kind.value_type != pa.float32():
        raise RequestError(422, f"column window must be a fixed_size_list of float32, was {kind}")
    if kind.list_size == 0 or kind.list_size % width:
        raise RequestError(422, f"column window must have a multiple of {width} numbers a row, had {kind.list_size}")
    if column.null_count:
        raise RequestError(422, "column window must have a list in each row, had null")
    numbers: Float32Array = column.combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    return numbers.reshape(len(column), -1, width)


def _request(
    symbols: tuple[str, ...] | None, columns: tuple[str, ...], rows: FloatArray, windows: Float32Array | None
) -> PredictRequest:
    if symbols is not None and len(symbols) != len(rows):
        raise RequestError(422, f"symbols must name each of the {len(rows)} rows, had {len(symbols)}")
    infinite = np.isinf(rows)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        name = columns[column]
        raise RequestError(422, f"feature {name} must be finite or null, was {rows[row, column]} in row {row}")
    if windows is not None and (infinite := np.isinf(windows)).any():
        row, bar, column = np.argwhere(infinite)[0]
        raise RequestError(
            422, f"feature {columns[column]} must be finite as float32 or null, was not in bar {bar} of window {row}"
        )
    return PredictRequest(symbols, columns, rows, windows)


def _table(value: Any, name: str, max_rows: int) -> list[Any]:
    if not isinstance(value, list):
        raise RequestError(422, f"{name} must be a list, was {_kind(value)}")
    _check_count(len(value), name, max_rows)
    return value


def _check_count(n_rows: int, name: str, max_rows: int) -> None:
    if n_rows == 0:
        raise RequestError(422, f"{name} must hold at least one, was empty")
    if n_rows > max_rows:
        raise RequestError(413, f"{name} must hold at most {max_rows}, held {n_rows}")


def _windows(value: Any, n_rows: int, width: int) -> Float32Array:
    if not isinstance(value, list) or not all(isinstance(window, list) for window in value):
        raise RequestError(422, "windows must be a list of lists of bars, was something else")
    lengths = {len(window) for window in value}
    if len(value) != n_rows or len(lengths) != 1 or lengths == {0}:
        raise RequestError(
            422,
            f"windows must hold as many bars for each of the {n_rows} rows, held {sorted(lengths)} for {len(value)}",
        )
    bars = list(chain.from_iterable(value))
    _check_widths(bars, width, "bar")
    with np.errstate(over="ignore"):  # what is too large is found with what is infinite
        return _floats(bars, width, "bar").astype(np.float32).reshape(n_rows, -1, width)


def _check_widths(table: list[Any], width: int, name: str = "row") -> None:
    for i, row in enumerate(table):
        if not isinstance(row, list):
            raise RequestError(422, f"{name} {i} must be a list of numbers, was {_kind(row)}")
        if len(row) != width:
            raise RequestError(422, f"{name} {i} must have {width} numbers, one a feature, had {len(row)}")


def _by_name(table: list[Any]) -> tuple[tuple[str, ...], list[list[Any]]]:
    """Give objects the columns of the first one; every other must name the same."""
    for i, row in enumerate(table):
        if not isinstance(row, dict):
            raise RequestError(422, f"features {i} must be an object of names and numbers, was {_kind(row)}")
        if row.keys() != table[0].keys():
            name = sorted(row.keys() ^ table[0].keys())[0]
            raise RequestError(422, f"features {i} must name the same as features 0, did not at {name!r}")
    columns = tuple(table[0])
    return columns, [[row[name] for name in columns] for row in table]


def _floats(table: list[list[Any]], width: int, kind: str = "row") -> FloatArray:
    """Return float64 (n_rows, width); a bool or a text is refused, since NumPy would turn it into a number."""
    for i, row in enumerate(table):
        if not _NUMBERS.issuperset(map(type, row)):
            wrong = next(value for value in row if type(value) not in _NUMBERS)
            raise RequestError(422, f"{kind} {i} must hold numbers or null, held {_kind(wrong)}")
    numbers = np.fromiter(chain.from_iterable(table), dtype=object, count=len(table) * width)
    return numbers.astype(np.float64).reshape(len(table), width)  # None becomes NaN


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise RequestError(422, f"feature_names must be a list of texts, was {_kind(value)}")
    _check_unique(value)
    return tuple(value)


def _check_unique(names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise RequestError(422, f"feature names must be unique, {repeated[0]!r} repeats")


def _symbols(value: Any, max_rows: int) -> tuple[str, ...]:
    symbols = _table(value, "symbols", max_rows)
    for symbol in symbols:
        if not isinstance(symbol, str) or not 0 < len(symbol) <= _MAX_SYMBOL_LENGTH:
            raise RequestError(422, f"symbols must be texts of 1 to {_MAX_SYMBOL_LENGTH} characters, held {symbol!r}")
    return tuple(symbols)


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return kinds.get(type(value), "a number")
