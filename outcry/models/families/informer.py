"""Informer: attention of the few rows that have something to ask, over a window that is halved layer by layer."""

from pydantic import Field

from outcry.models.families.transformer import TransformerParams
from outcry.models.neural.family import NeuralFamily
from outcry.models.parameter_space import Choices, ParameterSpace, Span

SEARCH_SPACE: ParameterSpace = {
    "lookback_bars": Span(40, 200, is_integer=True),
    "n_heads": Choices((4, 8)),
    "n_layers": Span(2, 4, is_integer=True),
    "width": Choices((64, 128, 256)),
    "sampling_factor": Span(1, 8, is_integer=True),
    "dropout_frac": Span(0.1, 0.3),
    "learning_rate": Span(5e-05, 0.001, is_log=True),
}


class InformerParams(TransformerParams):
    """Those of the transformer without `pooling`; ``sampling_factor * ln(rows)`` rows ask, and as many are sampled."""

    sampling_factor: int = Field(default=3, ge=1)


FAMILY = NeuralFamily("informer", InformerParams, SEARCH_SPACE)
