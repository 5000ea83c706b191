"""The prices of a benchmark, read before a run starts."""

import datetime as dt
from pathlib import Path

import numpy as np

from outcry.adapters.sources.files import list_files, list_symbols
from outcry.adapters.sources.load import load_market
from outcry.backtest.benchmark import Benchmark, BenchmarkChoice, name_of, parse_benchmark
from outcry.errors import DataError, DataNotFoundError
from outcry.market.corporate_actions import total_return
from outcry.market.frame import DIVIDEND
from outcry.market.source import SourceConfig
from outcry.market.symbols import normalise_symbol

DAYS_BEFORE = dt.timedelta(days=14)
"""Bars before the span of the run that are read, so that a price is known at its first instant, holidays or not."""


def load_benchmark(
    text: str, market: SourceConfig, traded_span_ns: tuple[int, int], risk_free_per_year: float
) -> Benchmark | None:
    """Return the benchmark that a text names; None for the universe of the run, whose prices the run has.

    Parameters
    ----------
    text : str
        As `parse_benchmark`.
    market : SourceConfig
        Of the run; its span, calendar and session hold for the benchmark, whose bars may be of another size.
    traded_span_ns : tuple of int
        First and last close of the frames to be traded.
    risk_free_per_year : float
        What cash earns where the text does not say.

    Raises
    ------
    ConfigurationError
        Where the text names no benchmark.
    DataNotFoundError, DataValidationError
        Where its bars cannot be had, or none of them is in the traded span; the message names the benchmark.
    """
    choice = parse_benchmark(text)
    if choice.is_universe:
        return None
    cash_per_year = risk_free_per_year if choice.cash_per_year is None else choice.cash_per_year
    if not choice.has_prices:
        name = name_of(choice, (), cash_per_year)
        return Benchmark(name, np.empty(0), cash_per_year, np.empty(0, dtype=np.int64), np.empty((0, 0)))
    try:
        return _load(choice, market, traded_span_ns, cash_per_year)
    except DataError as error:
        raise type(error)(f"benchmark {text!r} must have prices to measure the run against: {error}") from error


def _load(
    choice: BenchmarkChoice, market: SourceConfig, traded_span_ns: tuple[int, int], cash_per_year: float
) -> Benchmark:
    symbols = tuple(choice.weights) or (_only_symbol(choice.source or ""),)
    start = None if market.start is None else market.start - DAYS_BEFORE
    chosen = {"source": choice.source or market.source, "symbols": symbols, "start": start, "bars": None}
    loaded = load_market(SourceConfig(**{**dict(market), **chosen}))
    frames = loaded.frames.continuous().select(np.array([loaded.universe.index(symbol) for symbol in symbols]))
    spans_ns = [(known[0], known[-1]) for known in (frames.ts_close_ns[is_there] for is_there in frames.present.T)]
    first_ns, last_ns = max(first for first, _ in spans_ns), min(last for _, last in spans_ns)
    if first_ns > min(last_ns, traded_span_ns[1]) or last_ns < traded_span_ns[0]:
        held = ", ".join(f"{symbol} {_span_text(*span)}" for symbol, span in zip(symbols, spans_ns, strict=True))
        raise DataNotFoundError(f"the run trades {_span_text(*traded_span_ns)}, it has bars of {held}")
    return Benchmark(
        name=name_of(choice, symbols, cash_per_year),
        weights=np.array(list(choice.weights.values()) or [1.0]),
        cash_per_year=cash_per_year,
        ts_close_ns=frames.ts_close_ns,
        closes=total_return(frames.close, None if frames.actions is None else frames.actions[..., DIVIDEND]),
    )


def _only_symbol(source: str) -> str:
    symbols = list_symbols(list_files(Path(source).expanduser()))
    if len(symbols) != 1:
        raise DataNotFoundError(
            f"a file by itself must hold one symbol, {source} holds {len(symbols)}; SYMBOL@{source} chooses one"
        )
    return normalise_symbol(symbols[0])


def _span_text(first_ns: int, last_ns: int) -> str:
    first, last = (np.datetime64(int(ts_ns), "ns").astype("datetime64[D]") for ts_ns in (first_ns, last_ns))
    return f"from {first} to {last}"
