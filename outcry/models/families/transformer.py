"""Transformer: self-attention over the last bars."""

from typing import Literal, Self

from pydantic import Field, model_validator

from outcry.models.neural.family import NeuralFamily
from outcry.models.neural.params import NeuralParams
from outcry.models.parameter_space import Choices, ParameterSpace, Span

SEARCH_SPACE: ParameterSpace = {
    "lookback_bars": Span(20, 100, is_integer=True),
    "n_heads": Choices((4, 8)),
    "n_layers": Span(2, 6, is_integer=True),
    "width": Choices((64, 128, 256)),
    "feedforward_width": Choices((256, 512, 1024)),
    "dropout_frac": Span(0.1, 0.3),
    "learning_rate": Span(5e-05, 0.001, is_log=True),
}


class TransformerParams(NeuralParams):
    """Of pre-norm encoder layers; `n_heads` divide `width`. A class token stands after the last bar."""

    width: int = Field(default=64, ge=8)
    n_heads: int = Field(default=4, gt=0)
    n_layers: int = Field(default=2, ge=1, le=12)
    feedforward_width: int = Field(default=256, ge=8)
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"
    pooling: Literal["token", "mean", "last"] = "token"
    dropout_frac: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        if self.width % self.n_heads or self.width % 2:
            raise ValueError(f"n_heads and 2 must divide width {self.width}, n_heads was {self.n_heads}")
        return self


FAMILY = NeuralFamily("transformer", TransformerParams, SEARCH_SPACE)
