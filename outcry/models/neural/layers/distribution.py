"""Distributions whose masses and quantiles have a closed form, so that they can be learnt through."""

import math

import torch
from torch import Tensor
from torch.nn import functional

LOG_T4 = math.log(3.0 / 8.0)
"""Of the density of Student's t with four degrees of freedom at 0."""


def negative_log_density(kind: str, place: Tensor) -> Tensor:
    """Return ``-log f`` of the standard normal, or of Student's t with four degrees of freedom."""
    if kind == "gaussian":
        return 0.5 * place**2 + 0.5 * math.log(2.0 * math.pi)
    return 2.5 * torch.log1p(place**2 / 4.0) - LOG_T4


def mass_below(kind: str, place: Tensor) -> Tensor:
    """Return ``F``; of Student's t: Shaw, "Sampling Student's T distribution" (2006), section 2.3."""
    if kind == "gaussian":
        return torch.special.ndtr(place)  # type: ignore[no-any-return]
    part = place / torch.sqrt(place**2 + 4.0)
    return 0.5 + 0.75 * (part - part**3 / 3.0)


def quantile(kind: str, level_frac: Tensor) -> Tensor:
    """Return the inverse of `mass_below`; of Student's t: Shaw (2006), eq. 37."""
    if kind == "gaussian":
        return torch.special.ndtri(level_frac)  # type: ignore[no-any-return]
    alpha = 4.0 * level_frac * (1.0 - level_frac)
    root = torch.cos(torch.acos(alpha.sqrt()) / 3.0) / alpha.sqrt()
    return torch.sign(level_frac - 0.5) * 2.0 * torch.sqrt(functional.relu(root - 1.0))
