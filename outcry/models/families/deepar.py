"""DeepAR: a recurrent network whose answer is a distribution of the return; classes are its masses."""

from typing import Literal

from pydantic import Field

from outcry.models.neural.family import NeuralFamily
from outcry.models.neural.params import NeuralParams
from outcry.models.parameter_space import Choices, ParameterSpace, Span

SEARCH_SPACE: ParameterSpace = {
    "lookback_bars": Span(20, 100, is_integer=True),
    "n_hidden": Span(32, 128, is_log=True, is_integer=True),
    "n_layers": Span(1, 3, is_integer=True),
    "distribution": Choices(("gaussian", "student")),
    "learning_rate": Span(0.0001, 0.003, is_log=True),
}


class DeepARParams(NeuralParams):
    """Of the layers and the distribution: normal, or Student's t with four degrees of freedom.

    `return_weight_frac` is the share of the likelihood of the return in the loss, beside the log loss of the classes.
    """

    n_hidden: int = Field(default=40, ge=4)
    n_layers: int = Field(default=2, ge=1, le=8)
    distribution: Literal["gaussian", "student"] = "student"
    return_weight_frac: float = Field(default=0.3, gt=0, lt=1)
    dropout_frac: float = Field(default=0.1, ge=0, lt=1)


FAMILY = NeuralFamily("deepar", DeepARParams, SEARCH_SPACE)
