"""Filters of several widths side by side over a closed window."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class KernelBank(nn.Module):
    """Convolutions of odd widths, centred, with a norm over channels; (n, n_bars, n_channels) to (n, width, n_bars).

    Parameters
    ----------
    n_channels, n_filters : int
    kernels_bars : sequence of int
        Odd; `n_filters` each.
    """

    def __init__(self, n_channels: int, n_filters: int, kernels_bars: Sequence[int]) -> None:
        super().__init__()
        self.width = n_filters * len(kernels_bars)
        self.filters = nn.ModuleList(
            nn.Conv1d(n_channels, n_filters, kernel_bars, padding=kernel_bars // 2) for kernel_bars in kernels_bars
        )
        self.norm = nn.GroupNorm(1, self.width)

    def forward(self, windows: Tensor) -> Tensor:
        values = windows.transpose(1, 2)
        return torch.relu(self.norm(torch.cat([each(values) for each in self.filters], dim=1)))
