"""Recurrent layers on top of each other."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from outcry.models.neural.layers.dropout import Dropout


class RecurrentStack(nn.Module):
    """LSTM or GRU layers with normalisation and dropout after each.

    Parameters
    ----------
    kind : type
        `nn.LSTM` or `nn.GRU`.
    n_channels, n_hidden, n_layers : int
    drop_frac : float
    is_locked : bool
        See `Dropout`.
    is_bidirectional : bool
        Twice the width; backwards over the window alone, which has ended.
    norm : str
        ``none``, ``batch`` or ``layer``.
    has_skips : bool
        Adds what came in to what goes out, from the second layer on.
    dropconnect_frac : float
        Of the weights between one state and the next, left out while training, the same for all rows of a batch and all
        bars (Merity et al., "Regularizing and optimizing LSTM language models", 2018, section 2).
    """

    def __init__(
        self,
        kind: type[nn.LSTM] | type[nn.GRU],
        n_channels: int,
        n_hidden: int,
        n_layers: int,
        drop_frac: float,
        *,
        is_locked: bool = False,
        is_bidirectional: bool = False,
        norm: str = "none",
        has_skips: bool = False,
        dropconnect_frac: float = 0.0,
    ) -> None:
        super().__init__()
        self.is_bidirectional = is_bidirectional
        self.width = n_hidden * (2 if is_bidirectional else 1)
        self._has_skips = has_skips
        self._dropconnect_frac = dropconnect_frac
        widths = [n_channels] + [self.width] * (n_layers - 1)
        self.layers = nn.ModuleList(
            kind(width, n_hidden, batch_first=True, bidirectional=is_bidirectional) for width in widths
        )
        self.norms = nn.ModuleList(_norm(norm, self.width) for _ in widths)
        self.dropout = Dropout(drop_frac, is_locked)

    def forward(self, windows: Tensor) -> Tensor:
        """Return the states, (n, lookback_bars, width)."""
        states = windows
        for k, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            found = self.dropout(norm(self._run(layer, states)))
            states = states + found if self._has_skips and k else found
        return states

    def _run(self, layer: nn.Module, states: Tensor) -> Tensor:
        if not (self.training and self._dropconnect_frac):
            return layer(states)[0]  # type: ignore[no-any-return]
        assert isinstance(layer, nn.LSTM | nn.GRU)  # noqa: S101 - the constructor made it
        weights = [
            functional.dropout(weight, self._dropconnect_frac) if name.startswith("weight_hh") else weight
            for name, weight in layer.named_parameters()
        ]
        first = states.new_zeros(1 + layer.bidirectional, len(states), layer.hidden_size)
        if isinstance(layer, nn.LSTM):
            return torch.lstm(states, (first, first), weights, True, 1, 0.0, True, layer.bidirectional, True)[0]
        return torch.gru(states, first, weights, True, 1, 0.0, True, layer.bidirectional, True)[0]


class _BatchNorm(nn.BatchNorm1d):
    """Over the channels of (n, lookback_bars, channels)."""

    def forward(self, states: Tensor) -> Tensor:
        return torch.transpose(super().forward(states.transpose(1, 2)), 1, 2)


def _norm(name: str, width: int) -> nn.Module:
    if name == "batch":
        return _BatchNorm(width)
    return nn.LayerNorm(width) if name == "layer" else nn.Identity()
