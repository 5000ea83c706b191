"""Folds over time that leak nothing from a test row into a training row."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from outcry.errors import ConfigurationError
from outcry.market.frame import IntArray


@dataclass(frozen=True, slots=True)
class PurgedWalkForward:
    """Split consecutive rows into folds, each trained on the past and tested on the rows after it.

    The rows after the first `min_train_frac` are cut into `n_folds` test spans of equal length (the first ones are
    longer by a row where they do not divide). The training rows of a fold are all rows from 0 whose label is known
    `embargo_bars` before its test span starts.

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
        for name, value, least in (
            ("n_folds", self.n_folds, 1),
            ("horizon_bars", self.horizon_bars, 1),
            ("embargo_bars", self.embargo_bars, 0),
        ):
            if value < least:
                raise ConfigurationError(f"{name} must be at least {least}, was {value}")
        if not 0.0 < self.min_train_frac < 1.0:
            raise ConfigurationError(f"min_train_frac must be in (0, 1), was {self.min_train_frac}")

    def split(self, n_rows: int) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield (train, test), int64 row numbers in order, oldest fold first."""
        first_test = round(n_rows * self.min_train_frac)
        n_train = first_test - self.horizon_bars - self.embargo_bars
        if n_train < 1 or n_rows - first_test < self.n_folds:
            raise ConfigurationError(
                f"{n_rows} rows are too few for {self.n_folds} folds after {first_test} rows of which "
                f"{self.horizon_bars} (horizon_bars) and {self.embargo_bars} (embargo_bars) are purged"
            )
        for test in np.array_split(np.arange(first_test, n_rows, dtype=np.int64), self.n_folds):
            train_stop = int(test[0]) - self.horizon_bars - self.embargo_bars
            yield np.arange(train_stop, dtype=np.int64), test
