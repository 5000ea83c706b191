"""Bars in and out of PostgreSQL, bit for bit.

A float64 is stored as DOUBLE PRECISION and travels in binary both ways. A symbol without a bar has no row. What is not
known of a tape is NaN in a frame and NULL in the table; frames without a tape are read and written without its columns.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat

import asyncpg
import numpy as np

from outcry.market.frame import BAR_FIELDS, TAPE_FIELDS, FloatArray, FrameTensor, IntArray
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


def tape_columns(tape: FloatArray) -> list[list[float | None]]:
    """Return the columns of a tape of some bars, float64 (n_bars, 6), with None for NaN."""
    columns = tape.T.astype(object)
    columns[np.isnan(tape.T)] = None
    found: list[list[float | None]] = columns.tolist()
    return found


async def copy_in(
    connection: asyncpg.Connection, frames: FrameTensor, *, run_id: str, universe: Universe, timeframe: str, source: str
) -> None:
    """Write every bar of `frames` by COPY."""
    tape_fields = () if frames.tape is None else TAPE_FIELDS
    await connection.copy_records_to_table(
        "ohlcv_bars",
        records=_records(frames, run_id, universe, timeframe, source),
        columns=("run_id", "ts", "symbol", "timeframe", "source", *BAR_FIELDS, *tape_fields),
    )


async def copy_out(
    connection: asyncpg.Connection,
    run_id: str,
    universe: Universe,
    first_seq: int,
    ts_close_ns: IntArray,
    *,
    has_tape: bool,
) -> FrameTensor:
    """Read the frames that close at `ts_close_ns`, int64 (n_frames,), at least one."""
    # A NULL would make the rows of the answer differ in length.
    of_tape = [f"coalesce(bar.{name}, 'NaN')" for name in TAPE_FIELDS] if has_tape else []
    columns = ", ".join([*(f"bar.{name}" for name in BAR_FIELDS), *of_tape])
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
    rows = np.frombuffer(b"".join(chunks)[_HEADER_BYTES:-_TRAILER_BYTES], dtype=_row_type(has_tape=has_tape))
    row = np.searchsorted(ts_close_ns // 1000, rows["ts"] + _POSTGRES_EPOCH_US)
    column = rows["symbol"] - 1  # WITH ORDINALITY counts from 1
    shape = (len(ts_close_ns), len(universe))
    values = {name: np.full(shape, np.nan) for name in BAR_FIELDS}
    present = np.zeros(shape, dtype=np.bool_)
    present[row, column] = True
    for name in BAR_FIELDS:
        values[name][row, column] = rows[name]
    tape = None
    if has_tape:
        tape = np.full((*shape, len(TAPE_FIELDS)), np.nan)
        for place, name in enumerate(TAPE_FIELDS):
            tape[row, column, place] = rows[name]
    return FrameTensor(first_seq=first_seq, ts_close_ns=ts_close_ns, present=present, tape=tape, **values)


def _row_type(*, has_tape: bool) -> np.dtype[np.void]:
    """Return the layout of a row of the answer: a length before every value."""
    names = (*BAR_FIELDS, *TAPE_FIELDS) if has_tape else BAR_FIELDS
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
        *(getattr(frames, name)[rows, columns].tolist() for name in BAR_FIELDS),
        *([] if frames.tape is None else tape_columns(frames.tape[rows, columns])),
    )
