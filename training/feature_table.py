"""The features of a whole span in one file that many processes read at once, each only the pages it needs.

The feature store of `outcry.adapters.feature_store` is made to be kept and read by symbol; each of its files costs some
microseconds a column, seconds for a window of many symbols. This table lives as long as one command.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from outcry.features.feature_set import FeatureSet
from outcry.features.guard import ColumnQuality, QualityGuard
from outcry.features.universe_features import UniverseFeatures
from outcry.market.frame import FloatArray, FrameTensor, IntArray

CHUNK_BYTES = 128 * 2**20
"""About the memory of the features that are held at a time."""


@dataclass(frozen=True)
class FeatureTable:
    """Read what `build_table` wrote.

    Attributes
    ----------
    path : Path
    columns : tuple of str
    """

    path: Path
    columns: tuple[str, ...]

    def read(self, rows: slice | IntArray, columns: Sequence[str]) -> FloatArray:
        """Return the features of some frames, float64 (n_rows, n_symbols, n_columns)."""
        places = [self._place[name] for name in columns]
        # rows first: they lie together in the file, and of columns alone every page would be read
        return np.take(self._values[rows], places, axis=2)

    def __reduce__(self) -> "tuple[type[FeatureTable], tuple[Path, tuple[str, ...]]]":
        return FeatureTable, (self.path, self.columns)  # the file is opened where it is read

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.columns)}

    @cached_property
    def _values(self) -> FloatArray:
        values: FloatArray = np.load(self.path, mmap_mode="r")
        return values


def build_table(
    path: Path,
    features: UniverseFeatures,
    frames: FrameTensor,
    columns: Sequence[str],
    *,
    watch_from: int,
    on_progress: Callable[[float], None],
) -> tuple[FeatureTable, tuple[ColumnQuality, ...]]:
    """Compute the features of all frames once, and write some of their columns.

    Parameters
    ----------
    path : Path
        Of a file ``.npy`` that is not there yet.
    features : UniverseFeatures
        Before its first frame.
    frames : FrameTensor
    columns : sequence of str
    watch_from : int
        The first row that is traded.
    on_progress : callable
        Called with the fraction of the frames that is done.

    Returns
    -------
    FeatureTable, tuple of ColumnQuality
        And what went wrong with a column, of the whole set, in the traded frames.

    Raises
    ------
    OSError
        Where there is no room for the file.
    """
    chosen: FeatureSet = features.features
    places = [chosen.place(name) for name in columns]
    shape = (len(frames), frames.n_symbols, len(places))
    values = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=shape)
    _reserve(path)
    guard = QualityGuard(chosen.columns, frames.n_symbols)
    step = max(CHUNK_BYTES // (8 * frames.n_symbols * len(chosen.names)), 1)
    on_progress(0.0)
    for start in range(0, len(frames), step):
        stop = min(start + step, len(frames))
        piece = features.replay(frames.rows(start, stop, first_seq=frames.first_seq + start))
        values[start:stop] = piece[:, :, places]
        watched = slice(max(watch_from - start, 0), None)
        guard.watch(piece[watched], ~frames.present[start:stop][watched])
        on_progress(stop / len(frames))
    values.flush()
    return FeatureTable(path, tuple(columns)), guard.findings


def _reserve(path: Path) -> None:
    """Take the blocks of a sparse file: where the disk is full, a write through the map would end the process."""
    if not hasattr(os, "posix_fallocate"):  # macOS
        return
    size_bytes = path.stat().st_size
    with path.open("r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size_bytes)
        except OSError as error:
            raise OSError(error.errno, f"{error.strerror} ({size_bytes:,} bytes of features)", str(path)) from None
