"""A transformer encoder over a closed window."""

import torch
from torch import Tensor, nn

from outcry.models.families.transformer import TransformerParams
from outcry.models.neural.layers.attention import EncoderLayer, Positions, SelfAttention
from outcry.models.neural.network import Network


class TransformerNetwork(Network):
    """Encoder layers, then the class token, the mean of all rows, or the last one."""

    def __init__(self, params: TransformerParams, n_channels: int) -> None:
        super().__init__(params, params.width)
        self._pooling = params.pooling
        self.embed = nn.Linear(n_channels, params.width)
        self.positions = Positions(params.lookback_bars + 1, params.width, params.positions)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, params.width))
        self.layers = nn.ModuleList(
            EncoderLayer(
                SelfAttention(params.width, params.n_heads), params.width, params.feedforward_width, params.dropout_frac
            )
            for _ in range(params.n_layers)
        )
        self.norm = nn.LayerNorm(params.width)

    def encode(self, windows: Tensor) -> Tensor:
        return self._pool(self._read(windows)[0])

    def attention(self, windows: Tensor) -> Tensor:
        """Return the shares of the last layer: those of what is pooled."""
        shares = self._pool(self._read(windows)[1])[:, : windows.shape[1]]
        return shares / shares.sum(dim=1, keepdim=True)

    def _read(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        values = self.embed(windows)
        if self._pooling == "token":
            values = torch.cat((values, self.token.expand(len(values), 1, -1)), dim=1)
        values = self.positions(values)
        shares = values
        for layer in self.layers:
            values, shares = layer(values)
        return self.norm(values), shares

    def _pool(self, values: Tensor) -> Tensor:
        return values.mean(dim=1) if self._pooling == "mean" else values[:, -1]


def build(params: TransformerParams, n_channels: int) -> Network:
    return TransformerNetwork(params, n_channels)
