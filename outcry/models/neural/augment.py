"""Training windows that are slightly other than those that came.

Every one of these leaves the place of the decision bar alone: it is the last row of what comes out, too.

References
----------
Um et al., "Data augmentation of wearable sensor data for Parkinson's disease monitoring" (2017): magnitude and time
warping, there with splines through the knots, here with lines.
"""

import torch
from torch import Tensor
from torch.nn import functional

from outcry.models.neural.params import NeuralParams

N_KNOTS = 4
"""Of a random curve along a window."""


def augment(windows: Tensor, params: NeuralParams) -> Tensor:
    """Return windows (n, lookback_bars, n_channels) with what `params` asks for, by the generator of torch."""
    if params.time_warp_sigma:
        windows = warp_time(windows, params.time_warp_sigma)
    if params.magnitude_warp_sigma:
        windows = warp_magnitude(windows, params.magnitude_warp_sigma)
    if params.noise_sigma:
        windows = windows + params.noise_sigma * torch.randn_like(windows)
    if params.time_mask_frac:
        is_kept = torch.rand(windows.shape[:2], device=windows.device) >= params.time_mask_frac
        is_kept[:, -1] = True  # the bar of the decision is always known
        windows = windows * is_kept.unsqueeze(2)
    return windows


def warp_magnitude(windows: Tensor, sigma: float) -> Tensor:
    """Multiply each channel of each window by a curve around 1 with deviation `sigma` at its knots."""
    n, n_bars, n_channels = windows.shape
    curves = _curves(1.0 + sigma * torch.randn(n, n_channels, N_KNOTS, device=windows.device), n_bars)
    return windows * curves.transpose(1, 2)


def warp_time(windows: Tensor, sigma: float) -> Tensor:
    """Read each window at a speed that varies by the factor ``exp(sigma)``, from its first row to its last."""
    n, n_bars, _ = windows.shape
    speed = torch.exp(sigma * torch.randn(n, 1, N_KNOTS, device=windows.device))
    passed = _curves(speed, n_bars)[:, 0, :-1].cumsum(dim=1)
    # the last row is read in full, whatever the rounding
    place = functional.pad(passed / passed[:, -1:] * (n_bars - 1), (1, 0)).clamp(max=n_bars - 1)
    below = place.floor().long().clamp(max=n_bars - 2)
    share = (place - below).unsqueeze(2)
    row = torch.arange(n, device=windows.device).unsqueeze(1)
    return torch.lerp(windows[row, below], windows[row, below + 1], share)


def _curves(knots: Tensor, n_bars: int) -> Tensor:
    """Return lines through knots that are evenly spaced, (n, n_channels, n_bars)."""
    return functional.interpolate(knots, size=n_bars, mode="linear", align_corners=True)
