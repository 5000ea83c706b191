"""A point a bin: how likely its rows were said to be, how often the class came, how many they are."""

import numpy as np
import pytest

from outcry.models.evaluation import N_BINS
from outcry.models.reliability import reliability_curves


def test_points_are_means_of_their_bins():
    probability = np.array([[0.12, 0.18, 0.70], [0.14, 0.86, 0.0], [1.0, 0.0, 0.0]])
    up, neutral, down = reliability_curves(probability, np.array([0, 1, 0], dtype=np.int8))
    assert up == ((pytest.approx(0.13), 0.5, 2), (1.0, 1.0, 1))
    assert [point.n_rows for point in neutral] == [1, 1, 1]
    assert down == ((0.0, 0.0, 2), (pytest.approx(0.7), 0.0, 1))


def test_a_model_that_knows_its_chances_lies_on_the_diagonal():
    rng = np.random.default_rng(0)
    probability = rng.dirichlet((1, 1, 1), 40_000)
    labels = (rng.random(len(probability))[:, np.newaxis] > probability.cumsum(axis=1)).sum(axis=1).astype(np.int8)
    for curve in reliability_curves(probability, labels):
        assert len(curve) == N_BINS
        assert all(abs(point.said - point.came_frac) < 0.06 for point in curve)
