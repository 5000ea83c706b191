"""CNN: convolutions of several widths over the last bars."""

from pydantic import Field

from outcry.models.neural.family import NeuralFamily
from outcry.models.neural.params import NeuralParams, OddBars
from outcry.models.parameter_space import ParameterSpace, Span

SEARCH_SPACE: ParameterSpace = {
    "lookback_bars": Span(20, 100, is_integer=True),
    "n_filters": Span(16, 64, is_log=True, is_integer=True),
    "dropout_frac": Span(0.2, 0.5),
    "learning_rate": Span(0.0001, 0.003, is_log=True),
}


class CNNParams(NeuralParams):
    """Of the filters: `n_filters` of each of `kernels_bars`, which are odd."""

    kernels_bars: tuple[OddBars, ...] = Field(default=(3, 5, 7, 11), min_length=1)
    n_filters: int = Field(default=32, ge=2)
    n_dense: int = Field(default=32, ge=2)


FAMILY = NeuralFamily("cnn", CNNParams, SEARCH_SPACE)
