"""No fold judges by what it learnt, and a model that is judged from outside learns from all it is given."""

import numpy as np
import pytest

from configs.training import TrainingConfig
from configs.validation import ValidationConfig
from outcry.errors import ConfigurationError
from outcry.labels.splits.combinatorial import CombinatorialPurged
from outcry.labels.splits.hold_out import HoldOut
from outcry.labels.splits.k_fold import PurgedKFold
from outcry.labels.splits.splitter import Fold
from outcry.labels.splits.walk_forward import PurgedWalkForward
from outcry.labels.splits.windows import WalkForwardWindows
from training.folds import folds_before, folds_within

CONFIG = TrainingConfig(horizon_bars=3, embargo_bars=2, n_folds=3, min_train_frac=0.5)
N_FRAMES, N_BEFORE_TEST = 200, 170 - 3 - 2
WINDOWS = {"train_bars": 40, "test_bars": 30, "step_bars": 20}
SPANS = {
    "walk_forward": PurgedWalkForward(3, 3, 2, 0.5).split(N_FRAMES),
    "rolling": WalkForwardWindows("rolling", 40, 30, 3, 2, 20).split(N_FRAMES),
    "anchored": WalkForwardWindows("anchored", 40, 30, 3, 2, 20).split(N_FRAMES),
    "fixed": WalkForwardWindows("fixed", 40, 30, 3, 2, 20).split(N_FRAMES),
    "k_fold": PurgedKFold(3, 3, 2).split(N_BEFORE_TEST),
    "combinatorial": CombinatorialPurged(3, 2, 3, 2).split(N_BEFORE_TEST),
    "hold_out": HoldOut(3, 2, 0.7, 0.15).split(N_FRAMES),
}
KINDS = ValidationConfig.model_json_schema()["properties"]["kind"]["enum"]


def _with_kind(kind: str, **values: object) -> TrainingConfig:
    return CONFIG.model_copy(update={"validation": ValidationConfig.model_validate({"kind": kind} | values)})


def test_the_last_part_of_what_there_is_judges_a_training_of_its_own():
    folds = folds_within(200, CONFIG)
    assert folds.n_given == 200
    assert not folds.chooses_once
    assert [test[[0, -1]].tolist() for _, test in folds.spans] == [[100, 133], [134, 166], [167, 199]]


@pytest.mark.parametrize("inner_folds", [1, 2])
def test_frames_from_outside_judge_a_model_that_has_learnt_up_to_the_end(inner_folds: int):
    folds = folds_before(100, np.arange(105, 130), inner_folds, CONFIG)
    *inner, (learnt, test) = folds.spans
    assert np.concatenate([judged for _, judged in inner]).tolist() == list(range(48, 97))
    assert learnt.tolist() == list(range(97))
    assert test.tolist() == list(range(105, 130))
    assert folds.n_given == 100
    assert all(train[-1] + CONFIG.horizon_bars < judged[0] for train, judged in folds.spans)


def test_too_few_frames_are_refused():
    with pytest.raises(ConfigurationError, match="7 rows are too few for fold 1"):
        folds_before(10, np.arange(12, 20), 2, CONFIG)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_folds_of_its_splitter_and_ends_with_one_that_only_measures(kind: str):
    def plain(spans: list[Fold]) -> list[tuple[list[int], list[int]]]:
        return [(train.tolist(), test.tolist()) for train, test in spans]

    folds = folds_within(N_FRAMES, _with_kind(kind, **WINDOWS))
    expected = list(SPANS[kind])
    n_added = len(folds.spans) - len(expected)
    assert plain(folds.spans[: len(expected)]) == plain(expected)
    assert n_added == (kind in {"k_fold", "combinatorial", "hold_out"})
    train, test = folds.spans[-1]
    assert train[-1] + CONFIG.horizon_bars + CONFIG.embargo_bars < test[0]
    assert np.diff(test).tolist() == [1] * (len(test) - 1)
    if n_added:
        assert (train.tolist(), test.tolist()) == (list(range(N_BEFORE_TEST)), list(range(170, 200)))


@pytest.mark.parametrize(
    ("kind", "values", "rule"),
    [
        ("rolling", {"train_bars": 5}, "train_bars must be more than horizon_bars and embargo_bars, 5 in all, was 5"),
        ("anchored", {"train_bars": 190}, "200 rows are too few for train_bars 190 and test_bars 63"),
        ("k_fold", {"test_frac": 0.975}, "200 rows are too few for fold 1"),
    ],
)
def test_values_that_do_not_fit_each_other_or_the_horizon_are_refused(kind: str, values: dict, rule: str):
    with pytest.raises(ConfigurationError, match=rule):
        folds_within(N_FRAMES, _with_kind(kind, **({"validation_frac": 0.01} | values)))
