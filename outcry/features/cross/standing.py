"""Where a symbol stands among the others: relative strength and volume, rank, standard score, distance, outliers."""

import math

from outcry.compiled import kernel
from outcry.features.cross.order import middle, sort_ascending
from outcry.features.cross.rings import CLOSE, FLAT, MARKET, OF_PEERS, OWN, PEERS, VOLUME, Past, earlier, place
from outcry.features.cross.sums import sum_rows
from outcry.features.kernels.sorted_window import count_below, count_up_to, median_deviation
from outcry.market.frame import BoolArray, FloatArray, IntArray

_MAX_DEVIATIONS = 50.0


@kernel
def write_relative(  # noqa: PLR0917 - compiled code takes arrays, not objects
    k: int, past: Past, strength: IntArray, excess: IntArray, work: FloatArray, out: FloatArray
) -> None:
    """Write relative strength and excess return; out is (2 n_strength + n_excess, n_symbols)."""
    history, rings, references, reference_history = past
    n_frames = rings.shape[1]
    at = place(k, n_frames)
    now, peers, known = rings[CLOSE, at], work[0], reference_history[MARKET]
    n = len(strength)
    for j in range(n):
        w = strength[j]
        before = rings[CLOSE, earlier(at, w, n_frames)]
        sum_rows(rings[PEERS], at, w, peers)
        market = math.exp(_sum_market(references, at, w))
        for i in range(len(now)):
            if history[OWN, i] > w and known > w:
                out[j, i] = now[i] / before[i] / market - 1.0
            if history[OWN, i] > w and history[OF_PEERS, i] >= w:
                out[n + j, i] = now[i] / before[i] / math.exp(peers[i]) - 1.0
    for j in range(len(excess)):
        w = excess[j]
        before = rings[CLOSE, earlier(at, w, n_frames)]
        market = math.exp(_sum_market(references, at, w))
        for i in range(len(now)):
            if history[OWN, i] > w and known > w:
                out[2 * n + j, i] = now[i] / before[i] - market


@kernel
def _sum_market(references: FloatArray, at: int, window: int) -> float:
    total = 0.0
    for _ in range(window):
        total += references[at, MARKET]
        at = at - 1 if at > 0 else references.shape[0] - 1
    return total


@kernel
def write_volume(  # noqa: PLR0917 - compiled code takes arrays, not objects
    k: int, past: Past, present: BoolArray, window: int, work: FloatArray, out: FloatArray
) -> None:
    """Write the relative volume over the median of those with a bar; out is (n_symbols,)."""
    history, rings = past[0], past[1]
    at = place(k, rings.shape[1])
    sum_rows(rings[VOLUME], at, window, work[0])
    m = _collect_volumes(history, present, rings[VOLUME, at], window, work)
    if m == 0:
        return
    relative, order = work[0], work[1]
    sort_ascending(order, m)
    median = middle(order, m)
    for i in range(len(out)):
        if present[i] and history[OWN, i] >= window:
            out[i] = relative[i] / median if median > 0.0 else 1.0


@kernel
def _collect_volumes(history: IntArray, present: BoolArray, volume: FloatArray, window: int, work: FloatArray) -> int:
    """Replace the sums in work[0] by relative volumes, copy those that are defined to work[1], and count them."""
    m = 0
    for i in range(len(volume)):
        if present[i] and history[OWN, i] >= window:
            work[0, i] = volume[i] * window / work[0, i] if work[0, i] > 0.0 else 1.0
            work[1, m] = work[0, i]
            m += 1
    return m


@kernel
def write_standing(k: int, past: Past, windows: IntArray, work: FloatArray, out: FloatArray) -> None:
    """Write rank, standard score, distance and outlier score of the return over each window.

    Parameters
    ----------
    out : float64 (4 n_windows, n_symbols)
    """
    history, close = past[0], past[1][CLOSE]
    n, at = len(windows), place(k, close.shape[0])
    returns, order = work[0], work[1]
    for j in range(n):
        w = windows[j]
        m = collect_returns(history, w, close[at], close[earlier(at, w, close.shape[0])], work)
        if m == 0:
            continue
        sort_ascending(order, m)
        mean = _mean(order, m)
        deviation = _deviation(order, m, mean)
        median = middle(order, m)
        spread = median_deviation(order, m, median)
        for i in range(len(returns)):
            if history[OWN, i] > w:
                r = returns[i]
                out[j, i] = (count_below(order, m, r) + count_up_to(order, m, r) + 1) / (2.0 * m)
                out[n + j, i] = (r - mean) / deviation if deviation > 0.0 else 0.0
                out[2 * n + j, i] = r - median
                score = 0.6745 * (r - median) / spread if spread > 1e-12 else 0.0
                out[3 * n + j, i] = min(max(score, -_MAX_DEVIATIONS), _MAX_DEVIATIONS)


@kernel
def collect_returns(history: IntArray, window: int, now: FloatArray, before: FloatArray, work: FloatArray) -> int:
    """Write the returns of the symbols known over the window to work[0], all of them side by side to work[1]; count."""
    m = 0
    for i in range(len(now)):
        if history[OWN, i] > window:
            work[0, i] = now[i] / before[i] - 1.0
            work[1, m] = work[0, i]
            m += 1
    return m


@kernel
def _mean(x: FloatArray, m: int) -> float:
    total = 0.0
    for i in range(m):
        total += x[i]
    return total / m


@kernel
def _deviation(x: FloatArray, m: int, mean: float) -> float:
    """Return the standard deviation of the first m values; 0 where they are equal."""
    squares = 0.0
    for i in range(m):
        squares += (x[i] - mean) * (x[i] - mean)
    return math.sqrt(squares / (m - 1.0)) if squares > FLAT else 0.0
