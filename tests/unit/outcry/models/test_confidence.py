"""Confidence is the largest probability, rescaled."""

import numpy as np
import pytest

from outcry.models.confidence import confidence


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((1.0, 0.0, 0.0), 1.0),
        ((1 / 3, 1 / 3, 1 / 3), 0.0),
        ((0.0, 2 / 3, 1 / 3), 0.5),
        ((0.2, 0.2, 0.6), 0.4),
        ((np.nan, np.nan, np.nan), 0.0),
    ],
)
def test_confidence_runs_from_an_even_split_to_certainty(row: tuple[float, ...], expected: float) -> None:
    assert confidence(np.array([row]))[0] == pytest.approx(expected, abs=1e-12)


def test_confidence_of_no_rows_is_empty() -> None:
    assert confidence(np.empty((0, 3))).shape == (0,)
