"""What is searched is named by the user or by the families, and every value is one that a member takes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.training import TrainingConfig
from outcry.errors import ConfigurationError
from outcry.models.families import FAMILY_NAMES, find_family
from outcry.models.parameter_space import Choices, Searchable, Span
from training.model_sweep.space import settings_at, space_of, to_json

CONFIG = TrainingConfig()


SEARCHABLE = [name for name in FAMILY_NAMES if isinstance(find_family(name), Searchable)]


@pytest.mark.parametrize("is_wide", [False, True])
@pytest.mark.parametrize("family", SEARCHABLE)
def test_every_value_of_the_space_of_a_family_is_one_of_its_parameters(family: str, is_wide: bool) -> None:
    config = TrainingConfig(members=(family,))
    rng = np.random.default_rng(0)
    space = space_of(config, (), is_wide=is_wide)
    assert space
    for _ in range(50):
        point = {name: each.draw(rng) for name, each in space.items()}
        params = getattr(settings_at(config, point), family)
        assert {name: getattr(params, name.partition(".")[2]) for name in space} == point


def test_ranges_and_choices_are_read() -> None:
    space = space_of(
        CONFIG,
        [
            "xgboost.max_depth=3..8:int",
            "lightgbm.learning_rate=0.01..0.2:log",
            "lightgbm.n_leaves = 7..63:log:int",
            "xgboost.reg_lambda=0.1,1,10",
            "lightgbm.is_goss=true,false",
        ],
    )
    assert space == {
        "xgboost.max_depth": Span(3, 8, is_integer=True),
        "lightgbm.learning_rate": Span(0.01, 0.2, is_log=True),
        "lightgbm.n_leaves": Span(7, 63, is_log=True, is_integer=True),
        "xgboost.reg_lambda": Choices((0.1, 1, 10)),
        "lightgbm.is_goss": Choices((True, False)),
    }
    assert to_json(space)["xgboost.reg_lambda"] == [0.1, 1, 10]
    changed = settings_at(CONFIG, {"xgboost.max_depth": 5, "lightgbm.is_goss": True})
    assert (changed.xgboost.max_depth, changed.lightgbm.is_goss) == (5, True)
    assert changed.xgboost.reg_lambda == CONFIG.xgboost.reg_lambda


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("xgboost.max_depth", "--space must be FAMILY.PARAMETER=LOW..HIGH or =VALUE,VALUE, was 'xgboost.max_depth'"),
        ("xgboost.max_depth=", "--space must be FAMILY.PARAMETER=LOW..HIGH"),
        ("xgboost.max_depth=3..x", "--space must be FAMILY.PARAMETER=LOW..HIGH"),
        ("xgboost.max_depth=8..3", "a range must go from a number to a larger one, was 8.0..3.0"),
        ("xgboost.max_depth=3..3", "a range must go from a number to a larger one"),
        ("xgboost.reg_alpha=0..1:log", "a logarithmic range must begin above 0"),
        ("xgboost.max_depth=3..4.5:int", "a range of integers must end with integers"),
        ("xgboost.max_depth=3..8:lin", "marks of a range must be :log or :int, were 'lin'"),
        ("xgboost.max_depth=3", "choices must be two different values or more, were [3]"),
        ("xgboost.max_depth=3,3", "choices must be two different values or more"),
        ("xgboost.max_dept=3..8", "xgboost has the parameters max_rounds, learning_rate"),
        ("lstm2.hidden=3..8", "--space must name a parameter of xgboost or lightgbm, was 'lstm2.hidden'"),
        ("xgboost.max_depth=3..99:int", "xgboost.max_depth: Input should be less than or equal to 12, was 99"),
    ],
)
def test_what_cannot_be_searched_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        space_of(CONFIG, [text])
    assert reason in str(error.value)


def test_a_parameter_is_named_once() -> None:
    with pytest.raises(ConfigurationError, match=r"--space must name xgboost\.gamma once"):
        space_of(CONFIG, ["xgboost.gamma=0..1", "xgboost.gamma=0..2"])


@given(st.integers(-50, 50), st.integers(1, 100), st.booleans(), st.integers(0, 2**32 - 1))
def test_draws_stay_within_a_range(low: int, width: int, is_integer: bool, seed: int) -> None:
    each = Span(low, low + width, is_integer=is_integer)
    drawn = [each.draw(np.random.default_rng(seed + k)) for k in range(20)]
    assert all(low <= value <= low + width for value in drawn)
    assert all(isinstance(value, int) for value in drawn) or not is_integer
    positive = Span(1, 1 + width, is_log=True, is_integer=is_integer)
    assert all(1 <= positive.draw(np.random.default_rng(seed + k)) <= 1 + width for k in range(20))
