"""Principal components of the returns of the universe, from the Gram matrix of its frames.

With the returns over T frames standardised to columns of mean 0 and length 1, Z (T, n), the correlation matrix is
Z'Z (n, n). It has the eigenvalues of the Gram matrix ZZ' (T, T), which is small however many symbols there are; with a
unit eigenvector u of ZZ', the correlations of the symbols with that component are Z'u.
"""

import math

from outcry.compiled import kernel
from outcry.features.cross.columns import N_FACTORS
from outcry.features.cross.rings import FLAT, OWN
from outcry.features.cross.sums import mean_rows, square_rows
from outcry.features.kernels.window import product_sum
from outcry.market.frame import FloatArray, IntArray


@kernel
def standardise(  # noqa: PLR0917 - compiled code takes arrays, not objects
    returns: FloatArray, at: int, history: IntArray, window: int, z: FloatArray, work: FloatArray
) -> None:
    """Write Z, newest frame first.

    Parameters
    ----------
    returns : float64 (n_frames, n_symbols)
    z : float64 (>= window, >= n_symbols)
        A symbol that is not known over the window, or does not move, gets zeros.
    work : float64 (>= 2, n_symbols)
        The second row receives the sums of squared deviations.
    """
    n = returns.shape[1]
    mean = scale = work[0]
    squares = work[1]
    mean_rows(returns, at, window, mean)
    square_rows(returns, at, window, mean, squares)
    for j in range(window):
        x, row = returns[at], z[j]
        for i in range(n):
            row[i] = x[i] - mean[i]
        at = at - 1 if at > 0 else returns.shape[0] - 1
    for i in range(n):
        scale[i] = 1.0 / math.sqrt(squares[i]) if history[OWN, i] > window and squares[i] > FLAT else 0.0
    for j in range(window):
        row = z[j]
        for i in range(n):
            row[i] *= scale[i]


@kernel
def multiply_transposed(z: FloatArray, n: int, gram: FloatArray) -> None:
    """Write ZZ' of the first n columns of Z; gram is (T, T)."""
    for s in range(len(gram)):
        x = z[s]
        for t in range(s + 1):
            gram[s, t] = gram[t, s] = product_sum(x, z[t], n)


@kernel
def diagonalise(a: FloatArray, v: FloatArray) -> None:
    """Bring a symmetric matrix to diagonal form, with its eigenvectors in the rows of `v`.

    Cyclic Jacobi (G. Golub, C. Van Loan, Matrix Computations, section 8.5): slow for large matrices, exact and the
    same on every machine for small ones.
    """
    n = len(a)
    size = 0.0
    for p in range(n):
        for q in range(n):
            v[p, q] = 1.0 if p == q else 0.0
            size += a[p, q] * a[p, q]
    for _ in range(30):
        off = 0.0
        for p in range(n):
            for q in range(p):
                off += a[p, q] * a[p, q]
        if off <= 1e-26 * size:
            return
        for p in range(n - 1):
            for q in range(p + 1, n):
                if a[p, q] * a[p, q] > 1e-36 * size:
                    _rotate(a, v, p, q)


@kernel
def _rotate(a: FloatArray, v: FloatArray, p: int, q: int) -> None:
    """Turn rows and columns p and q so that a[p, q] is 0."""
    tilt = (a[q, q] - a[p, p]) / (2.0 * a[p, q])
    t = (1.0 if tilt >= 0.0 else -1.0) / (abs(tilt) + math.sqrt(tilt * tilt + 1.0))
    c = 1.0 / math.sqrt(t * t + 1.0)
    s = t * c
    pp, qq = a[p, p] - t * a[p, q], a[q, q] + t * a[p, q]
    row_p, row_q, v_p, v_q = a[p], a[q], v[p], v[q]
    for i in range(len(a)):
        x, y = row_p[i], row_q[i]
        row_p[i] = c * x - s * y
        row_q[i] = s * x + c * y
    for i in range(len(a)):
        x, y = v_p[i], v_q[i]
        v_p[i] = c * x - s * y
        v_q[i] = s * x + c * y
    for i in range(len(a)):
        a[i, p], a[i, q] = row_p[i], row_q[i]
    row_p[p], row_p[q], row_q[p], row_q[q] = pp, 0.0, 0.0, qq


@kernel
def write_factors(  # noqa: PLR0917 - compiled code takes arrays, not objects
    history: IntArray,
    z: FloatArray,
    squares: FloatArray,
    gram: FloatArray,
    vectors: FloatArray,
    new: FloatArray,
    last: FloatArray,
    before: FloatArray,
    out: FloatArray,
) -> None:
    """Write loadings, their change, the idiosyncratic volatility and the ratios of eigenvalues.

    Parameters
    ----------
    gram : float64 (T, T)
        ZZ'; destroyed.
    vectors : float64 (T, T)
        Scratch.
    new, last, before : float64 (N_FACTORS, n_symbols)
        Loadings: `new` is written; `last` is of the last refit, NaN where there was none; `before` is what the change
        is taken against, and may be `last`.
    out : float64 (2 N_FACTORS + 3, n_symbols)
    """
    window, n = len(gram), out.shape[1]
    total = top = first = 0.0
    for t in range(window):
        total += gram[t, t]
    diagonalise(gram, vectors)
    for f in range(N_FACTORS):
        largest = 0
        for t in range(window):
            if gram[t, t] > gram[largest, largest]:
                largest = t
        value = max(gram[largest, largest], 0.0)
        gram[largest, largest] = -1.0  # taken
        is_rounding = value <= 1e-12 * total
        top += 0.0 if is_rounding else value
        first = value if f == 0 else first
        _write_loadings(history, z, vectors[largest], 0.0 if is_rounding else 1.0, window, new[f])
        _keep_direction(new[f], last[f])
        for i in range(n):
            out[f, i] = new[f, i]
            out[N_FACTORS + f, i] = new[f, i] - before[f, i]
    for i in range(n):
        if history[OWN, i] > window:
            explained = 0.0
            for f in range(N_FACTORS):
                explained += new[f, i] * new[f, i]
            residual = squares[i] / (window - 1.0) * max(1.0 - explained, 0.0) if squares[i] > FLAT else 0.0
            out[2 * N_FACTORS, i] = math.sqrt(residual)
            out[2 * N_FACTORS + 1, i] = min(first / total, 1.0) if total > 0.0 else 0.0
            out[2 * N_FACTORS + 2, i] = min(top / total, 1.0) if total > 0.0 else 0.0


@kernel
def _write_loadings(  # noqa: PLR0917 - compiled code takes arrays, not objects
    history: IntArray, z: FloatArray, vector: FloatArray, scale: float, window: int, loading: FloatArray
) -> None:
    for i in range(len(loading)):
        loading[i] = 0.0
    for t in range(window):
        x, u = z[t], vector[t] * scale
        for i in range(len(loading)):
            loading[i] += x[i] * u
    for i in range(len(loading)):
        is_known = history[OWN, i] > window
        loading[i] = min(max(loading[i], -1.0), 1.0) if is_known else math.nan


@kernel
def _keep_direction(loading: FloatArray, last: FloatArray) -> None:
    """Turn a component to the side of the last refit; the first time, to that where its loadings sum above 0."""
    agreement = total = 0.0
    for i in range(len(loading)):
        if not math.isnan(loading[i]):
            total += loading[i]
            agreement += loading[i] * last[i] if not math.isnan(last[i]) else 0.0
    if agreement < 0.0 or (agreement == 0.0 and total < 0.0):
        for i in range(len(loading)):
            loading[i] = -loading[i]
