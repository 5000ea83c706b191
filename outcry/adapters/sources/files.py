"""Bars in Parquet and CSV files."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from outcry.errors import DataNotFoundError, DataValidationError
from outcry.market.bar_table import OPTIONAL_COLUMNS, REQUIRED_COLUMNS, check_columns

_SUFFIXES = (".parquet", ".csv")
# A type guessed from the first rows is wrong where they are empty.
_CSV_TYPES = {"symbol": pl.String, **dict.fromkeys(OPTIONAL_COLUMNS, pl.Float64)}


def list_files(path: Path) -> tuple[Path, ...]:
    """Return the bar files of a path: itself, or the Parquet files of a folder, or its CSV files, by name.

    Raises
    ------
    DataNotFoundError
        Where the path does not exist, or a folder holds neither.
    DataValidationError
        Where the file is of another kind.
    """
    if path.is_dir():
        for suffix in _SUFFIXES:
            files = tuple(sorted(path.glob(f"*{suffix}")))
            if files:
                return files
        raise DataNotFoundError(f"source must hold .parquet or .csv files, folder {path} has none")
    if not path.exists():
        raise DataNotFoundError(
            f"source must be 'sample' or a .parquet or .csv file or a folder, {path} does not exist"
        )
    if path.suffix not in _SUFFIXES:
        raise DataValidationError(f"source must be a .parquet or .csv file, was {path}")
    return (path,)


def list_symbols(files: Sequence[Path]) -> tuple[str, ...]:
    """Return the symbols in these files as they are spelled there, ascending."""
    names: set[str] = set()
    for path in files:
        scan = _scan(path)
        symbols = _collect(scan.select(pl.col("symbol").cast(pl.String).unique()), path)
        names.update(symbols.get_column("symbol").drop_nulls().to_list())
    return tuple(sorted(names))


def read_files(files: Sequence[Path], symbols: Sequence[str] | None = None) -> pl.DataFrame:
    """Read bars; rows keep their order within a file, files follow each other by the time of their first bar.

    Parameters
    ----------
    files : sequence of Path
    symbols : sequence of str or None
        As spelled in the files; None reads all.

    Raises
    ------
    DataNotFoundError
        Where the files hold no bars.
    DataValidationError
        Where a file cannot be read, or lacks a column.
    """
    tables = []
    for path in files:
        scan = _scan(path)
        if symbols is not None:
            scan = scan.filter(pl.col("symbol").cast(pl.String).is_in(list(symbols)))
        table = _collect(scan, path)
        if table.height:
            tables.append(table)
    if not tables:
        raise DataNotFoundError(f"source must hold bars, {', '.join(map(str, files))} holds none")
    if len(tables) == 1:
        return tables[0]
    try:
        tables.sort(key=lambda table: str(table.get_column("ts")[0]))
        return pl.concat(tables, how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        raise DataValidationError(f"files of {files[0].parent} must have one schema: {_reason(error)}") from error


def _scan(path: Path) -> pl.LazyFrame:
    """Open a file without reading its rows; only the columns of a bar are ever read."""
    try:
        if path.suffix == ".csv":
            scan = pl.scan_csv(path, try_parse_dates=True, schema_overrides=_CSV_TYPES)
        else:
            scan = pl.scan_parquet(path)
        found = scan.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(path, error) from error
    check_columns(found, path.name)
    return scan.select(*REQUIRED_COLUMNS, *(name for name in OPTIONAL_COLUMNS if name in found))


def _collect(scan: pl.LazyFrame, path: Path) -> pl.DataFrame:
    try:
        return scan.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataValidationError:
    return DataValidationError(f"{path} must be a readable {path.suffix[1:]} file, is not: {_reason(error)}")


def _reason(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
