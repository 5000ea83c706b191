"""Walk-forward over windows whose lengths are given: rolling, anchored or fixed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from outcry.errors import ConfigurationError
from outcry.labels.splits.splitter import Fold, check_least, purged_folds
from outcry.market.frame import IntArray

Scheme = Literal["rolling", "anchored", "fixed"]
"""Training spans: the last ones before the test span; all before it; the first ones, whatever the test span."""


class Spans(NamedTuple):
    """A training span and the test span after it; a stop is not included."""

    train_start: int
    train_stop: int
    test_start: int
    test_stop: int


def cut_spans(n: int, scheme: Scheme, n_train: int, n_test: int, n_step: int) -> Iterator[Spans]:
    """Cut n units of time, bars or sessions, into training and test spans, oldest first; none where n is too small.

    Parameters
    ----------
    n : int
    scheme : str
    n_train, n_test : int
        Lengths of the spans; of the first training span where the scheme is ``anchored``.
    n_step : int
        From the start of one test span to that of the next.

    References
    ----------
    Pardo, "The Evaluation and Optimization of Trading Strategies", 2008, chapter 11 (walk-forward analysis).
    """
    for start in range(n_train, n - n_test + 1, n_step):
        first = start - n_train if scheme == "rolling" else 0
        last = n_train if scheme == "fixed" else start
        yield Spans(first, last, start, start + n_test)


@dataclass(frozen=True, slots=True)
class WalkForwardWindows:
    """Split frames into windows of given lengths. A `outcry.labels.splits.splitter.Splitter`.

    `outcry.backtest.windows` cuts whole sessions, each traded once, for the walk-forward of a strategy; this cuts bars,
    to score a model.

    Parameters
    ----------
    scheme : str
        ``rolling``: each fold trains on the `train_bars` before its test span. ``anchored``: on all frames before it.
        ``fixed``: on the first `train_bars` frames.
    train_bars, test_bars : int
        Lengths of the spans, purged frames included.
    horizon_bars : int
        A label of frame t depends on frames t..t + horizon_bars.
    embargo_bars : int
        Frames left out besides, for what features and labels share beyond the horizon.
    step_bars : int or None
        From the start of one test span to that of the next; None is their length. A shorter step tests frames twice, a
        longer one passes some over. Frames at the end that do not fill a test span are in none.

    Raises
    ------
    ConfigurationError
        Where a value breaks its rule, and by `split` where there are too few frames for one window.
    """

    scheme: Scheme
    train_bars: int
    test_bars: int
    horizon_bars: int
    embargo_bars: int = 0
    step_bars: int | None = None

    def __post_init__(self) -> None:
        if self.scheme not in get_args(Scheme):
            raise ConfigurationError(f"scheme must be one of {', '.join(get_args(Scheme))}, was {self.scheme}")
        check_least(
            horizon_bars=(self.horizon_bars, 1),
            embargo_bars=(self.embargo_bars, 0),
            test_bars=(self.test_bars, 1),
            step_bars=(self.step, 1),
        )
        gap_bars = self.horizon_bars + self.embargo_bars
        if self.train_bars <= gap_bars:
            raise ConfigurationError(
                f"train_bars must be more than horizon_bars and embargo_bars, {gap_bars} in all, was {self.train_bars}"
            )

    @property
    def step(self) -> int:
        """Bars from the start of one test span to that of the next."""
        return self.test_bars if self.step_bars is None else self.step_bars

    def split(self, n_frames: int, last_row: IntArray | None = None) -> Iterator[Fold]:
        """Yield (train, test), int64 frames in order, oldest fold first."""
        if n_frames < self.train_bars + self.test_bars:
            raise ConfigurationError(
                f"{n_frames} rows are too few for train_bars {self.train_bars} and test_bars {self.test_bars}"
            )
        rows = np.arange(n_frames, dtype=np.int64)
        folds = (
            (rows[spans.train_start : spans.train_stop], rows[spans.test_start : spans.test_stop])
            for spans in cut_spans(n_frames, self.scheme, self.train_bars, self.test_bars, self.step)
        )
        yield from purged_folds(folds, n_frames, self.horizon_bars, self.embargo_bars, last_row)
