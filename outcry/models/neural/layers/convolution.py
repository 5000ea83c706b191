"""Convolutions along the rows of a window that see no later row."""

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from outcry.models.neural.layers.dropout import Dropout


class CausalConvolution(nn.Module):
    """A weight-normed convolution of (n, n_channels, n_bars): place t reads t, t - dilation, t - 2 dilation, …"""

    def __init__(self, n_channels: int, n_filters: int, kernel_bars: int, dilation_bars: int = 1) -> None:
        super().__init__()
        self._n_before = (kernel_bars - 1) * dilation_bars
        self.convolution = weight_norm(nn.Conv1d(n_channels, n_filters, kernel_bars, dilation=dilation_bars))

    def forward(self, values: Tensor) -> Tensor:
        return self.convolution(functional.pad(values, (self._n_before, 0)))  # type: ignore[no-any-return]


class TemporalBlock(nn.Module):
    """Two causal convolutions with dropout beside a residual path.

    Parameters
    ----------
    n_channels, n_filters, kernel_bars, dilation_bars : int
    drop_frac : float
    is_gated : bool
        ``tanh(a) * sigmoid(b)`` in place of ``relu(a)`` (van den Oord et al., "WaveNet", 2016, eq. 2).

    References
    ----------
    Bai, Kolter and Koltun, "An empirical evaluation of generic convolutional and recurrent networks" (2018), fig. 1b.
    """

    def __init__(
        self, n_channels: int, n_filters: int, kernel_bars: int, dilation_bars: int, *, drop_frac: float, is_gated: bool
    ) -> None:
        super().__init__()
        self._is_gated = is_gated
        wide = n_filters * (2 if is_gated else 1)
        self.first = CausalConvolution(n_channels, wide, kernel_bars, dilation_bars)
        self.second = CausalConvolution(n_filters, wide, kernel_bars, dilation_bars)
        self.dropout = Dropout(drop_frac)
        self.residual = nn.Conv1d(n_channels, n_filters, 1) if n_channels != n_filters else nn.Identity()

    def forward(self, values: Tensor) -> Tensor:
        found = self.dropout(self._activate(self.first(values)))
        found = self.dropout(self._activate(self.second(found)))
        return functional.relu(found + self.residual(values))

    def _activate(self, values: Tensor) -> Tensor:
        if not self._is_gated:
            return functional.relu(values)
        value, gate = values.chunk(2, dim=1)
        return value.tanh() * gate.sigmoid()
