"""Which text of the kernels it is: part of the key under which Numba keeps the compiled code."""

from functools import cache
from pathlib import Path

from outcry import order_rows
from outcry.compiled import source_hash
from outcry.market import grid_kernels


@cache
def kernels_version() -> str:
    """Return the SHA-256, in hex, of the kernels of this package and of what they are compiled with."""
    return source_hash(Path(__file__).parent, Path(order_rows.__file__), Path(grid_kernels.__file__))
