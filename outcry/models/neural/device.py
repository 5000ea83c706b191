"""Where a network is trained, and with how many threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from outcry.errors import ConfigurationError


def choose_device(name: str) -> torch.device:
    """Return the device of that name; of ``auto``, CUDA before MPS before the CPU.

    Raises
    ------
    ConfigurationError
        Where this machine has no such device.
    """
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, is_there in found.items() if is_there)
    if not found[name]:
        raise ConfigurationError(f"device must be one that this machine has, was {name}")
    return torch.device(name)


@contextmanager
def threads(n_threads: int) -> Iterator[None]:
    """Compute with so many threads within the block: another number sums in another order."""
    before = torch.get_num_threads()
    if before == n_threads:
        yield
        return
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
