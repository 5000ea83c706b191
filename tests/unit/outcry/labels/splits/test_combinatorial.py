"""Every choice of groups is tested, and the paths are complete and out of sample."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError
from outcry.labels.splits.combinatorial import CombinatorialPurged
from outcry.labels.splits.k_fold import PurgedKFold


@given(n_groups=st.integers(2, 7), k=st.integers(1, 6), n_frames=st.integers(40, 130), horizon_bars=st.integers(1, 4))
def test_every_path_is_complete_and_out_of_sample(n_groups: int, k: int, n_frames: int, horizon_bars: int) -> None:
    k = min(k, n_groups - 1)
    split = CombinatorialPurged(n_groups, k, horizon_bars)
    try:
        folds = list(split.split(n_frames))
    except ConfigurationError:
        return  # what is left between test groups is all purged
    paths = split.path_folds(n_frames)
    assert len(folds) == split.n_folds == comb(n_groups, k)
    assert paths.shape == (split.n_paths, n_frames) == (k * comb(n_groups, k) // n_groups, n_frames)
    for frame in range(n_frames):
        spoken = paths[:, frame].tolist()
        assert sorted(spoken) == [fold for fold, (_, test) in enumerate(folds) if frame in test]
        for fold in spoken:
            train = folds[fold][0]
            assert ((train + horizon_bars < frame) | (train > frame + horizon_bars)).all()


def test_test_frames_are_the_union_of_every_choice_of_groups() -> None:
    groups = np.array_split(np.arange(26), 5)
    folds = list(CombinatorialPurged(5, 2, 1).split(26))
    for (_, test), chosen in zip(folds, combinations(groups, 2), strict=True):
        assert test.tolist() == np.concatenate(chosen).tolist()


def test_a_span_between_two_test_groups_is_purged_from_both() -> None:
    train, test = list(CombinatorialPurged(5, 2, horizon_bars=2, embargo_bars=1).split(50))[1]
    assert test.tolist() == [*range(10), *range(20, 30)]
    assert train.tolist() == [*range(13, 17), *range(33, 50)]


def test_the_paths_of_the_book() -> None:
    """Figures 12.1 and 12.2: six groups, two of them tested, give fifteen folds and five paths."""
    split = CombinatorialPurged(6, 2, 1)
    assert (split.n_folds, split.n_paths) == (15, 5)
    assert split.path_folds(6).T.tolist() == [
        [0, 1, 2, 3, 4],
        [0, 5, 6, 7, 8],
        [1, 5, 9, 10, 11],
        [2, 6, 9, 12, 13],
        [3, 7, 10, 12, 14],
        [4, 8, 11, 13, 14],
    ]


def test_one_test_group_is_k_fold() -> None:
    ours, theirs = CombinatorialPurged(5, 1, 3, 2), PurgedKFold(5, 3, 2)
    for (train, test), (their_train, their_test) in zip(ours.split(77), theirs.split(77), strict=True):
        assert train.tolist() == their_train.tolist()
        assert test.tolist() == their_test.tolist()


def test_values_that_break_a_rule_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="n_test_groups must be less than n_groups 4, was 4"):
        CombinatorialPurged(4, 4, 1)
    with pytest.raises(ConfigurationError, match="n_test_groups must be at least 1, was 0"):
        CombinatorialPurged(4, 0, 1)
    with pytest.raises(ConfigurationError, match="3 rows are too few for 4 groups"):
        CombinatorialPurged(4, 2, 1).path_folds(3)
