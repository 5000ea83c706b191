"""LSTM: recurrent layers over the last bars; bidirectional, with attention, with skips by parameters."""

from typing import Literal

from pydantic import Field

from outcry.models.neural.family import NeuralFamily
from outcry.models.neural.params import NeuralParams
from outcry.models.parameter_space import Choices, ParameterSpace, Span

SEARCH_SPACE: ParameterSpace = {
    "lookback_bars": Span(20, 100, is_integer=True),
    "n_layers": Span(2, 3, is_integer=True),
    "n_hidden": Span(64, 256, is_log=True, is_integer=True),
    "dropout_frac": Span(0.2, 0.5),
    "learning_rate": Span(0.0001, 0.001, is_log=True),
    "schedule": Choices(("onecycle", "cosine")),
}


class LSTMParams(NeuralParams):
    """Of the layers; `n_dense` units (0: as many as hidden ones) stand before the head, `n_heads` divide the width.

    `dropconnect_frac` of the weights between states are left out while training.
    """

    n_hidden: int = Field(default=64, ge=4)
    n_layers: int = Field(default=2, ge=1, le=8)
    n_dense: int = Field(default=32, ge=0)
    norm: Literal["none", "batch", "layer"] = "layer"
    is_bidirectional: bool = False
    has_skips: bool = False
    dropconnect_frac: float = Field(default=0.0, ge=0, lt=1)
    has_attention: bool = False
    n_heads: int = Field(default=4, gt=0)


FAMILY = NeuralFamily("lstm", LSTMParams, SEARCH_SPACE)
