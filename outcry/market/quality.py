"""What is wrong, or only odd, in a table of bars."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import polars as pl

from outcry.errors import DataNotFoundError
from outcry.market.bar_rules import BAR_RULES
from outcry.market.bar_size import infer_bar_ns
from outcry.market.bar_table import bar_symbols
from outcry.market.calendar import TradingCalendar
from outcry.market.frame import TAPE_FIELDS, IntArray
from outcry.market.outliers import flag_outliers
from outcry.market.placement import Placement, place_bars

_N_EXAMPLES = 3


class Severity(StrEnum):
    """An error keeps the bars from being loaded; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of finding in one symbol.

    Attributes
    ----------
    kind : str
        ``missing_price``, ``non_positive_price``, ``ohlc_contradiction``, ``bad_volume``, ``bad_bid``, ``bad_ask``,
        ``bad_bid_size``, ``bad_ask_size``, ``bad_trades``, ``bad_buy_volume``, ``time_backwards``,
        ``duplicate_exact``, ``duplicate_conflict``, ``future`` (errors); ``gap``, ``zero_volume``, ``outlier``,
        ``outside_session`` (warnings).
    symbol : str
    severity : Severity
    count : int
        Bars concerned; of a gap, the bars missing.
    first_ts_ns : int
        Open of the first bar concerned, in the order of the table; of a gap, the close of the first missing bar.
    examples : tuple of str
        Values of the first bars concerned.
    """

    kind: str
    symbol: str
    severity: Severity
    count: int
    first_ts_ns: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QualityReport:
    """All findings of a table of bars.

    Attributes
    ----------
    n_bars, n_symbols : int
    first_ts_ns, last_ts_ns : int
        Opens of the earliest and latest bar, nanoseconds UTC.
    bar_ns : int
    calendar : str
    coverage_frac : dict of str to float
        A symbol, the fraction of bars present from its first to its last, over the slots of the sessions.
    findings : tuple of Finding
        Errors first, then by kind and symbol.
    """

    n_bars: int
    n_symbols: int
    first_ts_ns: int
    last_ts_ns: int
    bar_ns: int
    calendar: str
    coverage_frac: dict[str, float]
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    def count(self, kind: str) -> int:
        """Return the bars concerned by this kind of finding, over all symbols."""
        return sum(finding.count for finding in self.findings if finding.kind == kind)


def check_bars(
    bars: pl.DataFrame,
    calendar: TradingCalendar,
    *,
    bar_ns: int | None = None,
    session: Literal["regular", "all"] = "regular",
    now_ns: int | None = None,
) -> QualityReport:
    """Check a table of bars; nothing is changed or left out.

    Parameters
    ----------
    bars : polars.DataFrame
        As returned by `normalise_bars`, in the order of its source.
    calendar : TradingCalendar
    bar_ns : int or None
        Expected bar size, nanoseconds; None infers it.
    session : "regular" or "all"
        ``all`` does not report bars outside the sessions.
    now_ns : int or None
        Bars that open later are findings; None skips the check.

    Raises
    ------
    DataNotFoundError
        Where the table is empty.
    DataValidationError
        Where bars of different sizes are mixed.
    """
    if bars.is_empty():
        raise DataNotFoundError("bars must not be empty, there are none to check")
    ordered = bars.sort("symbol", "ts_ns", maintain_order=True)
    symbols, codes = bar_symbols(ordered)
    ts_ns = ordered.get_column("ts_ns").to_numpy()
    size_ns = infer_bar_ns(codes, ts_ns, symbols) if bar_ns is None else bar_ns
    placement = place_bars(ts_ns, size_ns, calendar)

    rules = [rule for rule in BAR_RULES if rule.applies_to(bars)]
    findings = [f for rule in rules for f in _collect(rule.kind, Severity.ERROR, bars.filter(rule.breaks))]
    findings += _collect("time_backwards", Severity.ERROR, bars.filter(pl.col("ts_ns").diff().over("symbol") < 0))
    findings += _duplicates(ordered)
    if now_ns is not None:
        findings += _collect("future", Severity.ERROR, bars.filter(pl.col("ts_ns") > now_ns))
    findings += _collect("zero_volume", Severity.WARNING, bars.filter(pl.col("volume") == 0))
    if session == "regular":
        findings += _collect("outside_session", Severity.WARNING, ordered.filter(pl.Series(~placement.is_inside)))
    findings += _collect("outlier", Severity.WARNING, flag_outliers(ordered, placement))
    gaps, coverage_frac = _gaps(symbols, codes, placement, size_ns)
    findings += gaps
    findings.sort(key=lambda f: (f.severity is not Severity.ERROR, f.kind, f.symbol))
    return QualityReport(
        n_bars=bars.height,
        n_symbols=len(symbols),
        first_ts_ns=int(ts_ns.min()),
        last_ts_ns=int(ts_ns.max()),
        bar_ns=size_ns,
        calendar=calendar.name,
        coverage_frac=coverage_frac,
        findings=tuple(findings),
    )


def _collect(kind: str, severity: Severity, rows: pl.DataFrame) -> list[Finding]:
    """Return a finding a symbol for the rows concerned."""
    if rows.is_empty():
        return []
    shown = ("log_return", "open", "high", "low", "close", "volume", *TAPE_FIELDS)
    columns = [name for name in shown if name in rows.columns]
    found = []
    for group in rows.partition_by("symbol", maintain_order=True):
        examples = tuple(
            " ".join(f"{name}={value:g}" if value is not None else f"{name}=null" for name, value in row.items())
            for row in group.head(_N_EXAMPLES).select(columns).iter_rows(named=True)
        )
        symbol, first_ts_ns = str(group.item(0, "symbol")), int(group.item(0, "ts_ns"))
        found.append(Finding(kind, symbol, severity, group.height, first_ts_ns, examples))
    return found


def _duplicates(ordered: pl.DataFrame) -> list[Finding]:
    """Return rows beyond the first of a symbol and instant, apart by whether they repeat it in every value."""
    key = ["symbol", "ts_ns"]
    suspects = ordered.filter(ordered.select(key).is_duplicated())
    if suspects.is_empty():
        return []
    is_again = ~pl.struct(key).is_first_distinct()
    is_copy = ~pl.struct(pl.all()).is_first_distinct()
    exact = suspects.filter(is_again & is_copy)
    conflict = suspects.filter(is_again & ~is_copy)
    return [
        *_collect("duplicate_exact", Severity.ERROR, exact),
        *_collect("duplicate_conflict", Severity.ERROR, conflict),
    ]


def _gaps(
    symbols: tuple[str, ...], codes: IntArray, placement: Placement, bar_ns: int
) -> tuple[list[Finding], dict[str, float]]:
    """Compare the bars of each symbol with the slots of its sessions, from its first bar to its last."""
    open_ns, close_ns = placement.sessions.open_ns, placement.sessions.close_ns
    slots_per_session = -(-(close_ns - open_ns) // bar_ns)
    first_slot = np.concatenate([[0], np.cumsum(slots_per_session)])
    inside = placement.is_inside
    session = placement.session[inside]
    slot_in_session = -(-(placement.ts_close_ns[inside] - open_ns[session]) // bar_ns) - 1
    owner, slot = codes[inside], first_slot[session] + np.maximum(slot_in_session, 0)
    findings, coverage_frac = [], {}
    starts = np.searchsorted(owner, np.arange(len(symbols) + 1))
    for code, symbol in enumerate(symbols):
        here = slice(starts[code], starts[code + 1])
        present = np.unique(slot[here])
        if not present.size:
            continue
        n_expected = int(present[-1] - present[0]) + 1
        coverage_frac[symbol] = len(present) / n_expected
        if len(present) == n_expected:
            continue
        holes = np.diff(present) - 1
        missing_slot = int(present[np.argmax(holes > 0)]) + 1
        row = int(np.searchsorted(first_slot, missing_slot, side="right")) - 1
        end_ns = min(int(open_ns[row]) + (missing_slot - int(first_slot[row]) + 1) * bar_ns, int(close_ns[row]))
        examples = (f"coverage_frac={coverage_frac[symbol]:.4f} longest_bars={int(holes.max())}",)
        findings.append(Finding("gap", symbol, Severity.WARNING, n_expected - len(present), end_ns, examples))
    return findings, coverage_frac
