"""A market in which one feature knows something about the future, and settings that train on it in a second."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from configs.training import TrainingConfig
from outcry.market.frame import FloatArray, FrameTensor
from outcry.models.families.lightgbm import LightGBMParams
from outcry.models.families.xgboost import XGBoostParams
from training.dataset import ReadFeatures

FEATURES = ("tech_drift", "tech_noise", "price_level")
UNITS = {"tech_drift": "ratio", "tech_noise": "index", "price_level": "price"}
BAR_NS = 86_400 * 10**9


@pytest.fixture(scope="session")
def reader() -> Callable[..., ReadFeatures]:
    """Return what reads features of shape (n_frames, n_symbols, n_names)."""

    def read_from(features: FloatArray, names: Sequence[str] = FEATURES) -> ReadFeatures:
        return lambda rows, columns: features[rows][..., [names.index(name) for name in columns]]

    return read_from


def tensor_of(close: FloatArray) -> FrameTensor:
    """Return frames whose every price is `close`."""
    n_frames = len(close)
    return FrameTensor(
        first_seq=0,
        ts_close_ns=np.arange(1, n_frames + 1, dtype=np.int64) * BAR_NS,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=np.full(close.shape, 1e6),
        vwap=close,
        present=~np.isnan(close),
    )


@pytest.fixture(scope="session")
def market() -> tuple[FrameTensor, FloatArray]:
    """700 frames of 3 symbols, with features of shape (700, 3, 3); the drift of a bar lasts, and a feature sees it."""
    rng = np.random.default_rng(11)
    shape = (700, 3)
    drift = np.zeros(shape)
    for t in range(1, len(drift)):
        drift[t] = 0.9 * drift[t - 1] + 0.004 * rng.normal(size=3)
    returns = np.vstack((np.zeros((1, 3)), drift[:-1])) + 0.01 * rng.normal(size=shape)
    close = 100.0 * np.exp(np.cumsum(returns, axis=0))
    features = np.stack((drift + 0.002 * rng.normal(size=shape), rng.normal(size=shape), close), axis=-1)
    features[:10] = np.nan  # warm-up
    close[rng.random(shape) < 0.02] = np.nan
    return tensor_of(close), features


@pytest.fixture(scope="session")
def config() -> TrainingConfig:
    return TrainingConfig(
        horizon_bars=3,
        n_folds=3,
        embargo_bars=2,
        calibration_bins=6,
        n_threads=1,
        xgboost=XGBoostParams(max_rounds=15, max_depth=3),
        lightgbm=LightGBMParams(max_rounds=15, n_leaves=7, min_leaf_rows=30),
    )


@pytest.fixture(scope="session")
def make_step() -> Callable[..., Any]:
    """Return a maker of the configuration of a method, as it is read from a file; what it has no use for is left."""

    def make(method: str, **values: Any) -> Any:
        step = TrainingConfig.model_validate({"selection": [{"method": method}]}).selection[0]
        used = {key: value for key, value in values.items() if key in type(step).model_fields}
        return type(step).model_validate({"method": method, **used})

    return make
