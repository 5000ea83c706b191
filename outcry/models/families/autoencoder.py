"""Autoencoder: a code of the window that is learnt without labels, and a classifier on the code."""

from pydantic import Field

from outcry.models.neural.family import NeuralFamily
from outcry.models.neural.params import NeuralParams
from outcry.models.parameter_space import ParameterSpace, Span

SEARCH_SPACE: ParameterSpace = {
    "lookback_bars": Span(20, 100, is_integer=True),
    "n_code": Span(8, 64, is_log=True, is_integer=True),
    "n_hidden": Span(64, 256, is_log=True, is_integer=True),
    "learning_rate": Span(0.0001, 0.003, is_log=True),
}


class AutoencoderParams(NeuralParams):
    """Of the code and of the dense layers before and after it."""

    n_code: int = Field(default=16, ge=1)
    n_hidden: int = Field(default=128, ge=4)
    n_dense: int = Field(default=32, ge=2)
    dropout_frac: float = Field(default=0.1, ge=0, lt=1)


FAMILY = NeuralFamily("autoencoder", AutoencoderParams, SEARCH_SPACE)
