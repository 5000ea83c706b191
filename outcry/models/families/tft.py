"""TFT: a network that selects variables, remembers, and attends in a way that can be read."""

from pydantic import Field

from outcry.models.neural.family import NeuralFamily
from outcry.models.neural.params import NeuralParams
from outcry.models.parameter_space import Choices, ParameterSpace, Span

SEARCH_SPACE: ParameterSpace = {
    "lookback_bars": Span(20, 100, is_integer=True),
    "width": Choices((16, 32, 64, 128)),
    "n_heads": Choices((1, 2, 4)),
    "dropout_frac": Span(0.1, 0.4),
    "learning_rate": Span(0.0001, 0.003, is_log=True),
}


class TFTParams(NeuralParams):
    """Of the layers, all of one `width`, which `n_heads` divide."""

    width: int = Field(default=32, ge=4)
    n_heads: int = Field(default=4, gt=0)


FAMILY = NeuralFamily("tft", TFTParams, SEARCH_SPACE)
