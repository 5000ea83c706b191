"""Corporate actions in Parquet and CSV files."""

from pathlib import Path

import polars as pl

from outcry.errors import DataNotFoundError, DataValidationError
from outcry.market.corporate_actions import CorporateAction
from outcry.market.symbols import normalise_symbol

_SCHEMA = {"symbol": pl.String, "ex_date": pl.Date, "split_ratio": pl.Float64, "dividend": pl.Float64}


def read_actions(path: Path) -> list[CorporateAction]:
    """Read a file with the columns symbol, ex_date, split_ratio and dividend; the last two may be empty, or one absent.

    Raises
    ------
    DataNotFoundError
        Where there is no such file.
    DataValidationError
        Where it cannot be read, lacks a column, or holds an impossible value.
    """
    if not path.is_file():
        raise DataNotFoundError(f"market.corporate_actions must be a .parquet or .csv file, {path} is none")
    try:
        table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, try_parse_dates=True)
        missing = [name for name in ("symbol", "ex_date") if name not in table.columns]
        if missing or not {"split_ratio", "dividend"} & set(table.columns):
            raise DataValidationError(
                f"{path} must have the columns symbol, ex_date, and split_ratio or dividend, has "
                f"{', '.join(table.columns)}"
            )
        table = table.select(pl.col(name).cast(kind) for name, kind in _SCHEMA.items() if name in table.columns)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataValidationError(
            f"{path} must be a table of corporate actions: {str(error).splitlines()[0]}"
        ) from error
    for name in ("symbol", "ex_date"):
        if table[name].has_nulls():
            raise DataValidationError(f"{name} must be in every row of {path}, is empty in {table[name].null_count()}")
    return [
        CorporateAction(
            normalise_symbol(row["symbol"]),
            row["ex_date"],
            _or(row.get("split_ratio"), 1.0),
            _or(row.get("dividend"), 0.0),
        )
        for row in table.iter_rows(named=True)
    ]


def _or(value: float | None, absent: float) -> float:
    return absent if value is None else value
