"""A selection in every fold of a walk-forward training, and how much the folds agree."""

from dataclasses import dataclass

from configs.training import TrainingConfig
from outcry.errors import DataValidationError
from outcry.labels.split import PurgedWalkForward
from training.dataset import Dataset
from training.selection.choice import Selection
from training.selection.config import SelectionConfig
from training.selection.pipeline import select_columns
from training.selection.stability import Stability, measure_stability


@dataclass(frozen=True, slots=True, eq=False)
class FoldSelections:
    """What `select_over_folds` found: of each fold, oldest first, the answers of the steps; and their stability."""

    folds: tuple[tuple[Selection, ...], ...]
    stability: Stability


def select_over_folds(
    data: Dataset, n_frames: int, selection: SelectionConfig, config: TrainingConfig
) -> FoldSelections:
    """Select columns in every fold, from its training rows alone.

    The folds are those that `fit_ensemble` trains on, so fold k of the answer belongs to fold k there. No column may be
    chosen for a fold by what another fold chose later.

    Parameters
    ----------
    data : Dataset
    n_frames : int
        Frames that `data` refers to, with those that have no row.
    selection : SelectionConfig
    config : TrainingConfig

    Raises
    ------
    ConfigurationError
        Where there are too few frames for the folds, or for the rows that a step holds out.
    DataValidationError
        Where a fold has no training rows, or its rows cannot be selected by (see `select_columns`).
    """
    splitter = PurgedWalkForward(config.n_folds, config.horizon_bars, config.embargo_bars, config.min_train_frac)
    folds = []
    for number, (train, _) in enumerate(splitter.split(n_frames), start=1):
        rows = data.of_frames(train)
        if not len(rows):
            raise DataValidationError(f"fold {number} must have training rows, had none")
        folds.append(select_columns(rows, selection, config))
    chosen = [steps[-1].names for steps in folds]
    return FoldSelections(tuple(folds), measure_stability(chosen, data.feature_names))
