"""Every choice of test groups, and the paths through time that they give."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from outcry.errors import ConfigurationError
from outcry.labels.splits.splitter import Fold, check_enough, check_least, purged_folds
from outcry.market.frame import IntArray


@dataclass(frozen=True, slots=True)
class CombinatorialPurged:
    """Cut frames into `n_groups` spans, and test every choice of `n_test_groups` of them by a model of the rest.

    There are ``C(n_groups, n_test_groups)`` folds. Each group is tested by ``C(n_groups - 1, n_test_groups - 1)`` of
    them, so that many *paths* through all frames can be put together, none of which uses a forecast twice: a
    distribution of results in place of one. A `outcry.labels.splits.splitter.Splitter`.

    Parameters
    ----------
    n_groups, n_test_groups : int
        N and k; k of 1 is `PurgedKFold`.
    horizon_bars : int
        A label of frame t depends on frames t..t + horizon_bars.
    embargo_bars : int
        Frames left out on both sides besides, for what features and labels share beyond the horizon.

    Raises
    ------
    ConfigurationError
        Where a value breaks its rule, and by `split` and `path_folds` where there are too few frames.

    References
    ----------
    López de Prado, "Advances in Financial Machine Learning", 2018, section 12.4: phi(N, k) = k/N C(N, k) paths.
    """

    n_groups: int
    n_test_groups: int
    horizon_bars: int
    embargo_bars: int = 0

    def __post_init__(self) -> None:
        check_least(
            n_groups=(self.n_groups, 2),
            n_test_groups=(self.n_test_groups, 1),
            horizon_bars=(self.horizon_bars, 1),
            embargo_bars=(self.embargo_bars, 0),
        )
        if self.n_test_groups >= self.n_groups:
            raise ConfigurationError(
                f"n_test_groups must be less than n_groups {self.n_groups}, was {self.n_test_groups}"
            )

    @property
    def n_folds(self) -> int:
        """How many models are trained."""
        return comb(self.n_groups, self.n_test_groups)

    @property
    def n_paths(self) -> int:
        return comb(self.n_groups - 1, self.n_test_groups - 1)

    def split(self, n_frames: int, last_row: IntArray | None = None) -> Iterator[Fold]:
        """Yield (train, test), int64 frames in order; test groups in the order of `itertools.combinations`."""
        group = self._groups(n_frames)
        folds = (
            (np.flatnonzero(~is_test), np.flatnonzero(is_test))
            for chosen in combinations(range(self.n_groups), self.n_test_groups)
            for is_test in [np.isin(group, chosen)]
        )
        yield from purged_folds(folds, n_frames, self.horizon_bars, self.embargo_bars, last_row)

    def path_folds(self, n_frames: int) -> IntArray:
        """Return the fold, by its place in `split`, whose model speaks for each frame on each path.

        Returns
        -------
        int64 (n_paths, n_frames)
            Each frame is among the test frames of its fold, so a path is complete and out of sample. The folds of a
            frame are all different over the paths.
        """
        chosen = np.array(list(combinations(range(self.n_groups), self.n_test_groups)))
        of_group = [np.flatnonzero((chosen == group).any(axis=1)) for group in range(self.n_groups)]
        return np.stack(of_group, axis=1)[:, self._groups(n_frames)]

    def _groups(self, n_frames: int) -> IntArray:
        check_enough(n_frames, self.n_groups, "groups")
        spans = np.array_split(np.arange(n_frames), self.n_groups)
        return np.repeat(np.arange(self.n_groups, dtype=np.int64), [len(span) for span in spans])
