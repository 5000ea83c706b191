"""From a source to the frames of a run."""

import datetime as dt
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from outcry.adapters.sources.actions import read_actions
from outcry.adapters.sources.read import read_bars
from outcry.errors import DataNotFoundError
from outcry.market.admission import admit_bars
from outcry.market.aggregate import aggregate_frames
from outcry.market.bar_size import DAY_NS, infer_bar_ns, parse_bar_size
from outcry.market.bar_table import bar_symbols
from outcry.market.calendar import TradingCalendar
from outcry.market.corporate_actions import attach_actions
from outcry.market.frame import BAR_FIELDS, TAPE_FIELDS, BoolArray, FrameTensor, IntArray
from outcry.market.pivot import pivot_bars
from outcry.market.placement import Placement, place_bars
from outcry.market.source import SourceConfig
from outcry.market.universe import UNKNOWN_SECTOR, Universe

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class LoadedMarket:
    """Hold the market data of a run.

    Attributes
    ----------
    universe : Universe
        Symbols by name.
    calendar : TradingCalendar
    bar_ns : int
        Length of a bar, nanoseconds.
    frames : FrameTensor
        `first_seq` 0.
    fingerprint : str
        SHA-256 of symbols, tick, lot and every array: equal where, and only where, the market data is.
    left_out : Mapping of str to int
        Bars of the span that are not in `frames`: ``outside_session``, ``exact_duplicate``, ``bad_bar``.
    """

    universe: Universe
    calendar: TradingCalendar
    bar_ns: int
    frames: FrameTensor
    fingerprint: str
    left_out: Mapping[str, int]


def load_market(config: SourceConfig, sectors: Mapping[str, str] | None = None) -> LoadedMarket:
    """Load, check and arrange the market data of a run; log what is left out.

    Parameters
    ----------
    config : SourceConfig
    sectors : Mapping of str to str or None
        Sector by symbol; a symbol without one gets `UNKNOWN_SECTOR`.

    Raises
    ------
    DataNotFoundError
        For a missing file, an unknown symbol or an empty span.
    DataValidationError
        For an unreadable file, wrong columns, mixed bar sizes, time going backwards, a repeated bar, or a bar that
        breaks a rule of ``outcry.market.bar_rules``; for corporate actions that contradict the prices. The first one
        found ends the load.
    ConfigurationError
        Where the calendar or the bar size asked for does not exist.
    """
    calendar = TradingCalendar(config.calendar)
    bars = _select_span(read_bars(config.source, config.symbols), config, calendar)
    bars, n_repeated, n_bad = admit_bars(
        bars,
        config.source,
        drops_exact_repeats=config.duplicates == "drop_exact",
        drops_bad=config.bad_bars == "drop",
    )
    symbols, codes = bar_symbols(bars)
    ts_ns = bars.get_column("ts_ns").to_numpy()
    bar_ns = infer_bar_ns(codes, ts_ns, symbols)
    placement = place_bars(ts_ns, bar_ns, calendar, clips=config.session == "regular")
    keep = _is_wanted(placement, config, calendar)
    if not keep.any():
        raise DataNotFoundError(f"source {config.source} must hold bars {_span_text(config)}, holds none")
    names = [name for name in (*BAR_FIELDS, *TAPE_FIELDS) if name in bars.columns]
    columns = {name: bars.get_column(name).to_numpy()[keep] for name in names}
    symbols, codes = _traded(symbols, codes[keep], config)
    frames = pivot_bars(codes, placement.ts_close_ns[keep], columns, symbols)
    if config.bars is not None:
        target_ns = parse_bar_size(config.bars)
        frames = aggregate_frames(frames, bar_ns, target_ns, placement.sessions)
        bar_ns = target_ns
    known = sectors or {}
    universe = Universe(
        symbols, tuple(known.get(symbol, UNKNOWN_SECTOR) for symbol in symbols), tick=config.tick, lot=config.lot
    )
    if config.corporate_actions is not None:
        actions = read_actions(Path(config.corporate_actions).expanduser())
        frames = attach_actions(frames, actions, universe, calendar)
    left_out = {
        "outside_session": _count_outside(placement, config, calendar),
        "exact_duplicate": n_repeated,
        "bad_bar": n_bad,
    }
    _tell(left_out, int(np.count_nonzero(keep)), config)
    return LoadedMarket(universe, calendar, bar_ns, frames, _fingerprint(universe, frames), left_out)


def _traded(symbols: tuple[str, ...], codes: IntArray, config: SourceConfig) -> tuple[tuple[str, ...], IntArray]:
    """Return the symbols that have bars, and the codes among them; a symbol asked for must be one."""
    has_bars = np.bincount(codes, minlength=len(symbols)) > 0
    if config.symbols is not None and not has_bars.all():
        names = [symbol for symbol, has_any in zip(symbols, has_bars, strict=True) if not has_any]
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        raise DataNotFoundError(f"symbols must have bars {_span_text(config)}, none for {', '.join(names[:5])}{more}")
    position = np.cumsum(has_bars) - 1
    return tuple(np.array(symbols)[has_bars].tolist()), position[codes]


def _select_span(bars: pl.DataFrame, config: SourceConfig, calendar: TradingCalendar) -> pl.DataFrame:
    """Return the rows near the span; the exact cut, by session, comes after the bars are placed."""
    margin_ns = 3 * DAY_NS
    conditions = []
    if config.start is not None:
        conditions.append(pl.col("ts_ns") >= calendar.midnight_ns(config.start) - margin_ns)
    if config.end is not None:
        conditions.append(pl.col("ts_ns") <= calendar.midnight_ns(config.end) + margin_ns)
    near = bars.filter(*conditions) if conditions else bars
    if near.is_empty():
        first, last = (
            np.datetime64(int(bars.get_column("ts_ns").sort()[i]), "ns").astype("datetime64[D]") for i in (0, -1)
        )
        raise DataNotFoundError(
            f"source {config.source} must hold bars {_span_text(config)}, holds bars from {first} to {last}"
        )
    return near


def _is_wanted(placement: Placement, config: SourceConfig, calendar: TradingCalendar) -> BoolArray:
    """Say which bars are in the span and, where asked for, in a session."""
    wanted = _is_in_span(placement, config, calendar)
    return wanted & placement.is_inside if config.session == "regular" else wanted


def _is_in_span(placement: Placement, config: SourceConfig, calendar: TradingCalendar) -> BoolArray:
    # The date of a bar is that of its session; outside a session it is that of its last instant.
    day_ns: IntArray = np.where(
        placement.is_inside, placement.sessions.midnight_ns[placement.session], placement.ts_close_ns - 1
    )
    in_span = np.ones(len(day_ns), dtype=np.bool_)
    if config.start is not None:
        in_span &= day_ns >= calendar.midnight_ns(config.start)
    if config.end is not None:
        in_span &= day_ns < calendar.midnight_ns(config.end + dt.timedelta(days=1))
    return in_span


def _count_outside(placement: Placement, config: SourceConfig, calendar: TradingCalendar) -> int:
    if config.session == "all":
        return 0
    return int(np.count_nonzero(_is_in_span(placement, config, calendar) & ~placement.is_inside))


def _tell(left_out: Mapping[str, int], n_kept: int, config: SourceConfig) -> None:
    reasons = {
        "outside_session": f"outside the sessions of {config.calendar} (market.calendar, market.session)",
        "exact_duplicate": "the same as another",
        "bad_bar": "bad",
    }
    told = [f"{left_out[kind]:,} {reason}" for kind, reason in reasons.items() if left_out[kind]]
    if told:
        log.warning("%s: %s bars are used; left out: %s", config.source, f"{n_kept:,}", ", ".join(told))


def _span_text(config: SourceConfig) -> str:
    where = "in a regular session" if config.session == "regular" else "at any time"
    return f"{where} from {config.start or 'its first'} to {config.end or 'its last'} session of {config.calendar}"


def _fingerprint(universe: Universe, frames: FrameTensor) -> str:
    digest = hashlib.sha256(repr((universe.symbols, str(universe.tick), str(universe.lot))).encode())
    digest.update(frames.ts_close_ns.tobytes())
    for name in (*BAR_FIELDS, "present"):
        digest.update(np.ascontiguousarray(getattr(frames, name)).data)
    for extra in (frames.tape, frames.actions):
        if extra is not None:
            digest.update(np.ascontiguousarray(extra).data)
    return digest.hexdigest()
