"""Bars in and out of PostgreSQL, bit for bit.

A float64 is stored as DOUBLE PRECISION and travels in binary both ways. A symbol without a bar has no row. What is not
known of a tape is NaN in a frame and NULL in the table; frames without a tape, or without corporate actions, are read
and written without their columns.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat

import asyncpg
import numpy as np

from outcry.market.frame import ACTION_FIELDS, BAR_FIELDS, NO_ACTION, TAPE_FIELDS, Frame, FrameTensor, IntArray
from outcry.market.universe import Universe

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01, from which PostgreSQL counts
_HEADER_BYTES = 19  # signature, flags, extension length: "COPY", file formats, binary format
_TRAILER_BYTES = 2
_ROW_KEY = [("n_columns", ">i2"), ("ts_bytes", ">i4"), ("ts", ">i8"), ("symbol_bytes", ">i4"), ("symbol", ">i4")]
_SELECT = """
SELECT bar.ts, place.symbol_index::int4, {columns}
FROM ohlcv_bars bar
JOIN unnest($2::text[]) WITH ORDINALITY AS place (symbol, symbol_index) ON bar.symbol = place.symbol
WHERE bar.run_id = $1 AND bar.ts BETWEEN $3 AND $4
"""


def to_timestamp(ts_ns: int) -> datetime:
    """Return the instant as PostgreSQL keeps it, in whole microseconds."""
    return _UNIX_EPOCH + timedelta(microseconds=ts_ns // 1000)


def bar_fields(*, has_tape: bool, has_actions: bool) -> tuple[str, ...]:
    """Return the columns of bars that have a tape, or corporate actions, or neither."""
    return (*BAR_FIELDS, *(TAPE_FIELDS if has_tape else ()), *(ACTION_FIELDS if has_actions else ()))


def bar_columns(bars: Frame | FrameTensor) -> list[list[float | None]]:
    """Return the values of the bars that are present, a list for each of `bar_fields`, with None for NaN of a tape."""
    present = bars.present
    columns = [getattr(bars, name)[present].tolist() for name in BAR_FIELDS]
    if bars.tape is not None:
        values = bars.tape[present].T
        known = values.astype(object)
        known[np.isnan(values)] = None
        columns += known.tolist()
    if bars.actions is not None:
        columns += bars.actions[present].T.tolist()
    return columns


async def copy_in(
    connection: asyncpg.Connection, frames: FrameTensor, *, run_id: str, universe: Universe, timeframe: str, source: str
) -> None:
    """Write every bar of `frames` by COPY."""
    fields = bar_fields(has_tape=frames.tape is not None, has_actions=frames.actions is not None)
    await connection.copy_records_to_table(
        "ohlcv_bars",
        records=_records(frames, run_id, universe, timeframe, source),
        columns=("run_id", "ts", "symbol", "timeframe", "source", *fields),
    )


async def copy_out(
    connection: asyncpg.Connection,
    run_id: str,
    universe: Universe,
    first_seq: int,
    ts_close_ns: IntArray,
    *,
    has_tape: bool,
    has_actions: bool,
) -> FrameTensor:
    """Read the frames that close at `ts_close_ns`, int64 (n_frames,), at least one."""
    # A NULL would make the rows of the answer differ in length.
    absent = dict.fromkeys(TAPE_FIELDS, "NaN") | dict(zip(ACTION_FIELDS, NO_ACTION, strict=True))
    fields = bar_fields(has_tape=has_tape, has_actions=has_actions)
    columns = ", ".join(
        f"coalesce(bar.{name}, '{absent[name]}')" if name in absent else f"bar.{name}" for name in fields
    )
    chunks: list[bytes] = []

    async def keep(chunk: bytes) -> None:
        chunks.append(bytes(chunk))

    await connection.copy_from_query(
        _SELECT.format(columns=columns),
        run_id,
        list(universe.symbols),
        to_timestamp(int(ts_close_ns[0])),
        to_timestamp(int(ts_close_ns[-1])),
        output=keep,
        format="binary",
    )
    rows = np.frombuffer(b"".join(chunks)[_HEADER_BYTES:-_TRAILER_BYTES], dtype=_row_type(fields))
    row = np.searchsorted(ts_close_ns // 1000, rows["ts"] + _POSTGRES_EPOCH_US)
    column = rows["symbol"] - 1  # WITH ORDINALITY counts from 1
    shape = (len(ts_close_ns), len(universe))
    values = {name: np.full(shape, np.nan) for name in BAR_FIELDS}
    present = np.zeros(shape, dtype=np.bool_)
    present[row, column] = True
    for name in BAR_FIELDS:
        values[name][row, column] = rows[name]
    tape = actions = None
    if has_tape:
        tape = np.full((*shape, len(TAPE_FIELDS)), np.nan)
        for place, name in enumerate(TAPE_FIELDS):
            tape[row, column, place] = rows[name]
    if has_actions:
        actions = np.tile(NO_ACTION, (*shape, 1))
        for place, name in enumerate(ACTION_FIELDS):
            actions[row, column, place] = rows[name]
    return FrameTensor(
        first_seq=first_seq, ts_close_ns=ts_close_ns, present=present, tape=tape, actions=actions, **values
    )


def _row_type(names: Sequence[str]) -> np.dtype[np.void]:
    """Return the layout of a row of the answer: a length before every value."""
    return np.dtype(_ROW_KEY + [part for name in names for part in ((f"{name}_bytes", ">i4"), (name, ">f8"))])


def _records(
    frames: FrameTensor, run_id: str, universe: Universe, timeframe: str, source: str
) -> Iterator[tuple[object, ...]]:
    rows, columns = np.nonzero(frames.present)
    closes = [to_timestamp(int(ts_ns)) for ts_ns in frames.ts_close_ns]
    return zip(
        repeat(run_id),
        map(closes.__getitem__, rows.tolist()),
        map(universe.symbols.__getitem__, columns.tolist()),
        repeat(timeframe),
        repeat(source),
        *bar_columns(frames),
    )
