"""Values that contradict each other are refused, and weights are multiplied."""

import numpy as np
import pytest
from pydantic import ValidationError

from configs.training import TrainingConfig
from configs.validation import ValidationConfig, WeightsConfig, weigh_rows
from outcry.labels.sample_weights import half_life_weights, normalise, return_weights, uniqueness_weights

FRAME, LAST_ROW, SYMBOL = np.array([0, 1, 3, 3]), np.array([2, 4, 5, 4]), np.array([0, 0, 0, 1])
RETURNS = np.random.default_rng(2).normal(size=(6, 2))


def test_folds_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"must be less than 1 together, were 0\.6 and 0\.4"):
        ValidationConfig(validation_frac=0.6, test_frac=0.4)
    combinatorial = {"kind": "combinatorial", "n_test_folds": 4}
    with pytest.raises(ValidationError, match="n_test_folds must be less than n_folds 4, was 4"):
        TrainingConfig.model_validate({"n_folds": 4, "validation": combinatorial})


def test_weights_are_multiplied() -> None:
    config = WeightsConfig(half_life_bars=3.0, uniqueness="symbol")
    product = half_life_weights(FRAME, 3.0) * uniqueness_weights(FRAME, LAST_ROW, SYMBOL)
    assert weigh_rows(config, FRAME, LAST_ROW, SYMBOL, RETURNS) == pytest.approx(normalise(product))
    universe = weigh_rows(WeightsConfig(uniqueness="universe"), FRAME, LAST_ROW, SYMBOL, RETURNS)
    assert universe == pytest.approx(uniqueness_weights(FRAME, LAST_ROW))
    by_return = weigh_rows(WeightsConfig(oldest_frac=1.0, by_return=True), FRAME, LAST_ROW, SYMBOL, RETURNS)
    assert by_return == pytest.approx(return_weights(FRAME, LAST_ROW, SYMBOL, RETURNS))


def test_without_settings_all_rows_count_alike() -> None:
    assert weigh_rows(WeightsConfig(), FRAME, LAST_ROW, SYMBOL, RETURNS).tolist() == [1.0] * 4


def test_what_would_count_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="half_life_bars and oldest_frac must not both be set"):
        WeightsConfig(half_life_bars=3.0, oldest_frac=0.5)
    with pytest.raises(ValidationError, match="uniqueness must be off where by_return is set, was symbol"):
        WeightsConfig(uniqueness="symbol", by_return=True)
