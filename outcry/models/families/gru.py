"""GRU: recurrent layers with two gates over the last bars."""

from outcry.models.families.lstm import SEARCH_SPACE, LSTMParams
from outcry.models.neural.family import NeuralFamily

__all__ = ["FAMILY", "SEARCH_SPACE", "GRUParams"]


class GRUParams(LSTMParams):
    """Of the layers: those of the LSTM."""


FAMILY = NeuralFamily("gru", GRUParams, SEARCH_SPACE)
