"""Which frames the folds of a training learn from, and which ones judge them.

The longest horizon of the ensemble and its members is purged: no label that any of them learns reaches into the frames
that judge it.
"""

from dataclasses import dataclass

import numpy as np

from configs.training import TrainingConfig
from outcry.labels.splits.combinatorial import CombinatorialPurged
from outcry.labels.splits.hold_out import HoldOut
from outcry.labels.splits.k_fold import PurgedKFold
from outcry.labels.splits.splitter import Fold
from outcry.labels.splits.walk_forward import PurgedWalkForward
from outcry.labels.splits.windows import WalkForwardWindows
from outcry.market.frame import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """Folds over the frames of a training, those that are judged first first; the last one only measures.

    Attributes
    ----------
    spans : tuple of (int64 (n_train,), int64 (n_test,))
        Frames that a fold learns from, and those that judge it; either may have holes, but for the last fold.
    n_given : int
        Frames that may shape the model. Those after them judge the last fold, and nothing else looks at them.
    chooses_once : bool
        Columns are chosen in the first fold, and kept in those after it.
    """

    spans: tuple[Fold, ...]
    n_given: int
    chooses_once: bool = False


def folds_within(n_frames: int, config: TrainingConfig) -> Folds:
    """Return the folds of a training that is given all there is: the last part of its frames judges it.

    Raises
    ------
    ConfigurationError
        Where there are too few frames, or values of ``training.validation`` do not fit each other or the horizon.
    """
    return Folds(tuple(_spans_within(n_frames, config)), n_frames)


def folds_before(n_given: int, test: IntArray, inner_folds: int, config: TrainingConfig) -> Folds:
    """Return the folds of a model that frames of its own judge: it learns from everything given, the newest included.

    Parameters
    ----------
    n_given : int
        Frames; no label of theirs that is looked at reaches beyond them.
    test : int64 (n_test,)
        Frames after those.
    inner_folds : int
        Folds within the frames given, each after what it learns from, whatever ``training.validation`` says: what they
        forecast is what weights and calibration are fitted to.
    config : TrainingConfig

    Raises
    ------
    ConfigurationError
        Where there are too few frames.
    """
    n_labelled = n_given - config.longest_horizon_bars
    inner = _walk_forward(inner_folds, config).split(n_labelled)
    return Folds((*inner, (np.arange(n_labelled, dtype=np.int64), test)), n_given, chooses_once=True)


def _spans_within(n_frames: int, config: TrainingConfig) -> list[Fold]:
    chosen = config.validation
    gap = {"horizon_bars": config.longest_horizon_bars, "embargo_bars": config.embargo_bars}
    match chosen.kind:
        case "walk_forward":
            return list(_walk_forward(config.n_folds, config).split(n_frames))
        case "hold_out":
            train_frac = 1.0 - chosen.validation_frac - chosen.test_frac
            hold_out = HoldOut(**gap, train_frac=train_frac, validation_frac=chosen.validation_frac)
            return [*hold_out.split(n_frames), hold_out.final_fold(n_frames)]
        case "k_fold":
            inner: PurgedKFold | CombinatorialPurged = PurgedKFold(config.n_folds, **gap)
        case "combinatorial":
            inner = CombinatorialPurged(config.n_folds, chosen.n_test_folds, **gap)
        case kind:
            windows = WalkForwardWindows(kind, chosen.train_bars, chosen.test_bars, **gap, step_bars=chosen.step_bars)
            return list(windows.split(n_frames))
    (last,) = PurgedWalkForward(1, **gap, min_train_frac=1.0 - chosen.test_frac).split(n_frames)
    return [*inner.split(len(last[0])), last]  # whose labels do not reach into what measures


def _walk_forward(n_folds: int, config: TrainingConfig) -> PurgedWalkForward:
    return PurgedWalkForward(n_folds, config.longest_horizon_bars, config.embargo_bars, config.min_train_frac)
