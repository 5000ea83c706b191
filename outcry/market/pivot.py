"""From a table of bars to frames."""

import numpy as np

from outcry.errors import DataValidationError
from outcry.market.frame import BAR_FIELDS, TAPE_FIELDS, FloatArray, FrameTensor, IntArray


def pivot_bars(
    codes: IntArray, ts_close_ns: IntArray, columns: dict[str, FloatArray], symbols: tuple[str, ...]
) -> FrameTensor:
    """Arrange bars as frames: one row an instant at which any symbol has a bar.

    Parameters
    ----------
    codes : int64 (n_bars,)
        Position of the symbol of each bar in `symbols`.
    ts_close_ns : int64 (n_bars,)
        Closing instants, nanoseconds UTC, in any order.
    columns : dict of str to float64 (n_bars,)
        ``open high low close volume vwap``, and those of `TAPE_FIELDS` that the source has; NaN where not known.
    symbols : tuple of str
        The columns of the result.

    Returns
    -------
    FrameTensor
        (n_instants, n_symbols), `first_seq` 0; NaN and ``present`` False where a symbol has no bar. Nothing is filled.
        ``tape`` is None where nothing of it is known of any bar.

    Raises
    ------
    DataValidationError
        Where a symbol has two bars that close at one instant.
    """
    instants, rows = np.unique(ts_close_ns, return_inverse=True)
    shape = (len(instants), len(symbols))
    cells = rows * shape[1] + codes
    present = np.zeros(shape, dtype=np.bool_)
    present.reshape(-1)[cells] = True
    if np.count_nonzero(present) != len(cells):
        taken, counts = np.unique(cells, return_counts=True)
        row, column = divmod(int(taken[np.argmax(counts > 1)]), shape[1])
        raise DataValidationError(
            f"a symbol must have one bar an instant, {symbols[column]} has two that close at "
            f"{instants[row].astype('datetime64[ns]')}"
        )
    arrays = {}
    for name in BAR_FIELDS:
        values = np.full(shape, np.nan)
        values.reshape(-1)[cells] = columns[name]
        arrays[name] = values
    tape = _pivot_tape(cells, columns, shape)
    return FrameTensor(first_seq=0, ts_close_ns=instants.astype(np.int64), present=present, tape=tape, **arrays)


def _pivot_tape(cells: IntArray, columns: dict[str, FloatArray], shape: tuple[int, int]) -> FloatArray | None:
    """Return (n_instants, n_symbols, 6), or None where no column knows anything."""
    known = {name: columns[name] for name in TAPE_FIELDS if name in columns and not np.isnan(columns[name]).all()}
    if not known:
        return None
    tape = np.full((*shape, len(TAPE_FIELDS)), np.nan)
    for name, values in known.items():
        tape.reshape(-1, len(TAPE_FIELDS))[cells, TAPE_FIELDS.index(name)] = values
    return tape
