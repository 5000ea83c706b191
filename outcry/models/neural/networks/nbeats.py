"""N-BEATS (Oreshkin et al., 2020) as a classifier: what the blocks forecast are the scores of the classes.

A block reads what the blocks before it left of the window, says which part of it it explains, as a sum of shapes along
the rows, and adds to the scores. The sum of the shapes is subtracted before the next block reads.
"""

import math

import torch
from torch import Tensor, nn

from outcry.models.families.nbeats import NBeatsParams
from outcry.models.neural.layers.dropout import Dropout
from outcry.models.neural.network import Network


class Block(nn.Module):
    """Dense layers over the whole window, then shapes of a kind for each channel, and a code for the scores."""

    def __init__(self, params: NBeatsParams, n_channels: int, kind: str) -> None:
        super().__init__()
        n_bars, n_hidden = params.lookback_bars, params.n_hidden
        self._n_channels = n_channels
        self.dense = nn.Sequential(
            nn.Linear(n_bars * n_channels, n_hidden),
            nn.ReLU(),
            Dropout(params.dropout_frac),
            nn.Linear(n_hidden, n_hidden),
            nn.ReLU(),
        )
        shapes = _shapes(kind, n_bars, params.n_terms)
        if kind == "generic":
            self.shapes = nn.Parameter(shapes)
        else:
            self.shapes = nn.Buffer(shapes, persistent=False)  # type: ignore[assignment]
        self.sizes = nn.Linear(n_hidden, n_channels * len(shapes))

    def forward(self, left: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the block explains of the window, and its code."""
        code = self.dense(left.flatten(1))
        sizes = self.sizes(code).view(len(left), self._n_channels, -1)
        return (sizes @ self.shapes).transpose(1, 2), code


class NBeatsNetwork(Network):
    """The blocks of all stacks in a row, and one head over the sum of what they add."""

    def __init__(self, params: NBeatsParams, n_channels: int) -> None:
        super().__init__(params, params.n_hidden)
        self.blocks = nn.ModuleList(
            Block(params, n_channels, kind) for kind in params.stacks for _ in range(params.n_blocks)
        )
        self.forecasts = nn.ModuleList(nn.Linear(params.n_hidden, params.n_hidden) for _ in self.blocks)

    def encode(self, windows: Tensor) -> Tensor:
        return self.parts(windows).sum(dim=0)

    def parts(self, windows: Tensor) -> Tensor:
        """Return what each block adds, (n_blocks, n, width); the head is linear: each has its share of the scores."""
        left, parts = windows, []
        for block, forecast in zip(self.blocks, self.forecasts, strict=True):
            explained, code = block(left)
            left = left - explained
            parts.append(forecast(code))
        return torch.stack(parts)


def _shapes(kind: str, n_bars: int, n_terms: int) -> Tensor:
    """Return (n_terms or twice as many, n_bars): powers of time, waves over the window, or noise to learn from."""
    time = torch.linspace(0.0, 1.0, n_bars)
    if kind == "trend":
        return torch.stack([time**power for power in range(n_terms)])
    if kind == "seasonality":
        waves = [2.0 * math.pi * cycles * time for cycles in range(1, n_terms + 1)]
        return torch.stack([wave.cos() for wave in waves] + [wave.sin() for wave in waves])
    return torch.randn(n_terms, n_bars) / math.sqrt(n_terms)


def build(params: NBeatsParams, n_channels: int) -> Network:
    return NBeatsNetwork(params, n_channels)
