"""The network of correlations: links, centrality, and the company of symbols in distress."""

from outcry.compiled import kernel
from outcry.features.cross.order import sort_ascending
from outcry.features.cross.rings import OWN
from outcry.features.cross.standing import collect_returns
from outcry.features.kernels.sorted_window import sorted_quantile
from outcry.market.frame import FloatArray, IntArray

LINK = 0.5
STRESS_FRAMES = 5
STRESS_SHARE = 0.1
_MAX_ITERATIONS = 100


@kernel
def multiply_columns(z: FloatArray, window: int, rho: FloatArray) -> None:
    """Write the correlations Z'Z (n, n) of standardised returns (>= window, >= n), with zeros on the diagonal."""
    n = len(rho)
    for i in range(0, n, 2):  # two rows at a time; an odd last row has a diagonal only
        a = rho[i]
        b = rho[min(i + 1, n - 1)]
        for j in range(i, n):
            a[j] = b[j] = 0.0
        for t in range(window):
            x, u, v = z[t], z[t, i], z[t, min(i + 1, n - 1)]
            for j in range(i, n):
                a[j] += u * x[j]
                b[j] += v * x[j]
    for i in range(n):
        rho[i, i] = 0.0
        for j in range(i):
            rho[i, j] = rho[j, i]


@kernel
def write_links(  # noqa: PLR0917 - compiled code takes arrays, not objects
    history: IntArray, window: int, rho: FloatArray, links: FloatArray, work: FloatArray, out: FloatArray
) -> None:
    """Write the share of others that a symbol is linked to, and its eigenvector centrality.

    Parameters
    ----------
    links : float64 (n_symbols, n_symbols)
        Scratch.
    out : float64 (2, n_symbols)
    """
    n, known = len(rho), 0
    x = work[0]
    for i in range(n):
        known += history[OWN, i] > window
        degree = 0.0
        for j in range(n):
            links[i, j] = 1.0 if abs(rho[i, j]) > LINK else 0.0
            degree += links[i, j]
        x[i] = degree
    for i in range(n):
        if history[OWN, i] > window:
            out[0, i] = x[i] / (known - 1.0) if known > 1 else 0.0
        x[i] = 1.0 if x[i] > 0.0 else 0.0
    _iterate(links, x, work[1])
    for i in range(n):
        if history[OWN, i] > window:
            out[1, i] = x[i]


@kernel
def _iterate(links: FloatArray, x: FloatArray, y: FloatArray) -> None:
    """Bring x to the first eigenvector of the links, largest entry 1: power iterations on ``links + I``.

    The identity keeps a network of two sides from swinging for ever. Components without the largest eigenvalue fade.
    """
    n = len(x)
    for _ in range(_MAX_ITERATIONS):
        for i in range(n):
            y[i] = x[i]
        for i in range(n):
            if x[i] > 0.0:
                row, weight = links[i], x[i]
                for j in range(n):
                    y[j] += weight * row[j]
        largest = change = 0.0
        for i in range(n):
            largest = max(largest, y[i])
        if largest == 0.0:
            return
        for i in range(n):
            change = max(change, abs(y[i] / largest - x[i]))
            x[i] = y[i] / largest
        if change < 1e-9:
            return


@kernel
def write_contagion(  # noqa: PLR0917 - compiled code takes arrays, not objects
    history: IntArray,
    window: int,
    close: FloatArray,
    before: FloatArray,
    rho: FloatArray,
    work: FloatArray,
    out: FloatArray,
) -> None:
    """Write the mean absolute correlation with the other symbols in distress.

    Parameters
    ----------
    close, before : float64 (n_symbols,)
        Now and `STRESS_FRAMES` ago.
    out : float64 (n_symbols,)
    """
    n, stressed = len(out), 0
    returns, order, total = work[0], work[1], work[2]
    known = collect_returns(history, window, close, before, work)
    if known == 0:
        return
    for i in range(n):
        total[i] = 0.0
    sort_ascending(order, known)
    limit = sorted_quantile(order, known, STRESS_SHARE)
    for j in range(n):
        if history[OWN, j] > window and returns[j] < limit:
            stressed += 1
            row = rho[j]
            for i in range(n):
                total[i] += abs(row[i])
    for i in range(n):
        if history[OWN, i] > window:
            others = stressed - 1.0 if returns[i] < limit else stressed + 0.0
            out[i] = min(total[i] / others, 1.0) if others > 0.0 else 0.0
