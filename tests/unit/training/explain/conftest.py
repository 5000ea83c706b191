"""Rows of a panel, half of which follow a label."""

import numpy as np
import pytest

from training.explain.sample import Sample

N_SYMBOLS = 5


@pytest.fixture(scope="session")
def panel() -> Sample:
    """200 frames of 5 symbols and 6 columns: one that tells, noise, a constant, one of the market, some NaN.

    Column 0 tells the label; 1 is noise; 2 is constant; 3 is the same for all symbols of a frame and tells the label of
    all; 4 is a copy of column 0 with noise; 5 is mostly NaN.
    """
    rng = np.random.default_rng(3)
    frame = np.repeat(np.arange(200), N_SYMBOLS)
    n_rows = len(frame)
    own, market = rng.normal(size=n_rows), np.repeat(rng.normal(size=200), N_SYMBOLS)
    score = own + market + 1.5 * rng.normal(size=n_rows)
    labels = np.digitize(-score, [-0.7, 0.7]).astype(np.int8)
    rare = np.where(rng.random(n_rows) < 0.7, np.nan, rng.normal(size=n_rows))
    rows = np.column_stack(
        (own, rng.normal(size=n_rows), np.full(n_rows, 2.5), market, own + 0.1 * rng.normal(size=n_rows), rare)
    )
    return Sample(rows, None, frame, labels)
