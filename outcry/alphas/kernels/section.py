"""Scores of one frame made comparable: each kernel reads scores (n_frames, n_symbols) and writes as many.

A score that is not finite is not known: it is part of nothing, and NaN in the result. A frame depends on itself alone.
"""

import math

from outcry.compiled import kernel
from outcry.market.frame import FloatArray

FLAT = 1e-12
"""A deviation below this part of the largest score is rounding: the scores are equal."""


def standardise_frames(scores: FloatArray, out: FloatArray) -> None:
    """Write (x - mean)/std(ddof 1) over the known symbols; 0 where they are equal."""
    n_frames, n_symbols = scores.shape
    for t in range(n_frames):
        n, total, largest = 0, 0.0, 0.0
        for i in range(n_symbols):
            if math.isfinite(scores[t, i]):
                n += 1
                total += scores[t, i]
                largest = max(largest, abs(scores[t, i]))
        mean, squares = total / max(n, 1), 0.0
        for i in range(n_symbols):
            if math.isfinite(scores[t, i]):
                squares += (scores[t, i] - mean) * (scores[t, i] - mean)
        std = math.sqrt(squares / max(n - 1, 1))
        for i in range(n_symbols):
            if not math.isfinite(scores[t, i]):
                out[t, i] = math.nan
            else:
                out[t, i] = (scores[t, i] - mean) / std if std > FLAT * largest else 0.0


def rank_frames(scores: FloatArray, out: FloatArray) -> None:
    """Write (2 r - n - 1)/n over the n known symbols, r the rank from 1, equal scores with their mean rank."""
    n_frames, n_symbols = scores.shape
    for t in range(n_frames):
        n = 0
        for i in range(n_symbols):
            n += math.isfinite(scores[t, i])
        for i in range(n_symbols):
            x, below, equal = scores[t, i], 0, 0
            if not math.isfinite(x):
                out[t, i] = math.nan
                continue
            for j in range(n_symbols):
                below += math.isfinite(scores[t, j]) and scores[t, j] < x
                equal += scores[t, j] == x
            out[t, i] = (2 * below + equal - n) / n  # r = below + (equal + 1)/2


def winsorise_frames(scores: FloatArray, tail_frac: float, ordered: FloatArray, out: FloatArray) -> None:
    """Write scores held between their quantiles tail_frac and 1 - tail_frac; `ordered` is scratch, (n_symbols,)."""
    n_frames, n_symbols = scores.shape
    for t in range(n_frames):
        n = 0
        for i in range(n_symbols):
            if math.isfinite(scores[t, i]):
                insert_ordered(ordered, n, scores[t, i])
                n += 1
        low, high = quantile(ordered, n, tail_frac), quantile(ordered, n, 1.0 - tail_frac)
        for i in range(n_symbols):
            out[t, i] = min(max(scores[t, i], low), high) if math.isfinite(scores[t, i]) else math.nan


@kernel
def insert_ordered(ordered: FloatArray, n: int, value: float) -> None:
    """Insert a value into the first n of an array, which ascend."""
    place = n
    while place > 0 and ordered[place - 1] > value:
        ordered[place] = ordered[place - 1]
        place -= 1
    ordered[place] = value


@kernel
def quantile(ordered: FloatArray, n: int, frac: float) -> float:
    """Return a quantile of n ascending values, on the line between two of them (Hyndman and Fan, 1996, type 7)."""
    if n == 0:
        return math.nan
    place = frac * (n - 1)
    below = int(place)
    above = min(below + 1, n - 1)
    found: float = ordered[below] + (place - below) * (ordered[above] - ordered[below])
    return found
