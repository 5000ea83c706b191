"""Partial correlations from a shrunk precision matrix, in the dimension of the frames.

The correlation matrix Z'Z (n, n) is shrunk to ``S = (1 - d) Z'Z + d I``, d the intensity of Ledoit and Wolf (2004),
which is positive definite. Its inverse is, by Woodbury, ``P = (I - (1 - d) Z' M^-1 Z)/d`` with
``M = (1 - d) ZZ' + d I`` (T, T): with ``M = LL'`` and ``y = L^-1 z`` only products of columns y are needed.
"""

import math

from outcry.compiled import kernel
from outcry.features.cross.rings import FLAT, OWN
from outcry.market.frame import FloatArray, IntArray

MIN_SHRINKAGE = 0.01


@kernel
def append_market(z: FloatArray, deviations: FloatArray, squares: float, gram: FloatArray) -> None:
    """Write a standardised series into the last column of Z, and add it to ZZ'."""
    last = z.shape[1] - 1
    scale = 1.0 / math.sqrt(squares) if squares > FLAT else 0.0
    for t in range(len(gram)):
        z[t, last] = deviations[t] * scale
    for t in range(len(gram)):
        for s in range(len(gram)):
            gram[t, s] += z[t, last] * z[s, last]


@kernel
def shrinkage(gram: FloatArray) -> float:
    """Return the intensity of Ledoit and Wolf for standardised returns, at least `MIN_SHRINKAGE`.

    With X = sqrt(T) Z, whose covariance is the correlation matrix of p variables:
    ``b = (T sum(ZZ'_tt^2) - |ZZ'|^2)/(T p)``, ``d = (|ZZ'|^2 - p)/p``, and the intensity is min(b, d)/d.
    """
    n = len(gram)
    p = norm = fourth = 0.0
    for t in range(n):
        p += gram[t, t]
        fourth += gram[t, t] * gram[t, t]
        for s in range(n):
            norm += gram[t, s] * gram[t, s]
    dispersion = norm - p
    noise = (n * fourth - norm) / n
    if noise >= dispersion:
        return 1.0
    return max(noise / dispersion, MIN_SHRINKAGE)


@kernel
def write_partial(  # noqa: PLR0917 - compiled code takes arrays, not objects
    history: IntArray,
    is_market_known: bool,
    z: FloatArray,
    gram: FloatArray,
    market: int,
    work: FloatArray,
    out: FloatArray,
) -> None:
    """Write the partial correlation of each symbol with the market given all others.

    Parameters
    ----------
    z : float64 (>= T, n_symbols + 1)
        Destroyed.
    gram : float64 (T, T)
        ZZ' over all columns; destroyed.
    market : int
        The column of Z that holds the market.
    work : float64 (>= 2, n_symbols)
        Scratch.
    out : float64 (n_symbols,)
        0 for a symbol, or where the market, does not move; 1 for the market itself.
    """
    window, n = len(gram), len(out)
    mixed, cross = work[0], work[1]
    d = shrinkage(gram)
    for t in range(window):
        for s in range(window):
            gram[t, s] = (1.0 - d) * gram[t, s] + (d if s == t else 0.0)
    _solve_lower(gram, z)
    own = 0.0
    for i in range(n):
        mixed[i] = cross[i] = 0.0
    for t in range(window):
        x, y = z[t], z[t, market]
        own += y * y
        for i in range(n):
            mixed[i] += x[i] * x[i]
            cross[i] += x[i] * y
    for i in range(n):
        if history[OWN, i] > window and is_market_known:
            left = (1.0 - (1.0 - d) * mixed[i]) * (1.0 - (1.0 - d) * own)
            partial = (1.0 - d) * cross[i] / math.sqrt(left)
            out[i] = 1.0 if i == market else min(max(partial, -1.0), 1.0)


@kernel
def _solve_lower(a: FloatArray, z: FloatArray) -> None:
    """Replace Z by ``L^-1 Z`` with ``a = LL'`` (A.-L. Cholesky); a is (T, T) and receives L in its lower half."""
    n = len(a)
    for t in range(n):
        for s in range(t + 1):
            total = a[t, s]
            for r in range(s):
                total -= a[t, r] * a[s, r]
            a[t, s] = math.sqrt(total) if s == t else total / a[s, s]
    for t in range(n):
        x = z[t]
        for s in range(t):
            y, factor = z[s], a[t, s]
            for i in range(len(x)):
                x[i] -= factor * y[i]
        for i in range(len(x)):
            x[i] /= a[t, t]
