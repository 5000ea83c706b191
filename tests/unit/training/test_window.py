"""A window of a walk-forward forecasts its test span as if the frames before it had been forecast, too."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from actors.fast import predict_frames
from configs.schema import Settings
from outcry.market.frame import BAR_FIELDS, FrameTensor
from outcry.models.bundle import load_bundle
from training.feature_table import FeatureTable
from training.window import _forecast

NAMES = ("a", "b", "c", "unread")
N_FRAMES, N_SYMBOLS, LOOKBACK_BARS = 30, 4, 6


@pytest.mark.parametrize("start", [0, 3, LOOKBACK_BARS - 1, 20])
def test_the_frames_before_a_test_span_are_in_its_windows(tmp_path: Path, write_lag_bundle, start: int) -> None:
    values = np.random.default_rng(0).standard_normal((N_FRAMES, N_SYMBOLS, len(NAMES)))
    np.save(tmp_path / "features.npy", values)
    bars = dict.fromkeys(BAR_FIELDS, np.ones((N_FRAMES, N_SYMBOLS)))
    frames = FrameTensor(0, np.arange(N_FRAMES), present=np.ones((N_FRAMES, N_SYMBOLS), dtype=np.bool_), **bars)
    market = SimpleNamespace(table=FeatureTable(tmp_path / "features.npy", NAMES), frames=frames, settings=Settings())
    model = load_bundle(write_lag_bundle(tmp_path, ("c", "a"), "hash", LOOKBACK_BARS))
    found, abstain = _forecast(market, model, start, N_FRAMES)
    assert abstain is None
    np.testing.assert_array_equal(found, predict_frames(model, values, NAMES)[start:])
