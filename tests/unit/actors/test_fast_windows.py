"""Windows of a whole span are those that a desk reads frame by frame, and those a training reads."""

from pathlib import Path

import numpy as np
import pytest

from actors.fast import predict_frames
from outcry.features.recent import RecentRows
from outcry.market.frame import FloatArray
from outcry.messages import WindowPart
from outcry.models.bundle import ModelBundle, load_bundle
from outcry.models.dataset import FeatureHistory
from outcry.models.windows import join_windows

NAMES = ("unread", "b", "a", "c")
N_FRAMES, N_SYMBOLS, LOOKBACK_BARS = 40, 7, 6


@pytest.fixture(scope="module")
def model(write_lag_bundle, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    folder: Path = tmp_path_factory.mktemp("bundles")
    return load_bundle(write_lag_bundle(folder, ("a", "b", "c"), "hash", LOOKBACK_BARS))


@pytest.fixture
def values() -> FloatArray:
    values = np.random.default_rng(0).standard_normal((N_FRAMES, N_SYMBOLS, len(NAMES)))
    values[3:6, 2] = np.nan
    values[9, 4, 1] = np.inf  # read by no row that is forecast, and by the windows after it
    return values


def frame_by_frame(model: ModelBundle, values: FloatArray) -> FloatArray:
    """Forecast as a desk does: from the rows kept so far, in two parts."""
    columns, recent = model.columns_in(NAMES), RecentRows(LOOKBACK_BARS + 3, N_SYMBOLS, len(NAMES))
    halves = np.arange(3), np.arange(3, N_SYMBOLS)
    found = []
    for frame in values:
        recent.extend(frame[np.newaxis])
        taken = recent.take(columns, LOOKBACK_BARS)
        parts = [WindowPart(half, np.arange(3), taken[:, half]) for half in halves]
        windows = join_windows(parts, N_SYMBOLS, len(columns))
        if np.isinf(frame[:, columns]).any():
            found.append(np.full((N_SYMBOLS, 3), np.nan))
        else:
            found.append(model.predict_proba(frame, columns, windows))
    return np.stack(found)


@pytest.mark.parametrize("cut", [0, 2, LOOKBACK_BARS - 1, 20])
def test_a_frame_has_the_same_bits_in_any_span_as_on_a_desk(model: ModelBundle, values: FloatArray, cut: int) -> None:
    expected = frame_by_frame(model, values)
    np.testing.assert_array_equal(predict_frames(model, values, NAMES), expected)
    np.testing.assert_array_equal(predict_frames(model, values[cut:], NAMES, values[:cut]), expected[cut:])
    assert np.isnan(expected[9]).all()
    assert np.isfinite(expected[10]).all()


def test_the_rows_before_a_span_count(model: ModelBundle, values: FloatArray) -> None:
    with_past = predict_frames(model, values[20:], NAMES, values[:20])
    without = predict_frames(model, values[20:], NAMES)
    same = (with_past == without).all(axis=(1, 2))
    np.testing.assert_array_equal(same, np.arange(20) >= LOOKBACK_BARS - 1)


def test_a_training_reads_the_same_windows(model: ModelBundle, values: FloatArray) -> None:
    columns = model.columns_in(NAMES)
    values[9, 4, 1] = 0.5
    windows = FeatureHistory.of_frames(values[..., columns], 0, LOOKBACK_BARS).windows(LOOKBACK_BARS)
    found = model.predict_proba(values.reshape(-1, len(NAMES)), columns, windows)
    np.testing.assert_array_equal(found.reshape(*values.shape[:2], 3), predict_frames(model, values, NAMES))
