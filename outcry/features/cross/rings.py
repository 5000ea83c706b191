"""The last frames of the universe, and the series that symbols are compared with.

State (n_frames is the length of the rings; the frame of number k, from 1, stands at ``(k - 1) % n_frames``)

==================  =========================  ==================================================  ==============
array               shape                      meaning                                             unit
==================  =========================  ==================================================  ==============
history[OWN]        (n_symbols,)               frames since the first bar; 0 before it             frames
history[OF_PEERS]   (n_symbols,)               frames with a return of the peers                   frames
rings[CLOSE]        (n_frames, n_symbols)      last close                                          price
rings[VOLUME]       (n_frames, n_symbols)      volume; 0 without a bar                             shares
rings[RETURN]       (n_frames, n_symbols)      ln(close/close[1]); 0 without a bar and on the      ratio
                                               first
rings[PEERS]        (n_frames, n_symbols)      mean return of the other members of the sector;     ratio
                                               that of the market where there are none
references          (n_frames, n_references)   return of the market and of the proxies             ratio
reference_history   (n_references,)            frames since each is known                          frames
==================  =========================  ==================================================  ==============
"""

import math

from outcry.compiled import kernel
from outcry.market.frame import BoolArray, FloatArray, IntArray

OWN, OF_PEERS = range(2)
CLOSE, VOLUME, RETURN, PEERS = range(4)
MARKET = 0
FLAT = 1e-18
"""A sum of squared deviations of returns up to this is rounding: one move of 1e-9 is more."""


Past = tuple[IntArray, FloatArray, FloatArray, IntArray]
"""history, rings, references, reference_history."""


@kernel
def place(k: int, n_frames: int) -> int:
    """Return where the k-th frame stands."""
    return (k - 1) % n_frames


@kernel
def earlier(at: int, lag: int, n_frames: int) -> int:
    """Return where the frame `lag` < n_frames before that at `at` stands."""
    return at - lag if at >= lag else at - lag + n_frames


@kernel
def push_bars(  # noqa: PLR0917 - compiled code takes arrays, not objects
    k: int, close: FloatArray, volume: FloatArray, present: BoolArray, history: IntArray, rings: FloatArray
) -> None:
    """Write the k-th frame; a symbol without a bar keeps its close."""
    n_frames, n_symbols = rings.shape[1], rings.shape[2]
    new = place(k, n_frames)
    old = earlier(new, 1, n_frames)
    for i in range(n_symbols):
        last = rings[CLOSE, old, i]
        rings[CLOSE, new, i] = close[i] if present[i] else last
        rings[VOLUME, new, i] = volume[i] if present[i] else 0.0
        rings[RETURN, new, i] = math.log(close[i] / last) if present[i] and history[OWN, i] > 0 else 0.0
        if present[i] or history[OWN, i] > 0:
            history[OWN, i] += 1


@kernel
def push_references(k: int, columns: IntArray, past: Past) -> None:
    """Write the returns of the market and the proxies, and since when each is known.

    The market without a column is the mean return of the symbols that have one.
    """
    history, rings, references, reference_history = past
    new = place(k, references.shape[0])
    returns = rings[RETURN, new]
    for r in range(len(columns)):
        if columns[r] >= 0:
            references[new, r] = returns[columns[r]]
            reference_history[r] = history[OWN, columns[r]]
            continue
        total, known, oldest = 0.0, 0, 0
        for i in range(len(returns)):
            oldest = max(oldest, history[OWN, i])
            if history[OWN, i] > 1:
                total += returns[i]
                known += 1
        references[new, r] = total / known if known > 0 else 0.0
        reference_history[r] = oldest


@kernel
def push_peers(  # noqa: PLR0917 - compiled code takes arrays, not objects
    k: int,
    sectors: IntArray,
    history: IntArray,
    rings: FloatArray,
    market: float,
    is_market_known: bool,
    work: FloatArray,
) -> None:
    """Write the mean return of the other known members of each symbol's sector.

    Parameters
    ----------
    sectors : int64 (n_symbols,)
        -1 where unknown: the peers are then the market.
    market : float
        Its return of this frame.
    work : float64 (>= 2, n_symbols)
        Scratch.
    """
    new = place(k, rings.shape[1])
    returns, peers, totals, members = rings[RETURN, new], rings[PEERS, new], work[0], work[1]
    for g in range(len(totals)):
        totals[g] = members[g] = 0.0
    for i in range(len(returns)):
        if sectors[i] >= 0 and history[OWN, i] > 1:
            totals[sectors[i]] += returns[i]
            members[sectors[i]] += 1.0
    for i in range(len(returns)):
        total, others = 0.0, 0.0
        if sectors[i] >= 0:
            total, others = totals[sectors[i]], members[sectors[i]]
            if history[OWN, i] > 1:
                total, others = total - returns[i], others - 1.0
        if others == 0.0:
            total, others = market, 1.0 if is_market_known else 0.0
        peers[i] = total / others if others > 0.0 else 0.0
        if others > 0.0 or history[OF_PEERS, i] > 0:
            history[OF_PEERS, i] += 1
