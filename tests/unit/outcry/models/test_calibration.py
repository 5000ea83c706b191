"""The calibration map agrees with scikit-learn's isotonic prediction and refuses knots that are no map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from outcry.errors import BundleError
from outcry.models.calibration import Calibration

X = np.array([0.1, 0.4, 0.8])
Y = np.array([0.2, 0.3, 0.9])


def test_each_class_is_mapped_as_scikit_learn_would_and_rows_are_renormalised() -> None:
    rng = np.random.default_rng(1)
    raw = rng.dirichlet((2.0, 3.0, 2.0), size=400)
    maps = []
    for column in range(3):
        hit = (rng.random(400) < raw[:, column] ** 1.3).astype(float)
        maps.append(IsotonicRegression(y_min=1e-3, y_max=1.0, out_of_bounds="clip").fit(raw[:, column], hit))
    calibration = Calibration(tuple(m.X_thresholds_ for m in maps), tuple(m.y_thresholds_ for m in maps))
    fresh = rng.dirichlet((1.0, 1.0, 1.0), size=300)
    expected = np.column_stack([m.predict(fresh[:, column]) for column, m in enumerate(maps)])
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(calibration.apply(fresh), expected, rtol=0, atol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_every_row_gets_the_same_bits_alone(values: list[float]) -> None:
    calibration = Calibration((X, X, X), (Y, Y, Y))
    rows = np.column_stack((values, values[::-1], np.full(len(values), 0.25)))
    batch = calibration.apply(rows)
    assert all(calibration.apply(rows[k : k + 1])[0].tobytes() == batch[k].tobytes() for k in range(len(rows)))


def test_text_form_brings_back_every_bit() -> None:
    calibration = Calibration((X, X / 3, X), (Y, Y / 7, Y))
    again = Calibration.from_json(calibration.to_json())
    for found, expected in zip((*again.raw, *again.calibrated), (X, X / 3, X, Y, Y / 7, Y), strict=True):
        assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("x", "y", "rule"),
    [
        (X[::-1], Y, "must be finite and increase"),
        (np.array([0.1, np.nan, 0.8]), Y, "must be finite and increase"),
        (X, Y[::-1], "must not decrease"),
        (X, np.array([0.0, 0.3, 0.9]), r"lie in \(0, 1\]"),
        (X, np.array([0.1, 0.3, 1.1]), r"lie in \(0, 1\]"),
        (X[:2], Y, "one length"),
        (X[:0], Y[:0], "one length"),
    ],
)
def test_knots_that_are_no_monotone_map_are_refused(x: np.ndarray, y: np.ndarray, rule: str) -> None:
    with pytest.raises(BundleError, match=rule):
        Calibration((X, x, X), (Y, y, Y))


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"up": 1}', b'{"up": {"raw": ["a"]}}', b"\xff"])
def test_text_that_is_no_calibration_is_refused(text: bytes) -> None:
    with pytest.raises(BundleError, match="calibration"):
        Calibration.from_json(text)
