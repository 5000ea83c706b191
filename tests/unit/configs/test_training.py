"""Which families are trained, and how far ahead they look."""

import pytest
from pydantic import ValidationError

from configs.training import HORIZONS, TrainingConfig, at_horizon
from outcry.errors import ConfigurationError
from outcry.labels.horizon import HORIZON_MINUTES
from outcry.market.bar_size import parse_bar_size


def test_members_are_those_named_or_those_of_the_horizon_or_boosted_trees() -> None:
    assert TrainingConfig().families == ("xgboost", "lightgbm")
    assert TrainingConfig(horizon="1d").families == HORIZONS["1d"]
    assert TrainingConfig(horizon="1d", members=("lightgbm",)).families == ("lightgbm",)
    assert TrainingConfig(horizon="1d", horizons={"1d": ("xgboost",)}).families == ("xgboost",)


def test_every_horizon_that_is_asked_for_has_members() -> None:
    assert set(HORIZONS) == set(HORIZON_MINUTES)


def test_a_named_horizon_counts_bars() -> None:
    config = at_horizon(TrainingConfig(horizon="1h"), parse_bar_size("5min"))
    assert config.horizon_bars == 12
    assert at_horizon(TrainingConfig(horizon_bars=7), parse_bar_size("5min")).horizon_bars == 7
    with pytest.raises(ConfigurationError, match="horizon must be a whole number of 1d bars, was 1h"):
        at_horizon(TrainingConfig(horizon="1h"), parse_bar_size("1d"))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValidationError, match="must be different families of"):
        TrainingConfig(members=("xgboots",))
    with pytest.raises(ValidationError, match="must be different families of"):
        TrainingConfig(members=("xgboost", "xgboost"))
    with pytest.raises(ValidationError, match=r"must be one of 1m, 5m, 15m"):
        TrainingConfig(horizon="2h")
