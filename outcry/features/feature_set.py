"""A feature set: which columns are computed, with which windows, and the hash that names it."""

import difflib
import fnmatch
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from outcry.errors import ConfigurationError
from outcry.features.catalogue import FAMILIES, code_hash
from outcry.features.column import Column
from outcry.features.config import FeatureSetConfig
from outcry.features.cross.columns import cross_columns
from outcry.features.cross.config import CrossConfig
from outcry.features.cross.proxies import find_proxies
from outcry.features.indicator import MAX_PARAMS, Family, Indicator, Kind
from outcry.features.kernels.advance import PARAMS
from outcry.features.kernels.bars import BAR_ROWS, CLOSE, HISTORY_ROWS
from outcry.market.frame import BoolArray, IntArray

CROSS = "cross"
_MINUTE_NS = 60_000_000_000
_TIMEFRAMES_MINUTES = (15, 60, 240, 1440, 10_080)
_DAY_MINUTES = 1440
_KINDS = {kind.name: (family, kind) for family in FAMILIES for kind in family.kinds}


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The indicators of one family in a set, as `outcry.features.kernels.advance` reads them.

    Attributes
    ----------
    family : Family
    table : int64 (n_indicators, PARAMS + n)
    n_slots : int
        float64 values of state a symbol.
    rows : bool (HISTORY_ROWS,)
        What it reads of the history.
    """

    family: Family
    table: IntArray
    n_slots: int
    rows: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSet:
    """Columns in order, and the programs that compute them.

    Attributes
    ----------
    columns : tuple of Column
        Of a symbol by itself, then those of the second stage.
    n_symbol_columns : int
        How many of them are of a symbol by itself: what a `FeatureEngine` exposes.
    programs : tuple of Program
        In the order they run.
    computed : tuple of Column
        What the programs write; more than are exposed where some are left out.
    chosen : int64 (n_symbol_columns,)
        Where the exposed columns stand among `computed`.
    cross : CrossConfig
        Of the second stage.
    cross_chosen : int64 (n_columns - n_symbol_columns,)
        Where its exposed columns stand among those it computes; empty where there is no second stage.
    lookback_bars : int
        Bars of history that the programs read.
    rows : bool (HISTORY_ROWS,)
        Which terms of a bar the programs read.
    reads_clock : bool
        Whether they read more of a frame than its bars.
    bar_ns : int
        Size of the bars, nanoseconds.
    hash : str
        SHA-256, in hex, of all that defines the values: columns, windows, and the code of the kernels. A bundle or a
        snapshot carries it, and is refused by an engine that would compute something else.
    """

    columns: tuple[Column, ...]
    n_symbol_columns: int
    programs: tuple[Program, ...]
    computed: tuple[Column, ...]
    chosen: IntArray
    cross: CrossConfig
    cross_chosen: IntArray
    lookback_bars: int
    rows: BoolArray
    reads_clock: bool
    bar_ns: int
    hash: str

    def place(self, name: str) -> int:
        """Return where a column stands, by its name or an alias; raise `ConfigurationError` where it is not kept."""
        for place, column in enumerate(self.columns):
            if name == column.name or name in column.aliases:
                return place
        raise ConfigurationError(f"columns must name one that is computed, was {name}")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def build_feature_set(config: FeatureSetConfig, bar_ns: int, symbols: Sequence[str] = ()) -> FeatureSet:
    """Resolve a configuration for bars of one size and a universe.

    Parameters
    ----------
    config : FeatureSetConfig
    bar_ns : int
        Nanoseconds; timeframes up to it have no columns.
    symbols : sequence of str
        Of the universe; a proxy of the second stage that is not among them has no columns.

    Raises
    ------
    ConfigurationError
        Where a group, a kind or a column is unknown, a window cannot be, two columns have one name, or none is left.
    """
    wanted = _wanted(config, bar_ns)
    cross = cross_columns(config.cross, tuple(find_proxies(symbols))) if _has_cross(config) else ()
    own = [column for call in wanted.values() for column in call.indicator.columns]
    kept = set(_kept([*own, *cross], config))
    calls = _with_inputs({key: call for key, call in wanted.items() if kept & set(call.indicator.names)})
    computed = tuple(column for call in calls for column in call.indicator.columns)
    places = {column.name: place for place, column in enumerate(computed)}
    if len(places) < len(computed):
        twice = next(column.name for place, column in enumerate(computed) if places[column.name] != place)
        raise ConfigurationError(f"columns must have different names, {twice} is computed twice; change windows")
    is_wanted = kept & {column.name for column in own}
    chosen = np.array([place for name, place in places.items() if name in is_wanted], dtype=np.int64)
    cross_chosen = np.array([place for place, column in enumerate(cross) if column.name in kept], dtype=np.int64)
    columns = (*(computed[place] for place in chosen), *(cross[place] for place in cross_chosen))
    programs = tuple(_programs(calls, places))
    facts = [[p.family.name, p.table.tolist()] for p in programs]
    text = json.dumps([code_hash(), facts, config.cross.model_dump(mode="json"), [c.name for c in columns]])
    return FeatureSet(
        columns=columns,
        n_symbol_columns=len(chosen),
        programs=programs,
        computed=computed,
        chosen=chosen,
        cross=config.cross,
        cross_chosen=cross_chosen,
        lookback_bars=max((call.indicator.lookback_bars for call in calls), default=1) + 1,
        rows=_rows(calls),
        reads_clock=any(call.kind.reads_clock for call in calls),
        bar_ns=bar_ns,
        hash=hashlib.sha256(text.encode()).hexdigest(),
    )


def timeframes_above(bar_ns: int) -> tuple[int, ...]:
    """Return the timeframes, in minutes, that bars of this size are aggregated to: of intraday bars up to a day."""
    bar_minutes = bar_ns / _MINUTE_NS
    above = [minutes for minutes in _TIMEFRAMES_MINUTES if minutes >= 2 * bar_minutes]
    return tuple(minutes for minutes in above if bar_minutes >= _DAY_MINUTES or minutes <= _DAY_MINUTES)


@dataclass(frozen=True, slots=True)
class _Call:
    family: Family
    kind: Kind
    indicator: Indicator


_Calls = dict[tuple[str, tuple[int, ...]], _Call]


def _wanted(config: FeatureSetConfig, bar_ns: int) -> _Calls:
    """Return the indicators that the configuration asks for, by kind and windows."""
    known = [*(family.name for family in FAMILIES), CROSS]
    for group in config.groups:
        if group not in known:
            raise ConfigurationError(f"groups must be among {', '.join(known)}, was {group}")
    for name in config.windows:
        if name not in _KINDS:
            raise ConfigurationError(f"windows must be of {', '.join(sorted(_KINDS))}, was of {name}")
    calls: _Calls = {}
    for family in FAMILIES:
        if config.groups and family.name not in config.groups:
            continue
        for kind in family.kinds:
            for params in _params_of(kind, config, bar_ns):
                calls[kind.name, params] = _Call(family, kind, kind.make(params))
    return calls


def _params_of(kind: Kind, config: FeatureSetConfig, bar_ns: int) -> tuple[tuple[int, ...], ...]:
    given = config.windows.get(kind.name)
    if not kind.is_of_timeframe:
        return kind.defaults if given is None else given
    if given is None:
        return tuple((minutes, *rest) for minutes in timeframes_above(bar_ns) for rest in kind.defaults)
    for params in given:
        if params and params[0] * _MINUTE_NS <= bar_ns:
            raise ConfigurationError(
                f"windows.{kind.name}: a timeframe must be longer than the bars of {bar_ns / _MINUTE_NS:g} minutes, "
                f"was {params[0]}"
            )
    return given


def _with_inputs(wanted: _Calls) -> tuple[_Call, ...]:
    """Return the calls and all that they read, in the order the families run."""
    calls = dict(wanted)
    queue = list(wanted.values())
    while queue:
        for needed in queue.pop().indicator.inputs:
            if (needed.kind, needed.params) not in calls:
                family, kind = _KINDS[needed.kind]
                call = _Call(family, kind, kind.make(needed.params))
                calls[needed.kind, needed.params] = call
                queue.append(call)
    return tuple(sorted(calls.values(), key=lambda call: FAMILIES.index(call.family)))


def _has_cross(config: FeatureSetConfig) -> bool:
    return not config.groups or CROSS in config.groups


def _kept(columns: list[Column], config: FeatureSetConfig) -> list[str]:
    for pattern in (*config.columns, *config.exclude):
        if not any(_matches(column, (pattern,)) for column in columns):
            names = [name for column in columns for name in (*column.aliases, column.name)]
            close = difflib.get_close_matches(pattern, names, n=3)
            hint = f"; did you mean {', '.join(close)}?" if close else ""
            raise ConfigurationError(f"columns and exclude must name columns that are computed, was {pattern}{hint}")
    kept = [
        column.name
        for column in columns
        if (not config.columns or _matches(column, config.columns)) and not _matches(column, config.exclude)
    ]
    if not kept:
        raise ConfigurationError("a feature set must keep a column, keeps none")
    return kept


def _matches(column: Column, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for name in (column.name, *column.aliases) for pattern in patterns)


def _rows(calls: Sequence[_Call]) -> BoolArray:
    rows: BoolArray = np.arange(HISTORY_ROWS) == CLOSE
    for call in calls:
        rows[list(call.kind.rows)] = True
    if rows.sum() > 1:
        rows[list(BAR_ROWS)] = True
    return rows


def _programs(calls: tuple[_Call, ...], places: dict[str, int]) -> Iterator[Program]:
    column = 0
    for family, group in groupby(calls, key=lambda call: call.family):
        of_family = tuple(group)
        table, slot = [], 0
        for call in of_family:
            indicator = call.indicator
            head = (indicator.opcode, slot, slot + indicator.n_slots, column, column + len(indicator.columns))
            words = (*head, *indicator.params, *(places[needed.column] for needed in indicator.inputs))
            table.append(words + (0,) * (PARAMS + MAX_PARAMS - len(words)))
            slot += indicator.n_slots
            column += len(indicator.columns)
        yield Program(family, np.array(table, dtype=np.int64), slot, _rows(of_family))
