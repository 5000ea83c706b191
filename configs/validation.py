"""How a training is cut into folds, and what each row of it counts: ``training.validation``, ``training.weights``."""

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from outcry.config import FrozenConfig
from outcry.labels.sample_weights import (
    half_life_weights,
    linear_decay_weights,
    normalise,
    return_weights,
    uniqueness_weights,
)
from outcry.market.frame import FloatArray, IntArray


class WeightsConfig(FrozenConfig):
    """How much each training row counts; what is set is multiplied, and without any all rows count alike.

    ``half_life_bars`` halves the weight of a row with its age; ``oldest_frac`` instead puts the weights on a line from
    that part of the newest row's. ``uniqueness`` weighs by the part of a label that no other shares: labels of the same
    symbol, or of the whole ``universe``. ``by_return`` weighs by the size of the return that is the label's own; it
    counts what labels share by itself, and goes without ``uniqueness``.
    """

    half_life_bars: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    oldest_frac: float | None = Field(default=None, ge=0, le=1)
    uniqueness: Literal["off", "symbol", "universe"] = "off"
    by_return: bool = False

    @model_validator(mode="after")
    def _check_each_is_counted_once(self) -> "WeightsConfig":
        if self.half_life_bars is not None and self.oldest_frac is not None:
            raise ValueError("half_life_bars and oldest_frac must not both be set: each is a decay with age")
        if self.by_return and self.uniqueness != "off":
            raise ValueError(f"uniqueness must be off where by_return is set, was {self.uniqueness}")
        return self


class ValidationConfig(FrozenConfig):
    """Which frames the folds of a training learn from, and which ones judge them.

    Every ``kind`` ends with one last fold, which learns from frames before those that measure it, and only measures.
    What each reads, beside ``n_folds`` and ``embargo_bars`` of ``training``:

    - ``walk_forward``: ``training.min_train_frac``; each fold learns from all frames before it.
    - ``rolling``, ``anchored``, ``fixed``: ``train_bars``, ``test_bars``, ``step_bars`` (absent: those of the test
      span); each learns from the last ``train_bars``, from all frames so far, or from the first ``train_bars``.
    - ``k_fold``: each learns from all the others, before the last ``test_frac``.
    - ``combinatorial``: any ``n_test_folds`` of them judge what learnt from the others, before the last ``test_frac``.
    - ``hold_out``: the ``validation_frac`` before the last ``test_frac`` is judged by what is before it.
    """

    kind: Literal["walk_forward", "rolling", "anchored", "fixed", "k_fold", "combinatorial", "hold_out"] = (
        "walk_forward"
    )
    n_test_folds: int = Field(default=2, ge=1)
    train_bars: int = Field(default=252, ge=2)
    test_bars: int = Field(default=63, ge=1)
    step_bars: int | None = Field(default=None, ge=1)
    validation_frac: float = Field(default=0.15, gt=0, lt=1)
    test_frac: float = Field(default=0.15, gt=0, lt=1)

    @model_validator(mode="after")
    def _check_rows_are_left(self) -> "ValidationConfig":
        if self.validation_frac + self.test_frac >= 1.0:
            raise ValueError(
                f"validation_frac and test_frac must be less than 1 together, were {self.validation_frac} and "
                f"{self.test_frac}"
            )
        return self


def weigh_rows(
    config: WeightsConfig, frame: IntArray, last_row: IntArray, symbol: IntArray, returns: FloatArray
) -> FloatArray:
    """Return the weight of each row, with a mean of 1, float64 (n_rows,).

    Parameters
    ----------
    config : WeightsConfig
    frame, last_row, symbol : int64 (n_rows,)
        Of the training rows of a fold alone: their frame, the last row their label depends on, the place of the symbol.
    returns : float64 (n_frames, n_symbols)
        Log returns from the row before; NaN where not known.

    Raises
    ------
    DataValidationError
        Where no row has a weight.
    """
    weights = np.ones(len(frame))
    if config.half_life_bars is not None:
        weights = weights * half_life_weights(frame, config.half_life_bars)
    if config.oldest_frac is not None:
        weights = weights * linear_decay_weights(frame, config.oldest_frac)
    if config.uniqueness != "off":
        weights = weights * uniqueness_weights(frame, last_row, symbol if config.uniqueness == "symbol" else None)
    if config.by_return:
        weights = weights * return_weights(frame, last_row, symbol, returns)
    return normalise(weights)
