"""The steps of a selection are read strictly."""

from typing import Any

import pytest
from pydantic import ValidationError

from configs.selection import CorrelationConfig, ShapConfig, VarianceConfig
from configs.training import TrainingConfig


def test_steps_are_read_by_the_name_of_their_method() -> None:
    read = TrainingConfig.model_validate(
        {"selection": [{"method": "correlation", "min_abs_spearman": 0.8}, {"method": "shap", "n_columns": 5}]}
    )
    assert read.selection == (CorrelationConfig(min_abs_spearman=0.8), ShapConfig(n_columns=5))
    assert TrainingConfig.model_validate(read.model_dump(mode="json")) == read


def test_without_steps_named_variance_correlation_and_shap_are_run() -> None:
    assert TrainingConfig().selection == (VarianceConfig(), CorrelationConfig(), ShapConfig(n_columns=60))


@pytest.mark.parametrize(
    ("steps", "location", "text"),
    [
        (
            [{"method": "genetic"}],
            (0,),
            "'genetic' found using 'method' does not match any of the expected",
        ),
        ([{"n_columns": 3}], (0,), "Unable to extract tag using discriminator 'method'"),
        ([{"method": "shap", "columns": 3}], (0, "shap", "columns"), "Extra inputs are not permitted"),
        ([{"method": "shap", "n_columns": 0}], (0, "shap", "n_columns"), "greater than 0"),
        (
            [{"method": "variance", "min_variance": float("nan")}],
            (0, "variance", "min_variance"),
            "finite",
        ),
        (
            [{"method": "correlation", "min_abs_spearman": 1.0}],
            (0, "correlation", "min_abs_spearman"),
            "less",
        ),
    ],
)
def test_a_mistake_is_refused_once_and_by_its_place(steps: list[Any], location: tuple[Any, ...], text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TrainingConfig.model_validate({"selection": steps})
    (mistake,) = refused.value.errors()
    assert mistake["loc"] == ("selection", *location)
    assert text in mistake["msg"]
