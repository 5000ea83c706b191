"""How every kernel is compiled, whatever it computes: features, positions, limits, fills."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FunctionType
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import caching

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS = {"error_model": "numpy", "nogil": True, "_nrt": False}


_is_only_loading = ContextVar("is_only_loading", default=False)


class NotCompiledError(Exception):
    """An entry point is not in the cache, and was only to be loaded."""


@contextmanager
def only_loading() -> Iterator[None]:
    """Within the block, an entry point that is not in the cache raises `NotCompiledError` and is not compiled."""
    token = _is_only_loading.set(True)
    try:
        yield
    finally:
        _is_only_loading.reset(token)


def kernel(function: Callable[P, R], *, is_inlined: bool = False) -> Callable[P, R]:
    """Compile a kernel into its caller.

    No `fastmath`: the order of additions is part of the value. The error model is numpy's, without the hidden branch
    of a Python division; every ratio guards its denominator in the open and documents the value in the catalogue.
    Kernels allocate nothing, so Numba need not count references to arrays: slices are free (`_nrt`).
    They are not cached one by one: an entry point is cached with everything it calls.
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
    """Compile what Python calls, or load it from the cache.

    The cache is in ``NUMBA_CACHE_DIR`` where that is set, else in the cache folder of the user, where every copy of the
    same code finds it: a cluster job runs from a folder of its own. Where none can be written, the function is compiled
    anew in each process.
    """
    if _is_only_loading.get() and not is_cached(function, signature):
        raise NotCompiledError(function.__qualname__)
    compiled = cast(Any, numba.njit)(**_OPTIONS)(function)
    compiled._cache = _cache_of(function) or compiled._cache
    compiled.compile(signature)
    compiled.disable_compile()
    return cast(Callable[P, R], compiled)


def source_hash(*paths: Path) -> str:
    """Return the SHA-256, in hex, of source files and of those in folders.

    Numba looks only at the file of a cached function to see whether it is current. As a closure variable of an entry
    point, this makes an edit of any kernel it calls part of the key.
    """
    files = sorted(file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path]))
    return hashlib.sha256(b"\x00".join(file.read_bytes() for file in files)).hexdigest()


def is_cached(function: Callable[P, R], signature: str) -> bool:
    """Say whether `compile_entry_point` would find the function in the cache; True where there can be none."""
    files = _cache_of(function)
    if files is None:
        return True
    codegen = cast(Any, numba.njit)(**_OPTIONS)(function).targetctx.codegen()
    return files._index_key(signature, codegen) in files._cache_file._load_index()


def _cache_of(function: Callable[..., Any]) -> Any:
    """Return Numba's cache of a function; None where no folder can be written."""
    try:
        return cast(Any, _KernelCache)(function)
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        return None


class _UserFolder(caching._CacheLocator):
    """Finds compiled code by what its source says, not by where that stands."""

    def __init__(self, py_file: str) -> None:
        self._stamp = hashlib.sha256(Path(py_file).read_bytes() + Path(__file__).read_bytes()).hexdigest()

    def get_cache_path(self) -> str:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return str(folder / "outcry" / "kernels" / self._stamp[:16])

    def get_source_stamp(self) -> str:
        return self._stamp

    def get_disambiguator(self) -> None:
        return None

    @classmethod
    def from_function(cls, _function: object, py_file: str) -> "_UserFolder | None":
        try:
            found = cls(py_file)
            cast(Any, found).ensure_cache_path()
        except (OSError, RuntimeError):  # there is no such folder, or no home
            return None
        return found


class _Files(caching.CompileResultCacheImpl):
    _locator_classes: Any = [caching.UserProvidedCacheLocator, _UserFolder, caching.InTreeCacheLocator]  # noqa: RUF012 - as in the base class


class _KernelCache(caching.FunctionCache):
    _impl_class = _Files


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
