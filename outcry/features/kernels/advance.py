"""How a family advances: one compiled loop, for a live frame and for a replay of thousands.

Every family is compiled by itself. Its indicators come in as a table, so a set of other windows is other data and the
same machine code. Symbols are independent: a row of any array depends on the bars of its own symbol only, so a shard
computes what the whole universe would.

A row of the table (int64): `OPCODE`, `SLOTS_FROM`, `SLOTS_TO` (the state of the indicator), `OUT_FROM`, `OUT_TO` (its
columns), then its windows, then the places of its inputs among all columns.
"""

from collections.abc import Callable

import numpy as np

from outcry.compiled import inlined_kernel, with_globals
from outcry.features.kernels.prefetch import LINE_VALUES, prefetch
from outcry.market.frame import BoolArray, FloatArray, IntArray

BLOCK_BARS = 64
"""In a replay an indicator runs over so many bars of a symbol, then the next one does: their columns stay near."""
BLOCK_SYMBOLS = 16
"""Live it runs over the bar of so many symbols: their histories stay near, and its branches are foreseen. Meanwhile
what it will read of the next ones is fetched."""
_FETCHED_BARS = 32  # longer windows are running sums for the most part

OPCODE, SLOTS_FROM, SLOTS_TO, OUT_FROM, OUT_TO, PARAMS = range(6)

Step = Callable[[int, int, int, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, IntArray], None]
"""``step(opcode, k, end, history, clock, row, state, out, params)``: advance one indicator by the k-th bar of a symbol.

Parameters
----------
opcode : int
k : int
    Number of the bar, from 1.
end : int
    Where it stands in the history.
history : float64 (HISTORY_ROWS, n)
clock : float64 (CLOCK_SLOTS,)
    Of the frame.
row : float64 (n_columns,)
    All columns of the symbol; those of families before this one are of this bar.
state : float64 (n_slots,)
    Of the indicator.
out : float64 (n,)
    Its columns; they keep the values of the bar before unless written.
params : int64 (n,)
"""

SIGNATURE = (
    "void(i8[:,::1], i8[::1], i8[::1], f8[:,:,::1], f8[:,::1], f8[:,::1], f8[:,::1], b1[:,::1], f8[:,:,::1], f8[:,::1],"
    " b1[::1], i8, i8)"
)

CHOOSE_SIGNATURE = "void(f8[:,:,::1], i8[::1], i8, i8, f8[:,:,::1])"

Advance = Callable[..., None]
step: Step  # the kernel that `build_advance` binds


def build_advance(name: str, family_step: Step, version: str) -> Advance:
    """Return the loop of a family, to be compiled with `SIGNATURE`.

    Parameters
    ----------
    name : str
        Of the family.
    family_step : callable
        Its compiled kernel.
    version : str
        Names the text of all kernels. Numba looks only at the file of a cached function to see whether it is current;
        as a closure variable, the version makes an edit of any kernel part of the key.
    """
    key = f"{name} {version}"

    def advance(
        table: IntArray,
        counts: IntArray,
        ends: IntArray,
        history: FloatArray,
        state: FloatArray,
        last: FloatArray,
        clock: FloatArray,
        present: BoolArray,
        out: FloatArray,
        work: FloatArray,
        rows: BoolArray,
        first_symbol: int,
        stop_symbol: int,
    ) -> None:
        len(key)
        n_frames = len(present)
        first, stop = table[0, OUT_FROM], table[-1, OUT_TO]
        is_live = n_frames == 1
        n_together = BLOCK_SYMBOLS if is_live else 1
        for i_from in range(first_symbol, stop_symbol, n_together):
            i_to = min(i_from + n_together, stop_symbol)
            if is_live:
                for i in range(i_to, min(i_to + n_together, stop_symbol)):
                    _fetch(ends[i] + 1, i, history[i], state, last, rows, first, stop)
            n_before = 0
            for start in range(0, n_frames, BLOCK_BARS):
                n = i_to - i_from if is_live else min(n_frames - start, BLOCK_BARS)
                for c in range(len(table)):
                    call = table[c]
                    opcode, p, column, stop_column = call[OPCODE], call[PARAMS:], call[OUT_FROM], call[OUT_TO]
                    slots_from, slots_to = call[SLOTS_FROM], call[SLOTS_TO]
                    i, x = i_from, history[i_from]
                    s, values = state[i, slots_from:slots_to], last[i, column:stop_column]
                    k, end = counts[i] + n_before, ends[i] + n_before
                    # Over the symbols of a frame, or the frames of a symbol: one loop, as the step is compiled into it.
                    for m in range(n):
                        t = start
                        if is_live:
                            i, x = i_from + m, history[i_from + m]
                            s, values = state[i, slots_from:slots_to], last[i, column:stop_column]
                            k, end = counts[i], ends[i]
                        else:
                            t += m
                        if present[t, i]:
                            k += 1
                            end += 1
                            step(opcode, k, end, x, clock[t], out[t, i], s, values, p)  # noqa: F821
                        if not is_live:
                            _copy(values, work[m, column - first : stop_column - first])
                for i in range(i_from, i_to):
                    for t in range(1 if is_live else n):
                        of_family = out[start + t, i, first:stop]
                        kept = last[i, first:stop] if is_live else work[t, : stop - first]
                        for j in range(len(of_family)):
                            of_family[j] = kept[j]
                        n_before += present[start + t, i]

    return with_globals(advance, f"advance_{name}", step=family_step)


def write_chosen(computed: FloatArray, chosen: IntArray, first_symbol: int, stop_symbol: int, out: FloatArray) -> None:
    """Copy the chosen columns of some symbols, for as many frames as `out` has.

    Parameters
    ----------
    computed : float64 (n, n_symbols, n_columns)
        At least as many frames.
    chosen : int64 (n_chosen,)
    first_symbol, stop_symbol : int
    out : float64 (n_frames, n_symbols, n_chosen)
    """
    for t in range(len(out)):
        rows, targets = computed[t, first_symbol:stop_symbol], out[t, first_symbol:stop_symbol]
        for i in range(len(rows)):
            row, target = rows[i], targets[i]
            for j in range(len(target)):
                target[j] = row[np.uintp(chosen[j])]


@inlined_kernel
def _copy(values: FloatArray, target: FloatArray) -> None:
    """Copy a few values, one by one: what was just written by itself is not yet there to be read with its neighbour."""
    n = len(target)
    if n > 0:
        target[0] = values[0]
    if n > 1:
        target[1] = values[1]
    if n > 2:
        target[2] = values[2]
    for j in range(3, n):
        target[j] = values[j]


@inlined_kernel
def _fetch(
    end: int, i: int, x: FloatArray, state: FloatArray, last: FloatArray, rows: BoolArray, first: int, stop: int
) -> None:
    """Fetch what a family reads of symbol `i`: its state, its columns, and the newest bars of its rows."""
    for slot in range(0, state.shape[1], LINE_VALUES):
        prefetch(state, i, slot)
    for column in range(first, stop, LINE_VALUES):
        prefetch(last, i, column)
    for row in range(len(x)):
        if rows[row]:
            for j in range(0, _FETCHED_BARS, LINE_VALUES):
                prefetch(x, row, end - j)
