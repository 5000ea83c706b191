"""The gate that bars pass on their way into a run."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from outcry.errors import DataValidationError
from outcry.market.bar_rules import BAR_RULES
from outcry.market.bar_table import bar_symbols
from outcry.market.frame import TAPE_FIELDS


class AdmittedBars(NamedTuple):
    """Bars that may be traded, by symbol and time, and how many were left out: repeats, and those that break a rule."""

    bars: pl.DataFrame
    n_repeats: int
    n_bad: int


def admit_bars(
    bars: pl.DataFrame, origin: str, *, drops_exact_repeats: bool = False, drops_bad: bool = False
) -> AdmittedBars:
    """Refuse bars that break a rule, and return the others by symbol and time.

    Parameters
    ----------
    bars : polars.DataFrame
        As returned by `normalise_bars`, in the order of the source.
    origin : str
        The source, for messages.
    drops_exact_repeats : bool
        Leave out a bar that repeats an earlier one in every value, rather than refuse it.
    drops_bad : bool
        Leave out a bar that breaks a rule of `BAR_RULES`, rather than refuse it: its symbol then has no bar there.

    Raises
    ------
    DataValidationError
        For a bar that breaks a rule of `BAR_RULES`, time going backwards within a symbol, or a second bar of a symbol
        at one instant. The message shows the first such bar and counts the others.
    """
    n_given = bars.height
    for rule in BAR_RULES:
        if not rule.applies_to(bars):
            continue
        if drops_bad:
            bars = bars.filter(~rule.breaks)
        else:
            _refuse(bars.filter(rule.breaks), rule.text, origin)
    n_bad = n_given - bars.height
    ordered = bars
    if not _is_ordered(bars):
        _refuse(bars.filter(_step_ns() < 0), "time must not go backwards within a symbol", origin)
        ordered = bars.sort("symbol", "ts_ns", maintain_order=True)
    n_repeats = 0
    repeats = ordered.filter(_is_repeat())
    if repeats.height and drops_exact_repeats:
        distinct = ordered.unique(keep="first", maintain_order=True)
        n_repeats = ordered.height - distinct.height
        ordered = distinct
        repeats = ordered.filter(_is_repeat())
    _refuse(repeats, "a symbol must have one bar an instant", origin)
    return AdmittedBars(ordered, n_repeats, n_bad)


def _step_ns() -> pl.Expr:
    return pl.col("ts_ns").diff().over("symbol")


def _is_repeat() -> pl.Expr:
    return (pl.col("symbol") == pl.col("symbol").shift()) & (pl.col("ts_ns") == pl.col("ts_ns").shift())


def _is_ordered(bars: pl.DataFrame) -> bool:
    _, codes = bar_symbols(bars)
    step, step_ns = np.diff(codes), np.diff(bars.get_column("ts_ns").to_numpy())
    return bool(np.all((step > 0) | ((step == 0) & (step_ns >= 0))))


def _refuse(rows: pl.DataFrame, rule: str, origin: str) -> None:
    if rows.is_empty():
        return
    row: Mapping[str, object] = rows.row(0, named=True)
    shown = [name for name in ("open", "high", "low", "close", "volume", *TAPE_FIELDS) if name in row]
    values = ", ".join(f"{name} {row[name]}" for name in shown)
    instant = np.datetime64(rows.item(0, "ts_ns"), "ns").astype("datetime64[s]")
    others = "" if rows.height == 1 else f" ({rows.height - 1} more bars break the rule)"
    raise DataValidationError(
        f"{rule}: {row['symbol']} at {instant}Z has {values}{others}; `outcry data check {origin}` lists every finding"
    )
