"""Ask for memory before it is needed, so that a kernel does not wait for it."""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from outcry.market.frame import FloatArray

LINE_VALUES = 8
"""float64 values in a cache line."""
_READ, _INTO_ALL_CACHES, _DATA = 0, 3, 1  # as LLVM's reference manual numbers them


def _prefetch(typing_context: Any, array: Any, row: Any, column: Any) -> Any:
    """Fetch the cache line of ``array[row, column]``, which need not exist: nothing is read that could fail.

    References
    ----------
    LLVM Language Reference Manual, ``llvm.prefetch``.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, build = signature.args[0], cast(Any, cgutils)
        view = context.make_array(kind)(context, builder, arguments[0])
        place = build.get_item_pointer(context, builder, kind, view, list(arguments[1:]), wraparound=False)
        address, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        takes = ir.FunctionType(ir.VoidType(), [address, number, number, number])
        fetch = build.get_or_insert_function(builder.module, takes, "llvm.prefetch.p0i8")
        how = [number(word) for word in (_READ, _INTO_ALL_CACHES, _DATA)]
        builder.call(fetch, [builder.bitcast(place, address), *how])
        return context.get_dummy_value()

    return types.void(array, row, column), generate


prefetch: Callable[[FloatArray, int, int], None] = cast(Any, intrinsic)(_prefetch)
