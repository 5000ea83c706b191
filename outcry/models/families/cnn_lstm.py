"""CNN-LSTM: convolutions and recurrent layers that look at each other, in several networks, with two heads."""

from typing import Literal, Self

from pydantic import Field, model_validator

from outcry.models.neural.family import NeuralFamily
from outcry.models.neural.params import NeuralParams, OddBars
from outcry.models.parameter_space import Choices, ParameterSpace, Span

SEARCH_SPACE: ParameterSpace = {
    "lookback_bars": Span(20, 100, is_integer=True),
    "n_filters": Span(16, 64, is_log=True, is_integer=True),
    "n_hidden": Span(32, 128, is_log=True, is_integer=True),
    "n_layers": Span(1, 3, is_integer=True),
    "width": Choices((64, 128, 256)),
    "dropout_frac": Span(0.2, 0.5),
    "learning_rate": Span(0.0001, 0.001, is_log=True),
}


class CNNLSTMParams(NeuralParams):
    """Of the parts; `n_heads` divide `width`, the channels of the fusion.

    `return_weight_frac` is the share of the regression head in the loss; `n_members` networks have learnt weights, and
    `member_dropout_frac` of them are left out of a row while training. One member without `is_bidirectional` is the
    simple hybrid.
    """

    kernels_bars: tuple[OddBars, ...] = Field(default=(3, 5, 7, 11), min_length=1)
    n_filters: int = Field(default=64, ge=2)
    n_hidden: int = Field(default=128, ge=4)
    n_layers: int = Field(default=3, ge=1, le=8)
    is_bidirectional: bool = True
    has_skips: bool = True
    width: int = Field(default=256, ge=8)
    n_heads: int = Field(default=8, gt=0)
    n_members: int = Field(default=5, ge=1, le=16)
    member_dropout_frac: float = Field(default=0.1, ge=0, lt=1)
    return_weight_frac: float = Field(default=0.6, ge=0, lt=1)
    dropout_frac: float = Field(default=0.3, ge=0, lt=1)
    schedule: Literal["constant", "cosine", "onecycle", "plateau"] = "plateau"

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        if self.width % self.n_heads:
            raise ValueError(f"n_heads must divide width {self.width}, was {self.n_heads}")
        return self


FAMILY = NeuralFamily("cnn_lstm", CNNLSTMParams, SEARCH_SPACE)
