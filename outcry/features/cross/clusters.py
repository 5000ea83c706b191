"""Clusters of symbols that move together.

Average linkage of ``1 - rho`` by chains of nearest neighbours (F. Murtagh, A Survey of Recent Advances in Hierarchical
Clustering Algorithms, 1983), cut at a height. Average linkage is reducible: a merger brings no cluster closer to
another. So a cluster whose nearest neighbour is beyond the cut is final, and the tree above the cut is never built.
"""

from outcry.compiled import kernel
from outcry.features.cross.rings import OWN
from outcry.market.frame import FloatArray, IntArray

CUT = 0.5
_ABSENT, _OPEN, _FINAL = range(3)


@kernel
def write_clusters(  # noqa: PLR0917 - compiled code takes arrays, not objects
    history: IntArray, window: int, rho: FloatArray, distance: FloatArray, whole: IntArray, out: FloatArray
) -> None:
    """Write share of the universe, mean correlation within, and rank by size of the cluster of each symbol.

    Parameters
    ----------
    rho : float64 (n_symbols, n_symbols)
        The diagonal is 0.
    distance : float64 (n_symbols, n_symbols)
        Scratch.
    whole : int64 (4, n_symbols)
        Scratch.
    out : float64 (3, n_symbols)
    """
    n, known = len(rho), 0
    state, size, cluster, chain = whole[0], whole[1], whole[2], whole[3]
    for i in range(n):
        state[i] = _OPEN if history[OWN, i] > window else _ABSENT
        known += history[OWN, i] > window
        size[i], cluster[i] = 1, i
        for j in range(n):
            distance[i, j] = 1.0 - rho[i, j]
    _link(distance, state, size, cluster, chain)
    for i in range(n):
        cluster[i] = _head(cluster, i)
    for i in range(n):
        if history[OWN, i] > window:
            mine, inside, larger = size[cluster[i]], 0.0, 0
            for j in range(n):
                if cluster[j] == cluster[i]:
                    inside += rho[i, j]
                if cluster[j] == j and state[j] != _ABSENT and size[j] > mine:
                    larger += 1
            out[0, i] = mine / known
            out[1, i] = min(max(inside / (mine - 1.0), -1.0), 1.0) if mine > 1 else 0.0
            out[2, i] = 1.0 + larger


@kernel
def _link(distance: FloatArray, state: IntArray, size: IntArray, cluster: IntArray, chain: IntArray) -> None:
    """Merge up to the cut; `cluster` then points from a member towards the head of its cluster."""
    start = length = 0
    while True:
        if length == 0:
            while start < len(state) and state[start] != _OPEN:
                start += 1
            if start == len(state):
                return
            chain[0], length = start, 1
        tip = chain[length - 1]
        nearest = _nearest(distance, state, tip, chain[length - 2] if length > 1 else -1)
        if nearest < 0:  # and `tip` stands alone in the chain, whose links are all within the cut
            state[tip], length = _FINAL, 0
        elif length > 1 and nearest == chain[length - 2]:
            _merge(distance, state, size, tip, nearest)
            cluster[tip] = nearest
            state[tip] = _ABSENT
            length -= 2
        else:
            chain[length] = nearest
            length += 1


@kernel
def _nearest(distance: FloatArray, state: IntArray, tip: int, previous: int) -> int:
    """Return the open cluster nearest to `tip` within the cut, or -1; of equals the previous link, then the first."""
    row, best, nearest = distance[tip], CUT, -1
    if previous >= 0:
        best, nearest = row[previous], previous
    for j in range(len(row)):
        if state[j] == _OPEN and j != tip and (row[j] < best or (nearest < 0 and row[j] <= best)):
            best, nearest = row[j], j
    return nearest


@kernel
def _merge(distance: FloatArray, state: IntArray, size: IntArray, tip: int, into: int) -> None:
    """Add the cluster `tip` to `into` (G. Lance, W. Williams, 1967: the mean over all pairs of members)."""
    a, b = size[tip], size[into]
    for j in range(len(state)):
        if state[j] == _OPEN and j not in (tip, into):
            mean = (a * distance[tip, j] + b * distance[into, j]) / (a + b)
            distance[into, j] = distance[j, into] = mean
    size[into] = a + b


@kernel
def _head(cluster: IntArray, i: int) -> int:
    while cluster[i] != i:
        i = cluster[i]
    return i
