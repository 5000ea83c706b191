"""Convolutions of several widths, pooled, then a dense layer."""

import torch
from torch import Tensor, nn

from outcry.models.families.cnn import CNNParams
from outcry.models.neural.layers.dropout import Dropout
from outcry.models.neural.layers.extractor import KernelBank
from outcry.models.neural.network import Network


class CNNNetwork(Network):
    """A bank of filters, a second of width 3, then the mean, the maximum and the last bar of each filter."""

    def __init__(self, params: CNNParams, n_channels: int) -> None:
        super().__init__(params, params.n_dense)
        self.bank = KernelBank(n_channels, params.n_filters, params.kernels_bars)
        self.second = nn.Conv1d(self.bank.width, self.bank.width, 3, padding=1)
        self.dense = nn.Sequential(
            Dropout(params.dropout_frac), nn.Linear(3 * self.bank.width, params.n_dense), nn.ReLU()
        )

    def encode(self, windows: Tensor) -> Tensor:
        found = self.bank(windows)
        found = found + torch.relu(self.second(found))
        pooled = torch.cat((found.mean(dim=2), found.amax(dim=2), found[:, :, -1]), dim=1)
        return self.dense(pooled)  # type: ignore[no-any-return]


def build(params: CNNParams, n_channels: int) -> Network:
    return CNNNetwork(params, n_channels)
