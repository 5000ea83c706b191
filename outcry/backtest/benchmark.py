"""What a run is measured against: the benchmark as its user writes it, and its prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import FloatArray, IntArray
from outcry.market.symbols import normalise_symbol

UNIVERSE, CASH = "universe", "cash"
FILE_SUFFIXES = (".parquet", ".csv")
FORMS = "universe, cash, cash=0.03, SPY, SPY=0.6,TLT=0.4, SPY@prices.parquet or prices.parquet"
MOST_CASH_PER_YEAR = 0.5
WEIGHT_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class BenchmarkChoice:
    """A benchmark, by what its text says.

    Attributes
    ----------
    weights : mapping of str to float
        By symbol, each above 0; what is missing to 1 is cash. Empty for the universe, for cash, and for a file by
        itself, whose one symbol is meant.
    source : str or None
        File or folder of its prices; None for the source of the run.
    is_universe : bool
    cash_per_year : float or None
        Simple annual rate of its cash; None for the risk-free rate of the settings.
    """

    weights: Mapping[str, float]
    source: str | None = None
    is_universe: bool = False
    cash_per_year: float | None = None

    @property
    def has_prices(self) -> bool:
        """Whether bars must be read for it."""
        return bool(self.weights) or self.source is not None


def parse_benchmark(text: str) -> BenchmarkChoice:
    """Return the benchmark that a text names, in one of the `FORMS`.

    Raises
    ------
    ConfigurationError
        Where it names none, or weights that do not sum to 1.
    """
    what, at, source = (part.strip() for part in text.partition("@"))
    if not at and Path(what).suffix in FILE_SUFFIXES:
        return BenchmarkChoice({}, what)
    parts = _read_parts(what, text)
    if at and (not source or not set(parts) - {CASH, UNIVERSE}):
        raise ConfigurationError(f"benchmark must be one of {FORMS}, was {text!r}")
    if parts == {UNIVERSE: None}:
        return BenchmarkChoice({}, is_universe=True)
    if set(parts) == {CASH}:
        rate = parts[CASH]
        if rate is not None and not 0.0 <= rate <= MOST_CASH_PER_YEAR:
            raise ConfigurationError(f"benchmark cash must earn from 0 to {MOST_CASH_PER_YEAR} a year, was {rate:g}")
        return BenchmarkChoice({}, cash_per_year=rate)
    weights = _read_weights(parts, text)
    return BenchmarkChoice(weights, source or None)


@dataclass(frozen=True, slots=True, eq=False)
class Benchmark:
    """The prices of a benchmark that is not the universe of the run.

    Attributes
    ----------
    name : str
        As a report calls it.
    weights : float64 (n_symbols,)
        Fractions of its worth, to which it is rebalanced; what is missing to 1 is cash. No symbol: cash alone.
    cash_per_year : float
        Simple annual rate of the cash.
    ts_close_ns : int64 (n,)
        When each of the closes was known, increasing.
    closes : float64 (n, n_symbols)
        NaN where a symbol has no bar.
    """

    name: str
    weights: FloatArray
    cash_per_year: float
    ts_close_ns: IntArray
    closes: FloatArray


def name_of(choice: BenchmarkChoice, symbols: tuple[str, ...], cash_per_year: float) -> str:
    """Return what a report calls a benchmark of these symbols, in the order of its weights."""
    if not symbols:
        return f"cash at {100 * cash_per_year:g} % a year"
    notes = [] if choice.source is None else [Path(choice.source).name]
    weights = list(choice.weights.values()) or [1.0]
    parts = [f"{100 * weight:g} % {symbol}" for symbol, weight in zip(symbols, weights, strict=True)]
    if sum(weights) < 1.0 - WEIGHT_TOLERANCE:
        parts.append(f"{100 * (1.0 - sum(weights)):g} % cash")
    if weights == [1.0]:
        parts = [symbols[0]]
    else:
        notes.append("rebalanced monthly")
    return " + ".join(parts) + (f" ({', '.join(notes)})" if notes else "")


def _read_parts(what: str, text: str) -> dict[str, float | None]:
    """Return what is written after each name."""
    parts: dict[str, float | None] = {}
    for part in what.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        try:
            key = name if name in (UNIVERSE, CASH) else normalise_symbol(name)
            value = float(number) if equals else None
        except ValueError as error:
            raise ConfigurationError(f"benchmark weights must be numbers, {name} has {number!r}") from error
        except DataValidationError as error:
            raise ConfigurationError(f"benchmark must be one of {FORMS}, was {text!r}") from error
        if key in parts:
            raise ConfigurationError(f"benchmark must name each symbol once, {key} repeats")
        parts[key] = value
    return parts


def _read_weights(parts: Mapping[str, float | None], text: str) -> dict[str, float]:
    if UNIVERSE in parts:
        raise ConfigurationError(f"benchmark must be one of {FORMS}, was {text!r}")
    if len(parts) == 1:
        parts = {name: 1.0 if weight is None else weight for name, weight in parts.items()}
    weights = {name: weight for name, weight in parts.items() if weight is not None}
    wrong = [name for name in parts if not weights.get(name, 0.0) > 0.0]
    if wrong:
        raise ConfigurationError(f"benchmark weights must be above 0, {', '.join(wrong)} has none")
    total = sum(weights.values())
    if abs(total - 1.0) > WEIGHT_TOLERANCE:
        raise ConfigurationError(f"benchmark weights must sum to 1, with cash=… for what is left over, were {total:g}")
    return {name: weight for name, weight in weights.items() if name != CASH}
