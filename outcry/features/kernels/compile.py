"""How every kernel is compiled."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel into its caller.

    No `fastmath`: the order of additions is part of the value. The error model is numpy's, without the hidden branch
    of a Python division; every ratio guards its denominator in the open and documents the value in the catalogue.
    Kernels are not cached one by one: `outcry.features.kernels.advance` caches the whole.
    """
    # Inner kernels are called from compiled code only: without the two wrappers a cold start is a third shorter.
    compiler = cast(Any, numba.njit)(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
    return cast(Callable[P, R], compiler(function))


def compile_entry_point(function: Callable[P, R], signature: str) -> Callable[P, R]:
    """Compile what Python calls, or load it from Numba's cache.

    Numba caches in ``NUMBA_CACHE_DIR`` where it is set, else beside the source, else in the folder of the user. Where
    none can be written, the function is compiled anew in each process.
    """
    try:
        return cast(Callable[P, R], numba.njit(signature, cache=True, error_model="numpy", nogil=True)(function))
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        return cast(Callable[P, R], numba.njit(signature, error_model="numpy", nogil=True)(function))
