"""Every method by its name, and the steps of a selection one after the other."""

from collections.abc import Callable
from typing import Any

from configs.training import TrainingConfig
from outcry.errors import DataValidationError
from outcry.models.dataset import Dataset
from training.selection.choice import Selection
from training.selection.embedded import select_by_gain, select_by_lasso, select_by_permutation, select_by_shap
from training.selection.filters import (
    select_by_chi_square,
    select_by_correlation,
    select_by_mutual_information,
    select_by_variance,
)
from training.selection.wrappers import select_by_elimination, select_forward

Selector = Callable[[Dataset, Any, TrainingConfig], Selection]
"""Judges columns by the rows given: the training rows of a fold, its own step, and how the fold is trained.

`TrainingConfig` gives horizon and embargo of the inner split, the trees, the threads and the seed. The second argument
is the configuration of the method: `SELECTORS` is keyed by its ``method``, which a type cannot say.
"""

SELECTORS: dict[str, Selector] = {
    "variance": select_by_variance,
    "correlation": select_by_correlation,
    "mutual_information": select_by_mutual_information,
    "chi_square": select_by_chi_square,
    "elimination": select_by_elimination,
    "forward": select_forward,
    "lasso": select_by_lasso,
    "gain": select_by_gain,
    "permutation": select_by_permutation,
    "shap": select_by_shap,
}


def select_columns(data: Dataset, config: TrainingConfig) -> tuple[Selection, ...]:
    """Run the steps of `config`, each on the columns that the one before it chose.

    Parameters
    ----------
    data : Dataset
        Training rows of one fold, and none of a later frame: every row is looked at.
    config : TrainingConfig

    Returns
    -------
    tuple of Selection
        One a step; the last one's `names` are the columns to train on. Empty where there is no step.

    Raises
    ------
    DataValidationError
        Where there are no rows, no column varies, or a step that asks for labels meets a single class.
    ConfigurationError
        Where a step holds rows out and the frames are too few for its purge.

    Notes
    -----
    The same rows and settings give the same selections. Rows may hold NaN, not infinities (`build_dataset` refuses
    them).
    """
    if not len(data):
        raise DataValidationError("a selection must have rows, had none")
    done: list[Selection] = []
    for step in config.selection:
        done.append(SELECTORS[step.method](data, step, config))
        data = data.of_columns(done[-1].names)
    return tuple(done)
