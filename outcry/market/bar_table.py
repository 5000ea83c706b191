"""A table of bars as it comes from a source, in one schema."""

import numpy as np
import polars as pl

from outcry.errors import DataValidationError
from outcry.market.frame import PRICE_FIELDS, TAPE_FIELDS, IntArray
from outcry.market.symbols import normalise_symbol

REQUIRED_COLUMNS = ("symbol", "ts", *PRICE_FIELDS, "volume")
OPTIONAL_COLUMNS = ("vwap", *TAPE_FIELDS)


def check_columns(found: list[str], origin: str) -> None:
    """Raise `DataValidationError` where a required column is missing; it lists the missing and the found."""
    missing = [name for name in REQUIRED_COLUMNS if name not in found]
    if missing:
        raise DataValidationError(
            f"{origin} must have the columns {', '.join(REQUIRED_COLUMNS)}; missing {', '.join(missing)}, "
            f"found {', '.join(found) or 'none'}"
        )


def normalise_bars(table: pl.DataFrame, origin: str) -> pl.DataFrame:
    """Bring a table of bars into the schema that the rest of outcry reads; rows keep their order.

    Parameters
    ----------
    table : polars.DataFrame
        Columns `REQUIRED_COLUMNS` and any of `OPTIONAL_COLUMNS`; others are left out. ``ts`` is the instant the bar
        opens: a timestamp (without a zone it is UTC) or, for daily bars, a date. Quotes are those at its close.
    origin : str
        Where the table comes from, for messages.

    Returns
    -------
    polars.DataFrame
        ``symbol`` (Enum of the symbols in ascending order), ``ts_ns`` (Int64, nanoseconds UTC), ``open``, ``high``,
        ``low``, ``close``, ``volume``, ``vwap`` (Float64). A null volume becomes 0 (currency pairs have none); a
        missing ``vwap`` becomes (high + low + close) / 3. Those of `TAPE_FIELDS` that the table has follow, null where
        not known. Values are not checked here.

    Raises
    ------
    DataValidationError
        For a missing column, a column of another type, a missing time, or a malformed symbol.
    """
    check_columns(table.columns, origin)
    names = table.get_column("symbol").cast(pl.String)
    if names.null_count():
        raise DataValidationError(f"symbol must be present in every row, {origin} has {names.null_count()} without")
    codes = names.cast(pl.Categorical)
    spelled = {text: normalise_symbol(text) for text in codes.unique().cast(pl.String).to_list()}
    kind = pl.Enum(sorted(set(spelled.values())))
    changed = {text: symbol for text, symbol in spelled.items() if text != symbol}
    symbol = (names.replace(changed) if changed else codes).cast(pl.String).cast(kind)
    numbers = [_as_number(table, name, origin) for name in (*PRICE_FIELDS, "volume")]
    vwap = _as_number(table, "vwap", origin) if "vwap" in table.columns else pl.Series("vwap", [None], dtype=pl.Float64)
    bars = pl.DataFrame([symbol.alias("symbol"), _as_ns(table.get_column("ts"), origin), *numbers])
    tape = [_as_number(table, name, origin).fill_nan(None) for name in TAPE_FIELDS if name in table.columns]
    return bars.with_columns(
        pl.col("volume").fill_null(0.0),
        pl.lit(vwap).fill_nan(None).fill_null((pl.col("high") + pl.col("low") + pl.col("close")) / 3).alias("vwap"),
        *tape,
    )


def bar_symbols(bars: pl.DataFrame) -> tuple[tuple[str, ...], IntArray]:
    """Return the symbols of a normalised table, ascending, and the position among them of each row, (n_bars,)."""
    column = bars.get_column("symbol")
    kind = column.dtype
    symbols = tuple(kind.categories) if isinstance(kind, pl.Enum) else ()
    return symbols, column.to_physical().to_numpy().astype(np.int64)


def _as_number(table: pl.DataFrame, name: str, origin: str) -> pl.Series:
    column = table.get_column(name)
    if not (column.dtype.is_numeric() or column.dtype == pl.Null):
        raise DataValidationError(f"{name} must be a number, {origin} has {column.dtype} ({_first(column)})")
    return column.cast(pl.Float64)


def _as_ns(column: pl.Series, origin: str) -> pl.Series:
    if column.dtype != pl.Date and not isinstance(column.dtype, pl.Datetime):
        raise DataValidationError(
            f"ts must be a timestamp as 2025-05-12T13:30:00Z or a date, {origin} has {column.dtype} ({_first(column)})"
        )
    if column.null_count():
        raise DataValidationError(f"ts must be present in every row, {origin} has {column.null_count()} without")
    return column.cast(pl.Datetime("ns")).dt.epoch("ns").cast(pl.Int64).alias("ts_ns")


def _first(column: pl.Series) -> str:
    present = column.drop_nulls()
    return f"first value {present[0]!r}" if len(present) else "empty"
