"""Walk-forward over folds whose number is given: what the ensemble is trained with."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from outcry.errors import ConfigurationError
from outcry.labels.splits.splitter import Fold, check_least, purged_folds
from outcry.market.frame import IntArray


@dataclass(frozen=True, slots=True)
class PurgedWalkForward:
    """Split consecutive rows into folds, each trained on the past and tested on the rows after it.

    The rows after the first `min_train_frac` are cut into `n_folds` test spans of equal length (the first ones are
    longer by a row where they do not divide). The training rows of a fold are all rows from 0 whose label is known
    `embargo_bars` before its test span starts. A `outcry.labels.splits.splitter.Splitter`.

    Parameters
    ----------
    n_folds : int
    horizon_bars : int
        A label of row t depends on rows t..t + horizon_bars.
    embargo_bars : int
        Rows left out besides, for what features and labels share beyond the horizon.
    min_train_frac : float
        Part of the rows before the first test span, purged rows included; in (0, 1).

    Raises
    ------
    ConfigurationError
        Where a value breaks its rule, and by `split` where a fold would have no row to train on or to test.

    References
    ----------
    López de Prado, "Advances in Financial Machine Learning", 2018, section 7.4 (purging, embargo) and 12.2
    (walk-forward).
    """

    n_folds: int
    horizon_bars: int
    embargo_bars: int = 0
    min_train_frac: float = 0.4

    def __post_init__(self) -> None:
        check_least(n_folds=(self.n_folds, 1), horizon_bars=(self.horizon_bars, 1), embargo_bars=(self.embargo_bars, 0))
        if not 0.0 < self.min_train_frac < 1.0:
            raise ConfigurationError(f"min_train_frac must be in (0, 1), was {self.min_train_frac}")

    def split(self, n_frames: int, last_row: IntArray | None = None) -> Iterator[Fold]:
        """Yield (train, test), int64 row numbers in order, oldest fold first."""
        first_test = round(n_frames * self.min_train_frac)
        if n_frames - first_test < self.n_folds:
            raise ConfigurationError(f"{n_frames} rows are too few for {self.n_folds} folds after {first_test} rows")
        rows = np.arange(n_frames, dtype=np.int64)
        tests = np.array_split(rows[first_test:], self.n_folds)
        folds = ((rows[: test[0]], test) for test in tests)
        yield from purged_folds(folds, n_frames, self.horizon_bars, self.embargo_bars, last_row)
