"""How a family advances: one compiled loop, for a live frame and for a replay of thousands.

Every family is compiled by itself. Its indicators come in as a table, so a set of other windows is other data and the
same machine code. Symbols are independent: a row of any array depends on the bars of its own symbol only, so a shard
computes what the whole universe would.

A row of the table (int64): `OPCODE`, `SLOTS_FROM`, `SLOTS_TO` (the state of the indicator), `OUT_FROM`, `OUT_TO` (its
columns), then its windows, then the places of its inputs among all columns.
"""

from collections.abc import Callable

from outcry.compiled import with_globals
from outcry.market.frame import BoolArray, FloatArray, IntArray

BLOCK_BARS = 64
"""In a replay an indicator runs over so many bars of a symbol, then the next one does: their columns stay near."""
BLOCK_SYMBOLS = 16
"""Live it runs over the bar of so many symbols: their histories stay near, and its branches are foreseen."""

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
    " i8, i8)"
)

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
        first_symbol: int,
        stop_symbol: int,
    ) -> None:
        len(key)
        n_frames = len(present)
        first, stop = table[0, OUT_FROM], table[-1, OUT_TO]
        n_together = BLOCK_SYMBOLS if n_frames == 1 else 1
        for i_from in range(first_symbol, stop_symbol, n_together):
            i_to = min(i_from + n_together, stop_symbol)
            n_before = 0
            for start in range(0, n_frames, BLOCK_BARS):
                n = min(n_frames - start, BLOCK_BARS)
                for c in range(len(table)):
                    call = table[c]
                    opcode, p, column, stop_column = call[OPCODE], call[PARAMS:], call[OUT_FROM], call[OUT_TO]
                    for i in range(i_from, i_to):
                        x, s, values = (
                            history[i],
                            state[i, call[SLOTS_FROM] : call[SLOTS_TO]],
                            last[i, column:stop_column],
                        )
                        k, end = counts[i] + n_before, ends[i] + n_before
                        for t in range(n):
                            if present[start + t, i]:
                                k += 1
                                end += 1
                                step(opcode, k, end, x, clock[start + t], out[start + t, i], s, values, p)  # noqa: F821
                            if n > 1:
                                kept = work[t, column - first : stop_column - first]
                                for j in range(len(kept)):
                                    kept[j] = values[j]
                for i in range(i_from, i_to):
                    for t in range(n):
                        of_family = out[start + t, i, first:stop]
                        kept = work[t, : stop - first] if n > 1 else last[i, first:stop]
                        for j in range(len(of_family)):
                            of_family[j] = kept[j]
                        n_before += present[start + t, i]

    return with_globals(advance, f"advance_{name}", step=family_step)
