"""Which market data a run reads: section ``market`` of the settings."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from outcry.config import FrozenConfig
from outcry.errors import OutcryError
from outcry.market.bar_size import parse_bar_size
from outcry.market.symbols import normalise_symbol

SAMPLE = "sample"


class SourceConfig(FrozenConfig):
    """Name a source and the part of it to load.

    Parameters
    ----------
    source : str
        ``sample`` (five stocks, daily, 2000 to 2013, with the package), or the path of a ``.parquet`` or ``.csv`` file
        or of a folder of them.
    symbols : tuple of str, int or None
        Names, or the first N by name, or all.
    start, end : date or None
        Dates of the first and last session, inclusive.
    bars : str or None
        Bar size to aggregate up to, as ``5min``, ``1h``, ``1d``; None keeps that of the source.
    calendar : str
        As `TradingCalendar`.
    session : "regular" or "all"
        Leave out bars outside the regular session, or keep them.
    duplicates : "refuse" or "drop_exact"
        A repeated bar is an error, or, where it is equal to the first in every value, left out.
    bad_bars : "refuse" or "drop"
        A bar whose prices or volume contradict each other or are missing is an error, or left out: its symbol then has
        no bar in that frame.
    tick, lot : Decimal
        As `Universe`.
    corporate_actions : str or None
        A ``.parquet`` or ``.csv`` file of splits and dividends, with columns symbol, ex_date, split_ratio and dividend:
        prices are then as they were traded, and the account is credited as it would have been. None for prices that are
        adjusted, or in which nothing happened.
    """

    source: Annotated[str, StringConstraints(min_length=1)] = SAMPLE
    symbols: tuple[str, ...] | Annotated[int, Field(gt=0)] | None = None
    start: dt.date | None = None
    end: dt.date | None = None
    bars: str | None = None
    calendar: str = "XNYS"
    session: Literal["regular", "all"] = "regular"
    duplicates: Literal["refuse", "drop_exact"] = "refuse"
    bad_bars: Literal["refuse", "drop"] = "refuse"
    tick: Annotated[Decimal, Field(gt=0)] = Decimal("0.01")
    lot: Annotated[Decimal, Field(gt=0)] = Decimal("1")
    corporate_actions: str | None = None

    @field_validator("symbols")
    @classmethod
    def _check_symbols(cls, symbols: tuple[str, ...] | int | None) -> tuple[str, ...] | int | None:
        if not isinstance(symbols, tuple):
            return symbols
        if not symbols:
            raise ValueError("symbols must name at least one instrument, was empty")
        try:
            names = tuple(normalise_symbol(symbol) for symbol in symbols)
        except OutcryError as error:
            raise ValueError(str(error)) from error
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"symbols must be unique, {', '.join(repeated)} repeats")
        return names

    @field_validator("bars")
    @classmethod
    def _check_bars(cls, bars: str | None) -> str | None:
        if bars is not None:
            try:
                parse_bar_size(bars)
            except OutcryError as error:
                raise ValueError(str(error)) from error
        return bars

    @model_validator(mode="after")
    def _check_span(self) -> "SourceConfig":
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError(f"end must not be before start {self.start}, was {self.end}")
        return self
