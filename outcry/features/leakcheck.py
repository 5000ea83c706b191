"""Find columns that know the future: recompute them where it is cut off, and where it is another."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from outcry.errors import DataValidationError
from outcry.market.frame import BAR_FIELDS, PRICE_FIELDS, BoolArray, FloatArray, FrameTensor

Compute = Callable[[FrameTensor], FloatArray]
"""From frames to float64 (n_frames, n_symbols, n_columns); row t is what is known of frame t."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A column whose past changed with its future.

    Attributes
    ----------
    column : str
    how : str
        ``cut``: the frames from `cut_row` on were taken away; ``perturbed``: they were made others.
    cut_row : int
    first_row : int
        The earliest row that changed.
    """

    column: str
    how: str
    cut_row: int
    first_row: int

    def __str__(self) -> str:
        what = "are taken away" if self.how == "cut" else "are others"
        return f"{self.column}: row {self.first_row} changes when the frames from {self.cut_row} on {what}"


@dataclass(frozen=True, slots=True)
class LeakReport:
    """What was found: `leaks`, one a column, and the `unproven` columns, NaN before every cut."""

    leaks: tuple[Leak, ...]
    unproven: tuple[str, ...]


def find_leaks(
    compute: Compute,
    frames: FrameTensor,
    columns: Sequence[str],
    *,
    rng: np.random.Generator,
    n_cuts: int = 4,
    reach_frames: int = 0,
    on_progress: Callable[[float], None] | None = None,
) -> LeakReport:
    """Recompute every column without and with another future, and report those whose past changes.

    Parameters
    ----------
    compute : callable
        What is to be proven. Called once for the whole and twice for each cut, each time from the beginning.
    frames : FrameTensor
        Real ones: a kernel has branches that noise never takes.
    columns : sequence of str
        Of the last axis.
    rng : Generator
        Chooses the cuts, and the other future.
    n_cuts : int
        Spread over the frames at random, one in each of as many equal parts of them.
    reach_frames : int
        Frames after its own that a row may depend on: 0 for a feature, the horizon for a label.
    on_progress : callable, optional
        Called with the fraction done.

    Raises
    ------
    DataValidationError
        Where there are too few frames, or `compute` answers another shape.

    Notes
    -----
    Values are compared bit for bit; NaN equals NaN. What is shown is that rows before a cut do not depend on frames
    after it, in this data. A column that leaks only under conditions the data never meets is not found.
    """
    if len(frames) < 4 * n_cuts + reach_frames:
        raise DataValidationError(
            f"frames must be at least {4 * n_cuts + reach_frames} for {n_cuts} cuts, were {len(frames)}"
        )
    report = on_progress or (lambda fraction: None)
    whole = _checked(compute, frames, columns)
    leaks: dict[str, Leak] = {}
    has_value = np.zeros(len(columns), dtype=np.bool_)
    runs = list(_runs(frames, rng, n_cuts))
    for done, (how, cut_row, other) in enumerate(runs, start=1):
        n_rows = max(cut_row - reach_frames, 0)
        values = _checked(compute, other, columns)[:n_rows]
        for column, first_row in _changes(whole[:n_rows], values):
            leaks.setdefault(columns[column], Leak(columns[column], how, cut_row, first_row))
        has_value |= ~np.isnan(values).all(axis=(0, 1))
        report(done / len(runs))
    unproven = tuple(column for column, known in zip(columns, has_value, strict=True) if not known)
    return LeakReport(tuple(leaks.values()), unproven)


def _runs(frames: FrameTensor, rng: np.random.Generator, n_cuts: int) -> Iterator[tuple[str, int, FrameTensor]]:
    edges = np.linspace(1, len(frames), n_cuts + 1).astype(np.int64)
    for start, stop in pairwise(edges):
        cut_row = int(rng.integers(start, stop))
        yield "cut", cut_row, frames.rows(0, cut_row, first_seq=frames.first_seq)
        yield "perturbed", cut_row, perturb(frames, cut_row, rng)


def perturb(frames: FrameTensor, cut_row: int, rng: np.random.Generator) -> FrameTensor:
    """Return frames that are the same before `cut_row`, and from it on other prices, volumes, quotes and gaps."""
    shape = (len(frames) - cut_row, frames.n_symbols)
    factor = np.exp(np.cumsum(rng.normal(0.02, 0.01, shape), axis=0))
    wider = np.exp(np.abs(rng.normal(0.0, 0.01, shape)))
    changed = {name: getattr(frames, name).copy() for name in BAR_FIELDS}
    for name in (*PRICE_FIELDS, "vwap"):
        changed[name][cut_row:] *= factor
    changed["high"][cut_row:] *= wider
    changed["low"][cut_row:] /= wider
    changed["volume"][cut_row:] = np.floor(changed["volume"][cut_row:] * rng.uniform(0.2, 5.0, shape) + 1.0)
    present: BoolArray = frames.present.copy()
    present[cut_row:] &= rng.random(shape) >= 0.1
    tape = None
    if frames.tape is not None:
        tape = frames.tape.copy()
        tape[cut_row:] = _other_tape(tape[cut_row:], factor, changed["volume"][cut_row:], rng)
    return replace(frames, present=present, tape=tape, **changed)


def _other_tape(tape: FloatArray, factor: FloatArray, volume: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return a tape that goes with the other prices and volumes, (n_frames, n_symbols, 6), some of it not known."""
    bid, ask, bid_size, ask_size, trades, _ = np.moveaxis(tape, -1, 0)
    spread = np.exp(np.abs(rng.normal(0.0, 0.001, (2, *factor.shape))))
    counts = [np.floor(x * rng.uniform(0.2, 5.0, x.shape) + 1.0) for x in (bid_size, ask_size, trades)]
    bought = np.where(np.isnan(tape[..., 5]), np.nan, volume * rng.random(volume.shape))
    other = np.stack([bid * factor / spread[0], ask * factor * spread[1], *counts, bought], axis=-1)
    return np.where(rng.random(tape.shape) < 0.05, np.nan, other)


def _checked(compute: Compute, frames: FrameTensor, columns: Sequence[str]) -> FloatArray:
    values = compute(frames)
    expected = (len(frames), frames.n_symbols, len(columns))
    if values.shape != expected:
        raise DataValidationError(f"values must have shape {expected}, was {values.shape}")
    return values


def _changes(before: FloatArray, after: FloatArray) -> Iterator[tuple[int, int]]:
    """Yield each column that differs, with the first row where it does."""
    differs = (before != after) & ~(np.isnan(before) & np.isnan(after))
    for column in np.flatnonzero(differs.any(axis=(0, 1))):
        yield int(column), int(np.flatnonzero(differs[..., column].any(axis=1))[0])
