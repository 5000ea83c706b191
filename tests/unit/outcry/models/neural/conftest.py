"""Windows whose class is in the order of two events, which no row shows."""

import numpy as np
import pytest
import torch

from outcry.messages import Direction
from outcry.models.dataset import Dataset, FeatureHistory

N_BARS = 14
LEAST_LAG_BARS = 10
"""Of the first event before the decision."""


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def parts() -> tuple[Dataset, Dataset, Dataset]:
    """Training, validation and test rows: each row a symbol of its own, all decided in the last frame."""
    return tuple(make_rows(n_rows, seed) for seed, n_rows in enumerate((1_200, 300, 300)))  # type: ignore[return-value]


def make_rows(n_rows: int, seed: int) -> Dataset:
    """Return windows with two events: one kind and then the other is up or down, twice the same is neutral."""
    rng = np.random.default_rng(seed)
    values = 0.2 * rng.normal(size=(N_BARS, n_rows, 3))
    kinds = rng.integers(2, size=(2, n_rows))
    row = np.arange(n_rows)
    values[N_BARS - 1 - rng.integers(LEAST_LAG_BARS, N_BARS, size=n_rows), row, kinds[0]] += 2.0
    values[N_BARS - 1 - rng.integers(1, LEAST_LAG_BARS, size=n_rows), row, kinds[1]] += 2.0
    said = kinds[1] - kinds[0]
    labels = np.select([said > 0, said < 0], [Direction.UP, Direction.DOWN], Direction.NEUTRAL).astype(np.int8)
    return Dataset(
        rows=values[-1],
        labels=labels,
        frame=np.full(n_rows, N_BARS - 1),
        feature_names=("first", "second", "noise"),
        symbol=row,
        returns=0.01 * (said + 0.2 * rng.normal(size=n_rows)),
        history=FeatureHistory.of_frames(values, 0, N_BARS),
    )
