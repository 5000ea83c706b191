"""Stacked long short-term memory (Hochreiter and Schmidhuber, 1997), over a closed window."""

import torch
from torch import Tensor, nn

from outcry.models.families.lstm import LSTMParams
from outcry.models.neural.layers.attention import LagAttention
from outcry.models.neural.layers.recurrent import RecurrentStack
from outcry.models.neural.network import Network


class RecurrentNetwork(Network):
    """Recurrent layers, then the last state or an attention over all, then a dense layer."""

    def __init__(self, kind: type[nn.LSTM] | type[nn.GRU], params: LSTMParams, n_channels: int) -> None:
        super().__init__(params, params.n_dense or params.n_hidden)
        self.stack = RecurrentStack(
            kind,
            n_channels,
            params.n_hidden,
            params.n_layers,
            params.dropout_frac,
            is_locked=params.is_dropout_locked,
            is_bidirectional=params.is_bidirectional,
            norm=params.norm,
            has_skips=params.has_skips,
            dropconnect_frac=params.dropconnect_frac,
        )
        width = self.stack.width
        self.pool = LagAttention(width, params.n_heads) if params.has_attention else None
        self.dense = nn.Sequential(nn.Linear(width, params.n_dense or params.n_hidden), nn.ReLU())

    def encode(self, windows: Tensor) -> Tensor:
        states = self.stack(windows)
        pooled = self.pool(states)[0] if self.pool is not None else last_state(states, self.stack.is_bidirectional)
        return self.dense(pooled)  # type: ignore[no-any-return]

    def attention(self, windows: Tensor) -> Tensor | None:
        return None if self.pool is None else self.pool(self.stack(windows))[1]

    @property
    def has_attention(self) -> bool:
        return self.pool is not None


def last_state(states: Tensor, is_bidirectional: bool) -> Tensor:
    """Return the state after the last row of each direction: backwards, that is the first."""
    if not is_bidirectional:
        return states[:, -1]
    half = states.shape[2] // 2
    return torch.cat((states[:, -1, :half], states[:, 0, half:]), dim=1)


def build(params: LSTMParams, n_channels: int) -> Network:
    return RecurrentNetwork(nn.LSTM, params, n_channels)
