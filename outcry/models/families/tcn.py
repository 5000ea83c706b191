"""TCN: dilated causal convolutions over the last bars."""

from pydantic import Field

from outcry.models.neural.family import NeuralFamily
from outcry.models.neural.params import NeuralParams
from outcry.models.parameter_space import Choices, ParameterSpace, Span

SEARCH_SPACE: ParameterSpace = {
    "lookback_bars": Span(20, 100, is_integer=True),
    "n_filters": Span(32, 128, is_log=True, is_integer=True),
    "kernel_bars": Span(3, 7, is_integer=True),
    "n_blocks": Span(3, 6, is_integer=True),
    "is_gated": Choices((False, True)),
    "learning_rate": Span(0.0001, 0.003, is_log=True),
}


class TCNParams(NeuralParams):
    """Of the blocks: dilations 1, 2, 4, … one a block; `is_gated` as in WaveNet; `is_multi_scale` reads all blocks."""

    n_filters: int = Field(default=48, ge=4)
    kernel_bars: int = Field(default=3, ge=2, le=7)
    n_blocks: int = Field(default=4, ge=1, le=10)
    is_gated: bool = False
    is_multi_scale: bool = False


FAMILY = NeuralFamily("tcn", TCNParams, SEARCH_SPACE)
