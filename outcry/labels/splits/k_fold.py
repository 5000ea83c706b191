"""K folds, each tested once by a model of the others: before and after it in time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from outcry.labels.splits.splitter import Fold, check_enough, check_least, purged_folds
from outcry.market.frame import IntArray


@dataclass(frozen=True, slots=True)
class PurgedKFold:
    """Cut frames into `n_folds` spans of equal length, and test each by a model of the rest.

    The first spans are longer by a frame where they do not divide. A model also learns from what came after its test
    span: a score of it says how well a relation holds over the whole past, not what trading would have earned. A
    `outcry.labels.splits.splitter.Splitter`.

    Parameters
    ----------
    n_folds : int
    horizon_bars : int
        A label of frame t depends on frames t..t + horizon_bars.
    embargo_bars : int
        Frames left out on both sides besides, for what features and labels share beyond the horizon.

    Raises
    ------
    ConfigurationError
        Where a value breaks its rule, and by `split` where there are too few frames.

    References
    ----------
    López de Prado, "Advances in Financial Machine Learning", 2018, section 7.4, snippets 7.1-7.3. There the embargo is
    only after the test span; here it is on both sides, since features of a test frame look back on the frames before.
    """

    n_folds: int
    horizon_bars: int
    embargo_bars: int = 0

    def __post_init__(self) -> None:
        check_least(n_folds=(self.n_folds, 2), horizon_bars=(self.horizon_bars, 1), embargo_bars=(self.embargo_bars, 0))

    def split(self, n_frames: int, last_row: IntArray | None = None) -> Iterator[Fold]:
        """Yield (train, test), int64 frames in order, oldest test span first."""
        check_enough(n_frames, self.n_folds, "folds")
        rows = np.arange(n_frames, dtype=np.int64)
        folds = ((np.setdiff1d(rows, test), test) for test in np.array_split(rows, self.n_folds))
        yield from purged_folds(folds, n_frames, self.horizon_bars, self.embargo_bars, last_row)
