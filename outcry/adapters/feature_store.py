"""Features on disk: Parquet by symbol and month (by year, of daily bars), with the state to go on from.

========================  ==========================================================================================
file                      holds
========================  ==========================================================================================
``store.json``            the feature set's hash, columns, symbols, bar size; how many frames, and their digest
``AAPL/2025-05.parquet``  ``ts_close_ns`` and a column a feature: a row for every bar the symbol had
``state-N.npz``           what the engine needs to go on after N frames, ``cross-N.npz`` likewise for the second stage
========================  ==========================================================================================

``store.json`` is written last and at once: what it does not name does not count, so a build that is killed is gone on
with from where the one before had stopped.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from outcry.adapters.snapshots import pack_state, unpack_state
from outcry.config import FrozenConfig
from outcry.errors import DataNotFoundError, DataValidationError
from outcry.features.universe_features import UniverseFeatures
from outcry.market.bar_size import DAY_NS
from outcry.market.frame import BAR_FIELDS, FloatArray, FrameTensor, IntArray

META_FILE = "store.json"
TIME = "ts_close_ns"
_CHUNK_BYTES = 768 * 2**20  # a month of 80 symbols in one row group; each group costs 60 us a column, whatever it holds
_COMPRESSION_LEVEL = 1  # prices are noise in the low bits: a higher level, or split bytes, cost time and save little


class StoreMeta(FrozenConfig):
    """Everything in ``store.json``.

    `n_frames` frames were taken, the last of which closes at `last_ts_ns`; `digest` is of their bars.
    """

    features_hash: str
    columns: tuple[str, ...]
    symbols: tuple[str, ...]
    bar_ns: int
    n_frames: int
    last_ts_ns: int
    digest: str


class FeatureStore:
    """Read the features that `build_store` wrote.

    Parameters
    ----------
    path : Path
        The folder.

    Raises
    ------
    DataNotFoundError
        Where there is no store.
    DataValidationError
        Where ``store.json`` is not one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        found = _read_meta(path)
        if found is None:
            raise DataNotFoundError(f"{path} must hold a feature store ({META_FILE}), holds none")
        self.meta = found

    def rows(
        self, symbol: str, first_ts_ns: int, last_ts_ns: int, columns: Sequence[str] | None = None
    ) -> tuple[IntArray, FloatArray]:
        """Return the rows of a symbol whose frames close in [first_ts_ns, last_ts_ns].

        Returns
        -------
        int64 (n_rows,), float64 (n_rows, n_columns)
            Closes of the frames, ascending, and the values.

        Raises
        ------
        DataNotFoundError
            Where the store has no such symbol or column.
        """
        names = self._check(symbol, columns)
        last_ts_ns = min(last_ts_ns, self.meta.last_ts_ns)
        spans = [s for s in self._spans(symbol) if self._span(first_ts_ns) <= s <= self._span(last_ts_ns)]
        times, values = [np.empty(0, dtype=np.int64)], [np.empty((0, len(names)))]
        for span in spans:
            ts, block = _read_rows(self.path / symbol / f"{span}.parquet", names)
            inside = slice(*np.searchsorted(ts, (first_ts_ns, last_ts_ns + 1)))
            times.append(ts[inside])
            values.append(block[inside])
        return np.concatenate(times), np.concatenate(values)

    def as_of(
        self, ts_ns: int, symbols: Sequence[str], columns: Sequence[str] | None = None
    ) -> tuple[IntArray, FloatArray]:
        """Return what was known at an instant: the last row of each symbol that closed at or before it.

        Returns
        -------
        int64 (n_symbols,), float64 (n_symbols, n_columns)
            When each row closed, and its values; 0 and NaN for a symbol without one.
        """
        width = len(self.meta.columns) if columns is None else len(columns)
        times, values = np.zeros(len(symbols), dtype=np.int64), np.full((len(symbols), width), np.nan)
        for place, symbol in enumerate(symbols):
            names = self._check(symbol, columns)
            limit_ns = min(ts_ns, self.meta.last_ts_ns)
            for span in reversed([s for s in self._spans(symbol) if s <= self._span(limit_ns)]):
                ts, block = _read_rows(self.path / symbol / f"{span}.parquet", names)
                last = int(np.searchsorted(ts, limit_ns, side="right")) - 1
                if last >= 0:
                    times[place], values[place] = ts[last], block[last]
                    break
        return times, values

    def at(self, ts_close_ns: IntArray, columns: Sequence[str]) -> FloatArray:
        """Return the values of some frames, float64 (n_frames, n_symbols, n_columns); NaN where there was no bar.

        Parameters
        ----------
        ts_close_ns : int64 (n_frames,)
            Ascending.
        columns : sequence of str
        """
        values = np.full((len(ts_close_ns), len(self.meta.symbols), len(columns)), np.nan)
        if not len(ts_close_ns):
            return values

        def read(place: int) -> None:
            ts, rows = self.rows(self.meta.symbols[place], int(ts_close_ns[0]), int(ts_close_ns[-1]), columns)
            _, wanted, found = np.intersect1d(ts_close_ns, ts, assume_unique=True, return_indices=True)
            values[wanted, place] = rows[found]

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(read, range(len(self.meta.symbols))))
        return values

    def _check(self, symbol: str, columns: Sequence[str] | None) -> tuple[str, ...]:
        if symbol not in self.meta.symbols:
            raise DataNotFoundError(f"symbol must be in the store {self.path}, was {symbol}")
        unknown = sorted(set(columns or ()) - set(self.meta.columns))
        if unknown:
            raise DataNotFoundError(f"columns must be in the store {self.path}, {', '.join(unknown[:5])} are not")
        return self.meta.columns if columns is None else tuple(columns)

    def _span(self, ts_ns: int) -> str:
        return _span_of(ts_ns, self.meta.bar_ns)

    def _spans(self, symbol: str) -> list[str]:
        return sorted(path.stem for path in (self.path / symbol).glob("*.parquet"))


def build_store(
    path: Path,
    features: UniverseFeatures,
    symbols: Sequence[str],
    frames: FrameTensor,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> StoreMeta:
    """Compute the features of frames that the store does not hold yet, and append them.

    Parameters
    ----------
    path : Path
        The folder; made where it is not there.
    features : UniverseFeatures
        Before its first frame.
    symbols : sequence of str
        Of the columns of the frames.
    frames : FrameTensor
        From the first frame on: those the store holds already must be the same.
    on_progress : callable
        Called with the fraction of the frames that is done.

    Raises
    ------
    DataValidationError
        Where the store was built of another feature set, other symbols or other bars.

    Notes
    -----
    A build that is appended to equals one of all frames at once, bit for bit.
    """
    path.mkdir(parents=True, exist_ok=True)
    meta = _read_meta(path)
    start = 0
    if meta is not None:
        _check_goes_on(meta, path, features, symbols, frames)
        start = meta.n_frames
        own = unpack_state((path / f"state-{start}.npz").read_bytes())
        cross = path / f"cross-{start}.npz"
        features.restore(own, unpack_state(cross.read_bytes()) if cross.is_file() else None)
    part = _Part(path, features, tuple(symbols), frames)
    spans = list(_spans_of(frames.ts_close_ns, start, features.features.bar_ns))
    buffer = part.make_buffer(max((stop - first for first, stop in spans), default=0))
    for first, stop in spans:
        part.write_span(first, stop, buffer, lambda row: on_progress(row / len(frames)))
        meta = part.commit(stop)
    if not spans:  # else the last row has said so
        on_progress(1.0)
    if meta is None:
        raise DataValidationError("frames must hold one to build features of, hold none")
    return meta


def _check_goes_on(
    meta: StoreMeta, path: Path, features: UniverseFeatures, symbols: Sequence[str], frames: FrameTensor
) -> None:
    expected = {"features_hash": features.features.hash, "symbols": tuple(symbols), "bar_ns": features.features.bar_ns}
    for name, value in expected.items():
        if getattr(meta, name) != value:
            raise DataValidationError(f"{name} of the store {path} must be {value}, was {getattr(meta, name)}")
    if meta.n_frames > len(frames) or meta.digest != _digest(frames, meta.n_frames):
        raise DataValidationError(
            f"the first {meta.n_frames:,} frames must be those the store {path} was built of, are others"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Frames on their way into a store."""

    path: Path
    features: UniverseFeatures
    symbols: tuple[str, ...]
    frames: FrameTensor

    def make_buffer(self, n_rows: int) -> FloatArray:
        """Make room for the first stage of a chunk: of so many frames, or of those that a chunk can hold."""
        n_columns = self.features.features.n_symbol_columns
        n_most = max(1, _CHUNK_BYTES // (8 * self.frames.n_symbols * max(n_columns, 1)))
        return np.empty((min(n_rows, n_most), self.frames.n_symbols, n_columns))

    def write_span(self, first: int, stop: int, buffer: FloatArray, on_row: Callable[[int], None]) -> None:
        """Compute rows [first, stop) of one file, a buffer at a time, and put them behind what its files hold."""
        first_ts_ns = int(self.frames.ts_close_ns[first])
        names = self.features.features.names
        schema = pa.schema([(TIME, pa.int64()), *((name, pa.float64()) for name in names)])
        span = _span_of(first_ts_ns, self.features.features.bar_ns)
        unfinished = [self.path / symbol / f"{span}.parquet.new" for symbol in self.symbols]
        with ExitStack() as stack, ThreadPoolExecutor(os.cpu_count()) as pool:
            writers = []
            for file in unfinished:
                file.parent.mkdir(parents=True, exist_ok=True)
                writers.append(stack.enter_context(_writer(file, schema)))
                finished = file.with_suffix("")
                if finished.is_file():
                    ts, values = _read_rows(finished, names)
                    before = ts < first_ts_ns
                    _write(writers[-1], schema, ts[before], values[before])
            for row in range(first, stop, len(buffer)):
                chunk = self.frames.rows(row, min(row + len(buffer), stop), first_seq=self.frames.first_seq + row)
                stages = self.features.replay_stages(chunk, buffer[: len(chunk)])

                def write(
                    place: int, chunk: FrameTensor = chunk, stages: tuple[FloatArray | None, ...] = stages
                ) -> None:
                    here = chunk.present[:, place]
                    values = [stage[here, place] for stage in stages if stage is not None]
                    _write(writers[place], schema, chunk.ts_close_ns[here], *values)

                list(pool.map(write, range(len(self.symbols))))
                on_row(row + len(chunk))
        for file in unfinished:
            file.replace(file.with_suffix(""))

    def commit(self, n_frames: int) -> StoreMeta:
        """Make the rows of the first `n_frames` frames count."""
        features = self.features.features
        for name, state in zip(("state", "cross"), self.features.snapshot(), strict=True):
            if state is not None:
                (self.path / f"{name}-{n_frames}.npz").write_bytes(pack_state(state))
        meta = StoreMeta(
            features_hash=features.hash,
            columns=features.names,
            symbols=self.symbols,
            bar_ns=features.bar_ns,
            n_frames=n_frames,
            last_ts_ns=int(self.frames.ts_close_ns[n_frames - 1]),
            digest=_digest(self.frames, n_frames),
        )
        unfinished = self.path / f"{META_FILE}.new"
        unfinished.write_text(meta.model_dump_json(indent=2))
        unfinished.replace(self.path / META_FILE)
        for file in (*self.path.glob("state-*.npz"), *self.path.glob("cross-*.npz")):
            if not file.stem.endswith(f"-{n_frames}"):
                file.unlink()
        return meta


def _writer(file: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        file,
        schema,
        compression="zstd",
        compression_level=_COMPRESSION_LEVEL,
        use_dictionary=False,
        write_statistics=[TIME],
    )


def _write(writer: pq.ParquetWriter, schema: pa.Schema, ts: IntArray, *values: FloatArray) -> None:
    """Append rows, float64 (n_rows, n_columns) each of `values`, side by side."""
    if len(ts):
        by_column = [pa.array(column) for block in values for column in np.ascontiguousarray(block.T)]
        writer.write_table(pa.Table.from_arrays([pa.array(ts), *by_column], schema=schema))


def _read_meta(path: Path) -> StoreMeta | None:
    file = path / META_FILE
    if not file.is_file():
        return None
    try:
        return StoreMeta.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise DataValidationError(f"{file} must describe a feature store: {error.errors()[0]['msg']}") from None


def _read_rows(file: Path, columns: Sequence[str]) -> tuple[IntArray, FloatArray]:
    table = pq.read_table(file, columns=[TIME, *columns], use_threads=False)
    values = np.empty((len(table), len(columns)))
    for place, name in enumerate(columns):
        values[:, place] = table.column(name).to_numpy()
    return table.column(TIME).to_numpy(), values


def _digest(frames: FrameTensor, n_frames: int) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(frames.ts_close_ns[:n_frames]).tobytes())
    for name in (*BAR_FIELDS, "present"):
        digest.update(np.ascontiguousarray(getattr(frames, name)[:n_frames]).tobytes())
    if frames.tape is not None:
        digest.update(np.ascontiguousarray(frames.tape[:n_frames]).tobytes())
    return digest.hexdigest()


def _spans_of(ts_close_ns: IntArray, start: int, bar_ns: int) -> Iterator[tuple[int, int]]:
    """Yield, for each file from row `start` on, its first row and the row after its last."""
    spans = ts_close_ns[start:].astype("datetime64[ns]").astype(_unit(bar_ns))
    edges = np.flatnonzero(spans[1:] != spans[:-1]) + 1
    yield from pairwise([start, *(edges + start).tolist(), len(ts_close_ns)] if len(spans) else [])


def _span_of(ts_ns: int, bar_ns: int) -> str:
    return str(np.datetime64(ts_ns, "ns").astype(_unit(bar_ns)))


def _unit(bar_ns: int) -> str:
    """Return the span of a file: of daily bars a month has too few rows to be worth its columns."""
    return "datetime64[Y]" if bar_ns >= DAY_NS else "datetime64[M]"
