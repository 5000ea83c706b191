"""How the ensemble is trained: section ``training``."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from configs.ensemble import EnsembleConfig, SoftVoteConfig
from configs.families import FamiliesConfig
from configs.neural_job import NeuralJobConfig
from configs.selection import CorrelationConfig, ShapConfig, StepConfig, VarianceConfig
from configs.uncertainty import ConformalConfig
from configs.validation import ValidationConfig, WeightsConfig
from outcry.labels.horizon import bars_of_horizon
from outcry.models.families import FAMILY_NAMES

_MEMBERS = ("xgboost", "lightgbm")

HORIZONS: dict[str, tuple[str, ...]] = {
    "1m": ("xgboost", "lstm"),
    "5m": ("xgboost", "lstm"),
    "15m": ("lightgbm", "cnn"),
    "1h": ("lstm", "transformer"),
    "4h": ("transformer", "xgboost"),
    "1d": ("lstm", "xgboost"),
    "7d": ("transformer", "random_forest"),
    "1M": ("transformer", "lightgbm"),
}
"""The families that each horizon is trained with, unless others are named."""


class TrainingConfig(FamiliesConfig):
    """Target, folds and members of the ensemble.

    ``members`` are the families of the ensemble, in this order; each has a section with its name. ``ensemble.method``
    is how they are combined (see `configs.ensemble`), ``conformal.score`` has prediction sets fitted. ``horizon`` is of
    ``horizons``: it decides ``horizon_bars`` by the size of a bar, and the members where none are named.

    ``train_frac`` is the first part of the data, which is trained on; the rest is traded. ``band_value`` is the half
    width of the neutral class: a multiple of the volatility over ``volatility_window_bars``, scaled to the horizon, or
    with ``band_kind: fixed`` a fraction of the price. ``validation`` cuts folds, of which the last only measures;
    ``weights`` says how much each training row counts. ``validation_frac`` is the last part of the training rows of a
    fold, which decides the number of rounds. The steps of ``selection`` are
    run in every fold, on the rows before those; without steps every column is kept. A walk-forward has folds of its
    own, see ``walk_forward.inner_folds``, of which the first selects for all. More than ``max_rows`` rows are
    thinned by whole frames. ``calibration_method: auto`` takes the map that does best on later rows;
    ``calibration_bins`` are of the isotonic one. ``n_threads`` is one: the boosters of so few rows gain
    little from a second thread, and on a machine that is busy with something else their threads spend ten times the
    work waiting for each other.
    """

    train_frac: float = Field(default=0.6, gt=0, lt=1)
    horizons: dict[str, tuple[str, ...]] = HORIZONS
    horizon: str | None = None
    horizon_bars: int = Field(default=5, gt=0)
    band_kind: Literal["volatility", "fixed"] = "volatility"
    band_value: float = Field(default=0.5, ge=0)
    volatility_window_bars: int = Field(default=20, ge=2)
    n_folds: int = Field(default=4, ge=2)
    min_train_frac: float = Field(default=0.4, gt=0, lt=1)
    embargo_bars: int = Field(default=5, ge=0)
    validation: ValidationConfig = ValidationConfig()
    weights: WeightsConfig = WeightsConfig()
    validation_frac: float = Field(default=0.2, gt=0, lt=1)
    early_stopping_rounds: int = Field(default=15, gt=0)
    calibration_method: Literal["auto", "isotonic", "platt", "beta", "identity"] = "isotonic"
    calibration_bins: int = Field(default=12, ge=2)
    max_rows: int = Field(default=120_000, gt=0)
    max_bins: int = Field(default=64, ge=8, le=255)
    n_threads: int = Field(default=1, gt=0)
    seed: int = Field(default=7, ge=0)
    selection: tuple[StepConfig, ...] = (VarianceConfig(), CorrelationConfig(), ShapConfig(n_columns=60))
    members: tuple[str, ...] = ()
    ensemble: EnsembleConfig = SoftVoteConfig()
    conformal: ConformalConfig = ConformalConfig()
    neural_job: NeuralJobConfig = NeuralJobConfig()

    @property
    def families(self) -> tuple[str, ...]:
        """The members: those named, or those of the horizon, or two kinds of boosted trees."""
        return self.members or (self.horizons[self.horizon] if self.horizon else _MEMBERS)

    @field_validator("members")
    @classmethod
    def _check_members(cls, members: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in members if name not in FAMILY_NAMES]
        if unknown or len(set(members)) != len(members):
            raise ValueError(f"must be different families of {', '.join(FAMILY_NAMES)}")
        return members

    @field_validator("validation")
    @classmethod
    def _check_validation(cls, validation: ValidationConfig, others: ValidationInfo) -> ValidationConfig:
        n_folds = others.data.get("n_folds", validation.n_test_folds + 1)
        if validation.kind == "combinatorial" and validation.n_test_folds >= n_folds:
            raise ValueError(f"n_test_folds must be less than n_folds {n_folds}, was {validation.n_test_folds}")
        return validation

    @field_validator("ensemble")
    @classmethod
    def _check_ensemble(cls, ensemble: EnsembleConfig) -> EnsembleConfig:
        if ensemble.method == "multi_horizon":
            raise ValueError("must not be multi_horizon: the members of an ensemble forecast one horizon")
        return ensemble

    @field_validator("horizon")
    @classmethod
    def _check_horizon(cls, horizon: str | None, others: ValidationInfo) -> str | None:
        known = others.data.get("horizons", {})
        if horizon is not None and horizon not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return horizon


def at_horizon(config: TrainingConfig, bar_ns: int) -> TrainingConfig:
    """Return the settings with the `horizon_bars` of their named horizon, if they name one.

    Raises
    ------
    ConfigurationError
        Where the horizon is not a whole number of bars of `bar_ns` nanoseconds.
    """
    if config.horizon is None:
        return config
    return config.model_copy(update={"horizon_bars": bars_of_horizon(config.horizon, bar_ns)})
