"""The limits on exposure: how much further a symbol may go in one direction.

A limit is asked about new risk only: what reduces a position is never put to it. Each has a threshold, the largest
measure allowed; a measure, what it would be after a trade; and room, the value that may still trade.

| limit | measure | threshold |
|---|---|---|
| `DRAWDOWN` | abs(value) of the symbol, of equity | scaled target weight; scaled limit of a position without one |
| `POSITION_LIMIT` | abs(value) of the symbol, of equity | ``max_position_frac`` |
| `GROSS_LIMIT` | Σ abs(value), of equity | ``max_gross_frac`` |
| `NET_LIMIT` | abs(Σ value), of equity | ``max_net_frac`` |
| `COUNT_LIMIT` | symbols held or on their way | ``max_positions`` |
| `SECTOR_LIMIT` | Σ abs(value) of the sector, of equity | that of the sector |
| `KILL_SWITCH` and later | what blocks all new risk measured | what it reached |

The cap of a drawdown follows the target, not the position: a step of the ladder reduces once and does not shrink a
position frame by frame.
"""

import math

from outcry.compiled import inlined_kernel, kernel
from outcry.market.frame import FloatArray, IntArray
from outcry.risk.kernels.exposure import Book, Exposure, value_of
from outcry.risk.kernels.layout import (
    COUNT_LIMIT,
    DRAWDOWN,
    GROSS_LIMIT,
    KILL_SWITCH,
    LOT_SHARES,
    MAX_GROSS_FRAC,
    MAX_NET_FRAC,
    MAX_POSITION_FRAC,
    MAX_POSITIONS,
    NET_LIMIT,
    POSITION_LIMIT,
    SECTOR_LIMIT,
    T_BLOCK_THRESHOLD,
    T_BLOCK_VALUE,
    T_EQUITY,
    T_EXPOSURE_FRAC,
    T_GROSS,
    T_NET,
    T_POSITIONS,
)

Rules = tuple[FloatArray, FloatArray, IntArray, FloatArray]
"""Config (N_CONFIG,); ladder (n_steps, 2), drawdown and exposure; position of the sector of each symbol (n,); largest
part of equity in each sector (n_sectors,)."""


@kernel
def threshold(limit: int, i: int, rules: Rules, book: Book, exposure: Exposure) -> float:
    """Return the largest measure that `limit` allows for symbol `i`."""
    config, _, sector, sector_max = rules
    largest: float = exposure[0][T_BLOCK_THRESHOLD]
    if limit == DRAWDOWN:
        target = book[3][i]
        wanted = config[MAX_POSITION_FRAC] if math.isnan(target) else abs(target)
        largest = exposure[0][T_EXPOSURE_FRAC] * wanted
    elif limit == POSITION_LIMIT:
        largest = config[MAX_POSITION_FRAC]
    elif limit == GROSS_LIMIT:
        largest = config[MAX_GROSS_FRAC]
    elif limit == NET_LIMIT:
        largest = config[MAX_NET_FRAC]
    elif limit == COUNT_LIMIT:
        largest = config[MAX_POSITIONS]
    elif limit == SECTOR_LIMIT:
        largest = sector_max[sector[i]]
    return largest


@kernel
def measure(limit: int, i: int, signed: float, rules: Rules, book: Book, exposure: Exposure) -> float:
    """Return what `limit` measures after trading the value `signed`, account currency, of symbol `i`."""
    totals, lots, _, sector_gross = exposure
    before = value_of(lots[i], rules[0][LOT_SHARES], book[2][i])
    after = abs(before + signed)
    measured: float = totals[T_BLOCK_VALUE]
    if limit == COUNT_LIMIT:
        measured = totals[T_POSITIONS] + (lots[i] == 0 and signed != 0)
    elif limit == GROSS_LIMIT:
        measured = (totals[T_GROSS] + after - abs(before)) / totals[T_EQUITY]
    elif limit == NET_LIMIT:
        measured = abs(totals[T_NET] + signed) / totals[T_EQUITY]
    elif limit == SECTOR_LIMIT:
        measured = (sector_gross[rules[2][i]] + after - abs(before)) / totals[T_EQUITY]
    elif limit < KILL_SWITCH:
        measured = after / totals[T_EQUITY]
    return measured


@inlined_kernel
def room(limit: int, i: int, sign: int, rules: Rules, book: Book, exposure: Exposure) -> float:
    """Return the largest value, account currency, that may still trade in direction `sign`; at most 0 where none.

    Where positions are summed without their sign, closing gives back what it frees.
    """
    totals, lots, _, sector_gross = exposure
    largest = threshold(limit, i, rules, book, exposure)
    value = value_of(lots[i], rules[0][LOT_SHARES], book[2][i])
    freed = 2 * max(-sign * value, 0.0)
    left: float = 0.0
    if limit == COUNT_LIMIT:
        left = math.inf if lots[i] != 0 or totals[T_POSITIONS] < largest else 0.0
    elif limit == GROSS_LIMIT:
        left = largest * totals[T_EQUITY] - totals[T_GROSS] + freed
    elif limit == NET_LIMIT:
        left = largest * totals[T_EQUITY] - sign * totals[T_NET]
    elif limit == SECTOR_LIMIT:
        left = largest * totals[T_EQUITY] - sector_gross[rules[2][i]] + freed
    elif limit < KILL_SWITCH:
        left = largest * totals[T_EQUITY] - sign * value
    return left
