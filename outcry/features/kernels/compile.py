"""How every kernel is compiled."""

from collections.abc import Callable
from types import FunctionType
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS = {"error_model": "numpy", "nogil": True, "_nrt": False}


def kernel(function: Callable[P, R], *, is_inlined: bool = False) -> Callable[P, R]:
    """Compile a kernel into its caller.

    No `fastmath`: the order of additions is part of the value. The error model is numpy's, without the hidden branch
    of a Python division; every ratio guards its denominator in the open and documents the value in the catalogue.
    Kernels allocate nothing, so Numba need not count references to arrays: slices are free (`_nrt`).
    They are not cached one by one: `outcry.features.kernels.advance` caches a family as a whole.
    """
    # Inner kernels are called from compiled code only: without the two wrappers a cold start is a third shorter.
    compiler = cast(Any, numba.njit)(
        error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False, forceinline=is_inlined
    )
    return cast(Callable[P, R], compiler(function))


def inlined_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel, and copy it into each of its callers.

    For what takes tens of nanoseconds, as most indicators do: a call would hand over every array as seven words or
    more. What takes longer, and is written once, is a `kernel`.
    """
    return kernel(function, is_inlined=True)


def compile_entry_point(function: Callable[P, R], signature: str) -> Callable[P, R]:
    """Compile what Python calls, or load it from Numba's cache.

    Numba caches in ``NUMBA_CACHE_DIR`` where it is set, else beside the source, else in the folder of the user. Where
    none can be written, the function is compiled anew in each process.
    """
    compiler = cast(Any, numba.njit)
    try:
        compiled = compiler(signature, cache=True, **_OPTIONS)(function)
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        compiled = compiler(signature, **_OPTIONS)(function)
    return cast(Callable[P, R], compiled)


def is_cached(function: Callable[P, R], signature: str) -> bool:
    """Say whether `compile_entry_point` would find the function in Numba's cache; True where that cannot be known."""
    try:
        dispatcher = cast(Any, numba.njit)(cache=True, **_OPTIONS)(function)
        files = dispatcher._cache
        return files._index_key(signature, dispatcher.targetctx.codegen()) in files._cache_file._load_index()
    except (AttributeError, RuntimeError):
        return True


def with_globals(function: Callable[P, R], name: str, **values: object) -> Callable[P, R]:
    """Return a copy of a function, with this name, that finds `values` among its globals.

    One text is compiled with another kernel inside. As a closure variable the kernel would be part of the key of
    Numba's cache, and a compiled function has another key in every process.
    """
    template = cast(FunctionType, function)
    bound = FunctionType(
        template.__code__,
        template.__globals__ | values,
        name,
        template.__defaults__,
        template.__closure__,
    )
    bound.__module__, bound.__qualname__ = template.__module__, name
    return cast(Callable[P, R], bound)
