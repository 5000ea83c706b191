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
    with pytest.raises(ValidationError, match=r"must be of the families .*, 'xgboots@3' is not"):
        TrainingConfig(members=("xgboost", "xgboots@3"))
    with pytest.raises(ValidationError, match=r"must be FAMILY or FAMILY@BARS, .*'xgboost@0' is not"):
        TrainingConfig(members=("xgboost@0",))
    with pytest.raises(ValidationError, match="must be different ones, 'xgboost' is named twice"):
        TrainingConfig(members=("xgboost", "xgboost"))
    with pytest.raises(ValidationError, match=r"must be one of 1m, 5m, 15m"):
        TrainingConfig(horizon="2h")


def test_a_member_may_have_a_horizon_of_its_own_and_a_family_several() -> None:
    config = TrainingConfig(members=("lightgbm@1", "xgboost", "lightgbm@20"))
    assert [(member.family, member.horizon_bars) for member in config.ensemble_members] == [
        ("lightgbm", 1),
        ("xgboost", None),
        ("lightgbm", 20),
    ]
    assert config.families == ("lightgbm", "xgboost")
    assert config.longest_horizon_bars == 20
    assert TrainingConfig(members=("lightgbm@1",)).longest_horizon_bars == TrainingConfig().horizon_bars == 5
    assert TrainingConfig(horizon="1d", horizons={"1d": ("xgboost@3",)}).longest_horizon_bars == 5


def test_the_horizon_of_the_ensemble_is_not_named_again() -> None:
    with pytest.raises(ValidationError, match="must name 'lightgbm' and not 'lightgbm@5': horizon_bars is 5"):
        TrainingConfig(members=("xgboost", "lightgbm@5"))
    assert TrainingConfig(members=("lightgbm@5",), horizon_bars=3).longest_horizon_bars == 5
    an_hour = TrainingConfig(horizon="1h", members=("lightgbm@12",))  # how many bars that is, depends on their size
    assert at_horizon(an_hour, parse_bar_size("15min")).horizon_bars == 4
    with pytest.raises(ConfigurationError, match="must name 'lightgbm' and not 'lightgbm@12': horizon_bars is 12"):
        at_horizon(an_hour, parse_bar_size("5min"))
    with pytest.raises(ConfigurationError, match="'xgboots' is not"):
        at_horizon(TrainingConfig(horizon="7d", horizons={"7d": ("xgboots",)}), parse_bar_size("1d"))


@pytest.mark.parametrize(
    ("members", "alike"),
    [((), "xgboost and lightgbm"), (("lightgbm", "ridge@20", "lightgbm@20"), "ridge@20 and lightgbm@20")],
)
def test_forecasts_of_several_horizons_are_of_different_ones(members: tuple[str, ...], alike: str) -> None:
    values = {"members": members, "ensemble": {"method": "multi_horizon"}}
    with pytest.raises(ValidationError, match=f"members that learn different horizons, {alike} learn the same"):
        TrainingConfig.model_validate(values)
    config = TrainingConfig.model_validate(values | {"members": ("lightgbm@1", "lightgbm", "ridge@20")})
    assert config.ensemble.method == "multi_horizon"
