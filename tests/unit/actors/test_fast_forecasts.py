"""A whole span is forecast as its frames would be one by one."""

from pathlib import Path

import numpy as np
import pytest

from actors.fast import predict_frames
from bench.random_bundle import write_random_bundle
from outcry.models.bundle import ModelBundle, load_bundle

NAMES = ("unread", "b", "a", "c")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    folder: Path = tmp_path_factory.mktemp("bundles")
    return load_bundle(write_random_bundle(folder, ("a", "b", "c"), "hash", n_rounds=3))


def test_a_frame_has_the_same_bits_alone_and_among_others(model: ModelBundle) -> None:
    values = np.random.default_rng(0).standard_normal((40, 7, len(NAMES)))
    values[3:6, 2] = np.nan
    found = predict_frames(model, values, NAMES)
    for t, frame in enumerate(values):
        assert model.predict_proba(frame[:, [2, 1, 3]]).tobytes() == found[t].tobytes()


def test_a_frame_with_an_infinite_value_that_is_read_has_no_forecast_and_no_other_frame_is_touched(
    model: ModelBundle,
) -> None:
    values = np.random.default_rng(0).standard_normal((6, 4, len(NAMES)))
    expected = predict_frames(model, values, NAMES)
    values[2, 1, NAMES.index("b")] = -np.inf
    values[4, :, NAMES.index("unread")] = np.inf
    expected[2] = np.nan
    before = values.copy()
    np.testing.assert_array_equal(predict_frames(model, values, NAMES), expected)
    np.testing.assert_array_equal(values, before)
