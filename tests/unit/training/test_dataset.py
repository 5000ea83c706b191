"""Rows and labels stay joined by frame and symbol."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from configs.training import TrainingConfig
from outcry.errors import DataValidationError
from outcry.labels.direction import direction_labels, volatility_band
from outcry.market.frame import FloatArray, FrameTensor
from outcry.models.dataset import Dataset
from training.dataset import ReadFeatures, build_dataset

FEATURES = ("tech_drift", "tech_noise", "price_level")
UNITS = {"tech_drift": "ratio", "tech_noise": "index", "price_level": "price"}

Market = tuple[FrameTensor, FloatArray]
Reader = Callable[..., ReadFeatures]


def test_every_row_holds_the_features_and_the_label_of_one_bar(
    market: Market, config: TrainingConfig, reader: Reader
) -> None:
    frames, features = market
    data = build_dataset(frames, reader(features), FEATURES, UNITS, config)
    band_frac = volatility_band(frames.close, config.horizon_bars, config.band_value, config.volatility_window_bars)
    labels = direction_labels(frames.close, config.horizon_bars, band_frac)
    expected = [
        (t, labels[t, symbol], features[t, symbol, :2])
        for t in range(len(frames))
        for symbol in range(frames.n_symbols)
        if labels[t, symbol] >= 0 and not np.isnan(features[t, symbol, :2]).all()
    ]
    assert len(data) == len(expected)
    assert data.frame.tolist() == [t for t, _, _ in expected]
    assert data.labels.tolist() == [label for _, label, _ in expected]
    np.testing.assert_array_equal(data.rows, np.stack([row for _, _, row in expected]))


def test_columns_bound_to_the_scale_of_a_symbol_are_left_out(
    market: Market, config: TrainingConfig, reader: Reader
) -> None:
    assert build_dataset(market[0], reader(market[1]), FEATURES, UNITS, config).feature_names == (
        "tech_drift",
        "tech_noise",
    )
    with pytest.raises(DataValidationError, match="all 3 are bound to it"):
        build_dataset(market[0], reader(market[1]), FEATURES, dict.fromkeys(FEATURES, "shares"), config)


def test_too_many_rows_are_thinned_by_whole_frames(market: Market, config: TrainingConfig, reader: Reader) -> None:
    whole = build_dataset(market[0], reader(market[1]), FEATURES, UNITS, config)
    thin = build_dataset(market[0], reader(market[1]), FEATURES, UNITS, config.model_copy(update={"max_rows": 900}))
    assert len(thin) <= 900
    assert set(thin.frame) == {t for t in whole.frame if t % 3 == 0}
    np.testing.assert_array_equal(thin.rows, whole.rows[whole.frame % 3 == 0])


def test_rows_of_a_span_of_frames_are_all_of_them(market: Market, config: TrainingConfig, reader: Reader) -> None:
    data = build_dataset(market[0], reader(market[1]), FEATURES, UNITS, config)
    part = data.of_frames(np.arange(100, 150))
    assert part.frame.tolist() == [t for t in data.frame if 100 <= t < 150]
    assert part.labels.tolist() == data.labels[(data.frame >= 100) & (data.frame < 150)].tolist()


@given(
    npst.arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(1, 3)), elements=st.sampled_from([np.nan, 1.0]))
)
def test_a_row_with_a_known_feature_is_kept_and_no_other(rows: FloatArray) -> None:
    names = tuple("abc"[: rows.shape[1]])
    numbers = np.arange(len(rows))
    data = Dataset(rows, numbers.astype(np.int8), numbers, names).of_known()
    kept = [k for k, row in enumerate(rows) if not np.isnan(row).all()]
    assert data.frame.tolist() == data.labels.tolist() == kept
    np.testing.assert_array_equal(data.rows, rows[kept])


def test_an_infinite_feature_is_named(market: Market, config: TrainingConfig, reader: Reader) -> None:
    frames, features = market
    bad = features.copy()
    bad[400, :, 1] = np.inf
    with pytest.raises(DataValidationError, match="tech_noise must be finite or NaN, was inf in frame 400"):
        build_dataset(frames, reader(bad), FEATURES, UNITS, config)


def test_another_shape_of_features_is_refused(market: Market, config: TrainingConfig, reader: Reader) -> None:
    frames, features = market
    with pytest.raises(DataValidationError, match=r"features must have shape \(\d+, 3, 2\), was \(\d+, 2, 2\)"):
        build_dataset(frames, reader(features[:, :2]), FEATURES, UNITS, config)


def test_a_target_among_the_features_is_refused(market: Market, config: TrainingConfig, reader: Reader) -> None:
    names = (*FEATURES[:2], "target_return_5")
    with pytest.raises(DataValidationError, match="target_return_5 is a target"):
        build_dataset(market[0], reader(market[1], names), names, dict.fromkeys(names, "ratio"), config)


def test_frames_without_a_usable_row_are_refused(market: Market, config: TrainingConfig, reader: Reader) -> None:
    frames, features = market
    with pytest.raises(DataValidationError, match="700 frames must hold a row with a label and a known feature"):
        build_dataset(frames, reader(np.full_like(features, np.nan)), FEATURES, UNITS, config)
