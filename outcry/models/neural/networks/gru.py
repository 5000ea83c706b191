"""Stacked gated recurrent units (Cho et al., 2014), over a closed window."""

from torch import nn

from outcry.models.families.gru import GRUParams
from outcry.models.neural.network import Network
from outcry.models.neural.networks.lstm import RecurrentNetwork


def build(params: GRUParams, n_channels: int) -> Network:
    return RecurrentNetwork(nn.GRU, params, n_channels)
