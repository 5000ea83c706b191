"""Bars in and out of PostgreSQL, bit for bit.

A float64 is stored as DOUBLE PRECISION and travels in binary both ways. A symbol without a bar has no row.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat

import asyncpg
import numpy as np

from outcry.market.frame import BAR_FIELDS, FrameTensor, IntArray
from outcry.market.universe import Universe

COLUMNS = ("run_id", "ts", "symbol", "timeframe", *BAR_FIELDS, "source")

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01, from which PostgreSQL counts
_HEADER_BYTES = 19  # signature, flags, extension length: "COPY", file formats, binary format
_TRAILER_BYTES = 2
_ROW = np.dtype(
    [("n_columns", ">i2"), ("ts_bytes", ">i4"), ("ts", ">i8"), ("symbol_bytes", ">i4"), ("symbol", ">i4")]
    + [part for name in BAR_FIELDS for part in ((f"{name}_bytes", ">i4"), (name, ">f8"))]
)
_SELECT = """
SELECT bar.ts, place.symbol_index::int4, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap
FROM ohlcv_bars bar
JOIN unnest($2::text[]) WITH ORDINALITY AS place (symbol, symbol_index) ON bar.symbol = place.symbol
WHERE bar.run_id = $1 AND bar.ts BETWEEN $3 AND $4
"""


def to_timestamp(ts_ns: int) -> datetime:
    """Return the instant as PostgreSQL keeps it, in whole microseconds."""
    return _UNIX_EPOCH + timedelta(microseconds=ts_ns // 1000)


async def copy_in(
    connection: asyncpg.Connection, frames: FrameTensor, *, run_id: str, universe: Universe, timeframe: str, source: str
) -> None:
    """Write every bar of `frames` by COPY."""
    await connection.copy_records_to_table(
        "ohlcv_bars", records=_records(frames, run_id, universe, timeframe, source), columns=COLUMNS
    )


async def copy_out(
    connection: asyncpg.Connection, run_id: str, universe: Universe, first_seq: int, ts_close_ns: IntArray
) -> FrameTensor:
    """Read the frames that close at `ts_close_ns`, int64 (n_frames,), at least one."""
    chunks: list[bytes] = []

    async def keep(chunk: bytes) -> None:
        chunks.append(bytes(chunk))

    await connection.copy_from_query(
        _SELECT,
        run_id,
        list(universe.symbols),
        to_timestamp(int(ts_close_ns[0])),
        to_timestamp(int(ts_close_ns[-1])),
        output=keep,
        format="binary",
    )
    rows = np.frombuffer(b"".join(chunks)[_HEADER_BYTES:-_TRAILER_BYTES], dtype=_ROW)
    row = np.searchsorted(ts_close_ns // 1000, rows["ts"] + _POSTGRES_EPOCH_US)
    column = rows["symbol"] - 1  # WITH ORDINALITY counts from 1
    shape = (len(ts_close_ns), len(universe))
    values = {name: np.full(shape, np.nan) for name in BAR_FIELDS}
    present = np.zeros(shape, dtype=np.bool_)
    present[row, column] = True
    for name in BAR_FIELDS:
        values[name][row, column] = rows[name]
    return FrameTensor(first_seq=first_seq, ts_close_ns=ts_close_ns, present=present, **values)


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
        *(getattr(frames, name)[rows, columns].tolist() for name in BAR_FIELDS),
        repeat(source),
    )
