"""How the ensemble is trained: section ``training``."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from configs.ensemble import EnsembleConfig, SoftVoteConfig
from configs.families import FamiliesConfig
from configs.neural_job import NeuralJobConfig
from configs.selection import CorrelationConfig, ShapConfig, StepConfig, VarianceConfig
from configs.uncertainty import ConformalConfig
from configs.validation import ValidationConfig, WeightsConfig
from outcry.errors import ConfigurationError
from outcry.labels.horizon import bars_of_horizon
from outcry.models.families import FAMILY_NAMES
from outcry.models.member import Member, parse_member

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
"""The members that each horizon is trained with, unless others are named."""


class TrainingConfig(FamiliesConfig):
    """Target, folds and members of the ensemble.

    ``members`` are the families of the ensemble, in this order; each has a section with its name. One that is named
    ``FAMILY@BARS`` learns what becomes of the price over so many bars in place of ``horizon_bars``, with the band of
    its own horizon; a family may stand there for several. The ensemble as a whole forecasts ``horizon_bars``: by these
    labels members are weighed, calibrated and judged. ``ensemble.method`` is how they are combined (see
    `configs.ensemble`), ``conformal.score`` has prediction sets fitted. ``horizon`` is of ``horizons``: it decides
    ``horizon_bars`` by the size of a bar, and the members where none are named.

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
    def ensemble_members(self) -> tuple[Member, ...]:
        """The members: those named, or those of the horizon, or two kinds of boosted trees."""
        return _members_of({"members": self.members, "horizons": self.horizons, "horizon": self.horizon})

    @property
    def families(self) -> tuple[str, ...]:
        """Of the members, each once."""
        return tuple(dict.fromkeys(member.family for member in self.ensemble_members))

    @property
    def longest_horizon_bars(self) -> int:
        """The bars that a label of the ensemble or of a member reaches ahead, at most."""
        return max(self.horizon_bars, *(member.horizon_bars or 0 for member in self.ensemble_members))

    @field_validator("members")
    @classmethod
    def _check_members(cls, members: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        is_named = others.data.get("horizon") is not None  # `at_horizon` then knows how many bars it has
        try:
            _check_members(members, None if is_named else others.data.get("horizon_bars"))
        except ConfigurationError as error:
            raise ValueError(str(error)) from None
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
    def _check_ensemble(cls, ensemble: EnsembleConfig, others: ValidationInfo) -> EnsembleConfig:
        if ensemble.method == "multi_horizon" and {"members", "horizon"} <= others.data.keys():
            by_horizon: dict[int | None, str] = {}
            for member in _members_of(others.data):
                first = by_horizon.setdefault(member.horizon_bars, member.name)
                if first != member.name:
                    raise ValueError(
                        f"multi_horizon must have members that learn different horizons, {first} and {member.name} "
                        f"learn the same; {member.family}@BARS is {member.family} at another"
                    )
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
        Where the horizon is not a whole number of bars of `bar_ns` nanoseconds, or a member names it once more.
    """
    if config.horizon is None:
        return config
    horizon_bars = bars_of_horizon(config.horizon, bar_ns)
    _check_members([member.name for member in config.ensemble_members], horizon_bars)
    return config.model_copy(update={"horizon_bars": horizon_bars})


def _members_of(settings: Mapping[str, Any]) -> tuple[Member, ...]:
    horizon = settings["horizon"]
    names = settings["members"] or (settings["horizons"][horizon] if horizon else _MEMBERS)
    return tuple(map(parse_member, names))


def _check_members(names: Sequence[str], horizon_bars: int | None) -> None:
    """Refuse names that are no members, or say the same twice; `horizon_bars` is None where it is not known yet."""
    for place, name in enumerate(names):
        member = parse_member(name)
        if member.family not in FAMILY_NAMES:
            raise ConfigurationError(f"members must be of the families {', '.join(FAMILY_NAMES)}, {name!r} is not")
        if name in names[:place]:
            raise ConfigurationError(f"members must be different ones, {name!r} is named twice")
        if member.horizon_bars is not None and member.horizon_bars == horizon_bars:
            raise ConfigurationError(
                f"members must name {member.family!r} and not {name!r}: horizon_bars is {horizon_bars}"
            )
