"""Frames nobody was trained on: which they are, their labels, and the windows that reach back before them."""

from types import SimpleNamespace

import numpy as np
import pytest

from actors.fast import predict_frames
from configs.training import TrainingConfig
from outcry.models.manifest import LabelSpec
from training.dataset import build_dataset
from training.unseen import ask, labels_of, span_after, span_between

COLUMNS = ("a", "b", "c")
N_SYMBOLS = 2


class WindowReader:
    """Stand for a bundle whose answer is the oldest value of the window, the newest, and that of the row."""

    lookback_bars = 3
    horizon_bars = 5

    def columns_in(self, names: tuple[str, ...]) -> np.ndarray:
        return np.array([names.index("c"), names.index("a")])

    def predict_proba(self, rows: np.ndarray, columns: np.ndarray, windows: np.ndarray) -> np.ndarray:
        return np.column_stack((windows[:, 0, 0], windows[:, -1, 0], rows[:, columns[0]]))


def test_windows_end_at_their_row_and_reach_back_before_the_first():
    values = np.arange(6 * N_SYMBOLS * 3, dtype=np.float64).reshape(6, N_SYMBOLS, 3)
    found = predict_frames(WindowReader(), values[2:], COLUMNS, values[:2])
    assert found.shape == (4, N_SYMBOLS, 3)
    assert np.array_equal(found[..., 0], values[:4, :, 2])
    assert np.array_equal(found[..., 1], values[2:, :, 2])
    assert np.array_equal(found[..., 2], values[2:, :, 2])
    assert np.array_equal(ask(WindowReader(), values, COLUMNS), found[-1])


def test_labels_are_those_of_the_training(market):
    frames, features = market
    for label in (
        LabelSpec(horizon_bars=5, band_kind="fixed", band_value=0.01),
        LabelSpec(horizon_bars=3, band_kind="volatility", band_value=0.5, volatility_window_bars=20),
    ):
        chosen = label.model_dump(exclude_none=True)
        data = build_dataset(
            frames,
            lambda rows, columns: features[rows][..., :1],
            ("tech_drift",),
            {"tech_drift": "ratio"},
            TrainingConfig(**chosen),
        )
        labels = labels_of(frames, label)
        assert data.symbol is not None
        assert np.array_equal(labels[data.frame, data.symbol], data.labels)


@pytest.mark.parametrize(("n_most", "expected"), [(1_000, (31, 95)), (10, (85, 95))])
def test_span_begins_after_what_any_bundle_saw_and_ends_with_the_last_label(n_most: int, expected: tuple[int, int]):
    close_ns = np.arange(100) * 10
    market = SimpleNamespace(frames=type("Frames", (), {"ts_close_ns": close_ns, "__len__": lambda self: 100})())
    bundles = [SimpleNamespace(manifest=SimpleNamespace(last_ts_ns=last), horizon_bars=5) for last in (300, 120)]
    assert span_after(market, bundles, n_most) == expected
    late = [SimpleNamespace(manifest=SimpleNamespace(last_ts_ns=980), horizon_bars=5)]
    start, stop = span_after(market, late, n_most)
    assert start == stop
    assert span_between(market, 300, 320) == (30, 33)
