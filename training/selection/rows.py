"""The part of the training rows that a method looks at."""

import numpy as np

from outcry.models.dataset import Dataset


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
