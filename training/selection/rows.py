"""The part of the training rows that a method looks at."""

from collections.abc import Iterable

import numpy as np

from configs.training import TrainingConfig
from outcry.errors import DataValidationError
from outcry.labels.direction import LabelArray
from outcry.labels.split import PurgedWalkForward
from training.dataset import Dataset


def of_columns(data: Dataset, names: Iterable[str]) -> Dataset:
    """Return the rows with these columns alone, in the order of `data`."""
    wanted = set(names)
    columns = [k for k, name in enumerate(data.feature_names) if name in wanted]
    return Dataset(data.rows[:, columns], data.labels, data.frame, tuple(data.feature_names[k] for k in columns))


def thin(data: Dataset, max_rows: int, seed: int) -> Dataset:
    """Return about `max_rows` rows: of every k frames one, with the least k that is enough.

    Which of the k is drawn with `seed`. The same one each time would see a few times of the day only, where k divides
    the bars of a session. Frames are kept whole, so that a purge between two of them still holds.
    """
    stride = -(-len(data) // max_rows)
    if stride == 1:
        return data
    frames, position = np.unique(data.frame, return_inverse=True)
    starts = np.arange(0, len(frames), stride)
    drawn = starts + np.random.default_rng(seed).integers(stride, size=len(starts))
    is_kept = np.zeros(len(frames), dtype=bool)
    is_kept[np.minimum(drawn, len(frames) - 1)] = True
    rows = is_kept[position]
    return Dataset(data.rows[rows], data.labels[rows], data.frame[rows], data.feature_names)


def split_in_time(data: Dataset, config: TrainingConfig) -> tuple[Dataset, Dataset]:
    """Return the earlier rows, and the last `validation_frac` of the frames as held-out rows.

    Frames whose labels reach into the held-out ones, and the embargo before those, are in neither.

    Raises
    ------
    ConfigurationError
        Where the frames are too few for the purge.
    DataValidationError
        Where the labels of the earlier rows are of one class.
    """
    first = int(data.frame[0])
    splitter = PurgedWalkForward(1, config.horizon_bars, config.embargo_bars, 1.0 - config.validation_frac)
    ((earlier_frames, held_out_frames),) = splitter.split(int(data.frame[-1]) - first + 1)
    # the first frame is among the earlier ones and the last is held out: both have rows
    earlier, held_out = data.of_frames(first + earlier_frames), data.of_frames(first + held_out_frames)
    check_labels(earlier.labels)
    return earlier, held_out


def check_labels(labels: LabelArray) -> None:
    """Refuse labels of one class: no column can be told from another by them.

    Raises
    ------
    DataValidationError
    """
    if labels.min() == labels.max():
        raise DataValidationError(f"labels must be of two classes or more, all {len(labels)} were {labels[0]}")
