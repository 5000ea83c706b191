"""The processes that train one network together."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from outcry.models.neural.network import Network


class Ranks:
    """This process alone, or those of the default group of `torch.distributed`: gloo on CPUs, NCCL on GPUs.

    Parameters
    ----------
    is_group : bool
        Whether there is such a group, and this process one of it.

    Notes
    -----
    As many ranks and the same rows give the same bits, whatever machines they are on: the sums of a ring are grouped by
    rank.
    """

    def __init__(self, is_group: bool = False) -> None:
        self.rank = distributed.get_rank() if is_group else 0
        self.n_ranks = distributed.get_world_size() if is_group else 1

    def wrap(self, network: Network) -> nn.Module:
        """Return what is called in place of the network, so that gradients are the means over all ranks."""
        if self.n_ranks == 1:
            return network
        # Without this the gradients would be put together in other groups from the second batch on, and a training that
        # was resumed would add them up in another order than one that never stopped.
        return DistributedDataParallel(network, find_unused_parameters=True)

    def without_exchange(self, called: nn.Module) -> AbstractContextManager[None]:
        """Within the block gradients are added up in each rank alone."""
        return called.no_sync() if isinstance(called, DistributedDataParallel) else nullcontext()

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over all ranks, the same bits in each."""
        if self.n_ranks > 1:
            distributed.all_reduce(values)
        return values

    def share_buffers(self, network: Network) -> None:
        """Give all ranks what the first has counted while training, as the means of a batch norm."""
        if self.n_ranks > 1:
            with torch.no_grad():
                for buffer in network.buffers():
                    distributed.broadcast(buffer, src=0)
