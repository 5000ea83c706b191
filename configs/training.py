"""How the ensemble is trained: section ``training``."""

from typing import Literal

from pydantic import Field

from configs.selection import CorrelationConfig, ShapConfig, StepConfig, VarianceConfig
from outcry.config import FrozenConfig


class XGBoostConfig(FrozenConfig):
    """The XGBoost member: histogram trees, three-class probabilities."""

    max_rounds: int = Field(default=50, gt=0)
    learning_rate: float = Field(default=0.08, gt=0, le=0.3)
    max_depth: int = Field(default=4, ge=2, le=12)
    min_child_weight: float = Field(default=10.0, ge=0)
    subsample_frac: float = Field(default=0.8, gt=0, le=1)
    colsample_frac: float = Field(default=0.6, gt=0, le=1)
    reg_alpha: float = Field(default=0.1, ge=0)
    reg_lambda: float = Field(default=1.0, ge=0)


class LightGBMConfig(FrozenConfig):
    """The LightGBM member: leaf-wise trees, three-class probabilities."""

    max_rounds: int = Field(default=50, gt=0)
    learning_rate: float = Field(default=0.08, gt=0, le=0.3)
    n_leaves: int = Field(default=15, ge=2, le=255)
    min_leaf_rows: int = Field(default=60, gt=0)
    subsample_frac: float = Field(default=0.8, gt=0, le=1)
    colsample_frac: float = Field(default=0.6, gt=0, le=1)
    reg_alpha: float = Field(default=0.1, ge=0)
    reg_lambda: float = Field(default=1.0, ge=0)


class TrainingConfig(FrozenConfig):
    """Target, folds and members of the ensemble.

    ``train_frac`` is the first part of the data, which is trained on; the rest is traded. ``band_value`` is the half
    width of the neutral class: a multiple of the volatility over ``volatility_window_bars``, scaled to the horizon, or
    with ``band_kind: fixed`` a fraction of the price. The last of ``n_folds`` folds only measures. ``validation_frac``
    is the last part of the training rows of a fold, which decides the number of rounds. The steps of ``selection`` are
    run in every fold, on the rows before those; without steps every column is kept. More than ``max_rows`` rows are
    thinned by whole frames. ``n_threads`` is one: the boosters of so few rows gain little from a second thread, and
    on a machine that is busy with something else their threads spend ten times the work waiting for each other.
    """

    train_frac: float = Field(default=0.6, gt=0, lt=1)
    horizon_bars: int = Field(default=5, gt=0)
    band_kind: Literal["volatility", "fixed"] = "volatility"
    band_value: float = Field(default=0.5, ge=0)
    volatility_window_bars: int = Field(default=20, ge=2)
    n_folds: int = Field(default=4, ge=2)
    min_train_frac: float = Field(default=0.4, gt=0, lt=1)
    embargo_bars: int = Field(default=5, ge=0)
    validation_frac: float = Field(default=0.2, gt=0, lt=1)
    early_stopping_rounds: int = Field(default=15, gt=0)
    calibration_bins: int = Field(default=12, ge=2)
    max_rows: int = Field(default=120_000, gt=0)
    max_bins: int = Field(default=64, ge=8, le=255)
    n_threads: int = Field(default=1, gt=0)
    seed: int = Field(default=7, ge=0)
    selection: tuple[StepConfig, ...] = (VarianceConfig(), CorrelationConfig(), ShapConfig(n_columns=60))
    xgboost: XGBoostConfig = XGBoostConfig()
    lightgbm: LightGBMConfig = LightGBMConfig()
