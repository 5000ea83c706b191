"""Temporal convolutional network: blocks whose reach doubles."""

import torch
from torch import Tensor, nn

from outcry.models.families.tcn import TCNParams
from outcry.models.neural.layers.convolution import TemporalBlock
from outcry.models.neural.network import Network


class TCNNetwork(Network):
    """What the blocks say at the last bar; of the last block, or of all."""

    def __init__(self, params: TCNParams, n_channels: int) -> None:
        super().__init__(params, params.n_filters * (params.n_blocks if params.is_multi_scale else 1))
        self._is_multi_scale = params.is_multi_scale
        self.blocks = nn.ModuleList(
            TemporalBlock(
                params.n_filters if k else n_channels,
                params.n_filters,
                params.kernel_bars,
                2**k,
                drop_frac=params.dropout_frac,
                is_gated=params.is_gated,
            )
            for k in range(params.n_blocks)
        )

    def encode(self, windows: Tensor) -> Tensor:
        values, last = windows.transpose(1, 2), []
        for block in self.blocks:
            values = block(values)
            last.append(values[:, :, -1])
        return torch.cat(last, dim=1) if self._is_multi_scale else last[-1]


def build(params: TCNParams, n_channels: int) -> Network:
    return TCNNetwork(params, n_channels)
