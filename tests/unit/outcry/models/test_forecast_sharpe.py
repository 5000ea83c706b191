"""A measure of what forecasts earn for their risk, by hand and where there is nothing to measure."""

import numpy as np
import pytest

from outcry.errors import DataValidationError
from outcry.models.dataset import Dataset
from outcry.models.forecast_sharpe import forecast_sharpe

DATA = Dataset(
    rows=np.zeros((4, 1)),
    labels=np.zeros(4, dtype=np.int8),
    frame=np.array([7, 7, 9, 9]),
    feature_names=("x",),
    returns=np.array([0.02, -0.01, 0.03, np.nan]),
)


def test_it_is_the_mean_over_the_deviation_of_what_frames_earn() -> None:
    probability = np.array([[0.6, 0.2, 0.2], [0.2, 0.2, 0.6], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    by_frame = np.array([(0.4 * 0.02 + 0.4 * 0.01) / 2, (0.5 * 0.03) / 2])
    assert forecast_sharpe(probability, DATA) == pytest.approx(by_frame.mean() / by_frame.std())
    assert forecast_sharpe(probability[:, ::-1], DATA) == pytest.approx(-by_frame.mean() / by_frame.std())


def test_forecasts_that_say_nothing_earn_nothing() -> None:
    assert forecast_sharpe(np.full((4, 3), 1 / 3), DATA) == 0.0


def test_rows_without_returns_are_refused() -> None:
    with pytest.raises(DataValidationError, match="needs the returns of the rows, there are none"):
        forecast_sharpe(np.full((1, 3), 1 / 3), Dataset(DATA.rows[:1], DATA.labels[:1], DATA.frame[:1], ("x",)))
