"""Bars of any source, in one schema."""

import difflib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from outcry.adapters.sources.files import list_files, list_symbols, read_files
from outcry.adapters.sources.sample import SAMPLE_SYMBOLS, read_sample
from outcry.errors import DataNotFoundError
from outcry.market.bar_table import normalise_bars
from outcry.market.source import SAMPLE
from outcry.market.symbols import normalise_symbol


def read_bars(source: str, symbols: tuple[str, ...] | int | None = None) -> pl.DataFrame:
    """Read bars of a source into the schema of `normalise_bars`, in the order of the source.

    Parameters
    ----------
    source : str
        As `SourceConfig`.
    symbols : tuple of str, int or None
        As `SourceConfig`.

    Returns
    -------
    polars.DataFrame
        As `normalise_bars`; prices are not checked.

    Raises
    ------
    DataNotFoundError
        For a missing file or an unknown symbol, or more symbols than there are.
    DataValidationError
        For an unreadable file, wrong columns or a malformed symbol.
    """
    if source == SAMPLE:
        chosen = _choose(SAMPLE_SYMBOLS, symbols, source)
        return normalise_bars(read_sample().filter(pl.col("symbol").is_in(chosen)), source)
    files = list_files(Path(source).expanduser())
    wanted = None if symbols is None else _choose(list_symbols(files), symbols, source)
    return normalise_bars(read_files(files, wanted), Path(source).name)


def _choose(available: Sequence[str], symbols: tuple[str, ...] | int | None, source: str) -> list[str]:
    """Return the spellings, as in the source, of the symbols asked for."""
    spellings: dict[str, list[str]] = {}
    for text in available:
        spellings.setdefault(normalise_symbol(text), []).append(text)
    names = sorted(spellings)
    if isinstance(symbols, int):
        if symbols > len(names):
            raise DataNotFoundError(f"symbols must be at most {len(names)}, the number in {source}, was {symbols}")
        names = names[:symbols]
    elif symbols is not None:
        for symbol in symbols:
            if symbol not in spellings:
                close = difflib.get_close_matches(symbol, names, n=3, cutoff=0.5)
                hint = f"did you mean {', '.join(close)}?" if close else f"it has {', '.join(names[:10])}, …"
                raise DataNotFoundError(f"symbols must be in {source}, {symbol} is not; {hint}")
        names = sorted(symbols)
    return [text for name in names for text in spellings[name]]
