"""N-BEATS: blocks that each explain a part of the window, and leave the rest to the next."""

from typing import Literal

from pydantic import Field

from outcry.models.neural.family import NeuralFamily
from outcry.models.neural.params import NeuralParams
from outcry.models.parameter_space import ParameterSpace, Span

SEARCH_SPACE: ParameterSpace = {
    "lookback_bars": Span(20, 100, is_integer=True),
    "n_hidden": Span(32, 256, is_log=True, is_integer=True),
    "n_blocks": Span(1, 4, is_integer=True),
    "learning_rate": Span(0.0001, 0.003, is_log=True),
}


class NBeatsParams(NeuralParams):
    """Of the stacks, in order, with `n_blocks` each; `n_terms` are powers, waves, or learnt shapes along the window."""

    stacks: tuple[Literal["trend", "seasonality", "generic"], ...] = Field(
        default=("trend", "seasonality", "generic"), min_length=1
    )
    n_blocks: int = Field(default=2, ge=1, le=8)
    n_hidden: int = Field(default=64, ge=4)
    n_terms: int = Field(default=4, ge=1, le=32)
    dropout_frac: float = Field(default=0.1, ge=0, lt=1)


FAMILY = NeuralFamily("nbeats", NBeatsParams, SEARCH_SPACE)
