"""How a symbol moves with the market, its peers, the proxies, the universe and its own volume."""

import math

from outcry.compiled import kernel
from outcry.features.cross.rings import FLAT, MARKET, OF_PEERS, OWN, PEERS, RETURN, VOLUME, Past, earlier, place
from outcry.features.cross.sums import (
    centre,
    correlate,
    mean_rows,
    multiply_rows,
    project_rows,
    square_rows,
)
from outcry.market.frame import FloatArray, IntArray


@kernel
def write_betas(  # noqa: PLR0917 - compiled code takes arrays, not objects
    k: int,
    past: Past,
    windows: IntArray,
    work: FloatArray,
    line: FloatArray,
    out: FloatArray,
) -> None:
    """Write the slopes of the return on that of the market, then on that of the peers; out (2 n_windows, n_symbols)."""
    history, rings, references, reference_history = past
    at, n = place(k, rings.shape[1]), len(windows)
    products, mean, squares = work[0], work[1], work[2]
    for j in range(n):
        w = windows[j]
        of_market = centre(references, MARKET, at, w, line)
        project_rows(rings[RETURN], at, w, line, products)
        for i in range(len(products)):
            if history[OWN, i] > w and reference_history[MARKET] > w:
                out[j, i] = products[i] / of_market if of_market > FLAT else 0.0
        mean_rows(rings[PEERS], at, w, mean)
        square_rows(rings[PEERS], at, w, mean, squares)
        multiply_rows(rings[RETURN], rings[PEERS], at, w, mean, products)
        for i in range(len(products)):
            if history[OWN, i] > w and history[OF_PEERS, i] >= w:
                out[n + j, i] = products[i] / squares[i] if squares[i] > FLAT else 0.0


@kernel
def write_correlations(  # noqa: PLR0917 - compiled code takes arrays, not objects
    k: int,
    past: Past,
    window: int,
    work: FloatArray,
    line: FloatArray,
    out: FloatArray,
) -> None:
    """Write the correlations over one window.

    Parameters
    ----------
    out : float64 (n_references + 3, n_symbols)
        With the market, the peers, the proxies, the universe, and the market one frame before.
    """
    history, rings, references, reference_history = past
    at = place(k, rings.shape[1])
    n_references = references.shape[1]
    mean, squares, products, peer_mean, peer_squares = work[0], work[1], work[2], work[3], work[4]
    mean_rows(rings[RETURN], at, window, mean)
    square_rows(rings[RETURN], at, window, mean, squares)
    for r in range(n_references + 1):
        is_lagged = r == n_references
        source, lag = (MARKET, 1) if is_lagged else (r, 0)
        row = r if r == MARKET else (n_references + 2 if is_lagged else r + 1)
        of_reference = centre(references, source, earlier(at, lag, rings.shape[1]), window, line)
        project_rows(rings[RETURN], at, window, line, products)
        for i in range(len(mean)):
            if min(history[OWN, i], reference_history[source]) > window + lag:
                out[row, i] = correlate(products[i], squares[i], of_reference)
    mean_rows(rings[PEERS], at, window, peer_mean)
    square_rows(rings[PEERS], at, window, peer_mean, peer_squares)
    multiply_rows(rings[RETURN], rings[PEERS], at, window, peer_mean, products)
    for i in range(len(mean)):
        if history[OWN, i] > window and history[OF_PEERS, i] >= window:
            out[1, i] = correlate(products[i], squares[i], peer_squares[i])
    _write_with_universe(at, history, rings[RETURN], window, mean, squares, products, out[n_references + 1])


@kernel
def _write_with_universe(  # noqa: PLR0917 - compiled code takes arrays, not objects
    at: int,
    history: IntArray,
    returns: FloatArray,
    window: int,
    mean: FloatArray,
    squares: FloatArray,
    products: FloatArray,
    out: FloatArray,
) -> None:
    """Write the mean correlation with the others: that with the sum of all standardised returns, less its own 1.

    Overwrites `squares` with the scale of each symbol, 0 where it is not known or does not move.
    """
    n = len(out)
    known = 0
    for i in range(n):
        is_known = history[OWN, i] > window
        known += is_known
        squares[i] = 1.0 / math.sqrt(squares[i]) if is_known and squares[i] > FLAT else 0.0
        products[i] = 0.0
    for _ in range(window):
        x = returns[at]
        a = b = c = d = 0.0
        i = 0
        while i + 3 < n:
            a += (x[i] - mean[i]) * squares[i]
            b += (x[i + 1] - mean[i + 1]) * squares[i + 1]
            c += (x[i + 2] - mean[i + 2]) * squares[i + 2]
            d += (x[i + 3] - mean[i + 3]) * squares[i + 3]
            i += 4
        while i < n:
            a += (x[i] - mean[i]) * squares[i]
            i += 1
        total = (a + b) + (c + d)
        for i in range(n):
            products[i] += (x[i] - mean[i]) * total
        at = at - 1 if at > 0 else returns.shape[0] - 1
    for i in range(n):
        if history[OWN, i] > window:
            is_still = squares[i] == 0.0 or known < 2
            mean_rho = 0.0 if is_still else (products[i] * squares[i] - 1.0) / (known - 1.0)
            out[i] = min(max(mean_rho, -1.0), 1.0)


@kernel
def write_change(  # noqa: PLR0917 - compiled code takes arrays, not objects
    k: int,
    past: Past,
    short: int,
    long: int,
    work: FloatArray,
    line: FloatArray,
    out: FloatArray,
) -> None:
    """Write the correlation with the market over the short window less that over the long one; out (n_symbols,)."""
    history, rings, references, reference_history = past
    at = place(k, rings.shape[1])
    mean, squares, products = work[0], work[1], work[2]
    for is_long in range(2):
        w = long if is_long else short
        mean_rows(rings[RETURN], at, w, mean)
        square_rows(rings[RETURN], at, w, mean, squares)
        of_market = centre(references, MARKET, at, w, line)
        project_rows(rings[RETURN], at, w, line, products)
        for i in range(len(out)):
            if history[OWN, i] > long and reference_history[MARKET] > long:
                rho = correlate(products[i], squares[i], of_market)
                out[i] = out[i] - rho if is_long else rho


@kernel
def write_with_volume(k: int, past: Past, window: int, work: FloatArray, out: FloatArray) -> None:
    """Write the correlation of return and volume; out is (n_symbols,)."""
    history, rings = past[0], past[1]
    at = place(k, rings.shape[1])
    mean, squares, products, volume_mean, volume_squares = work[0], work[1], work[2], work[3], work[4]
    mean_rows(rings[RETURN], at, window, mean)
    square_rows(rings[RETURN], at, window, mean, squares)
    mean_rows(rings[VOLUME], at, window, volume_mean)
    square_rows(rings[VOLUME], at, window, volume_mean, volume_squares)
    multiply_rows(rings[RETURN], rings[VOLUME], at, window, volume_mean, products)
    for i in range(len(out)):
        if history[OWN, i] > window:
            scale = volume_mean[i]  # in units of the mean, what is flat does not depend on the number of shares
            out[i] = (
                correlate(products[i] / scale, squares[i], volume_squares[i] / (scale * scale)) if scale > 0.0 else 0.0
            )
