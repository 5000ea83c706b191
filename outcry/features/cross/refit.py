"""The compiled step of the frames at the cadence: what needs all pairs of symbols."""

import math
from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point
from outcry.features.cross.clusters import write_clusters
from outcry.features.cross.columns import N_FACTORS
from outcry.features.cross.factors import multiply_transposed, standardise, write_factors
from outcry.features.cross.network import STRESS_FRAMES, multiply_columns, write_contagion, write_links
from outcry.features.cross.precision import append_market, write_partial
from outcry.features.cross.rings import CLOSE, MARKET, RETURN, Past, earlier, place
from outcry.features.cross.sums import centre
from outcry.market.frame import BoolArray, FloatArray, IntArray

WHOLE_ROWS = 4

Scratch = tuple[FloatArray, FloatArray, IntArray, FloatArray, FloatArray, FloatArray]
"""work (WORK_ROWS, n_symbols); line (n_frames of the rings,); whole (WHOLE_ROWS, n_symbols); standardised returns
(longest window, n_symbols + 1); gram and eigenvectors (2, T, T), T the window of the factors; correlations and
distances (2, n_symbols, n_symbols)."""

_SIGNATURE = (
    "void(i8, Tuple((i8[:,::1], f8[:,:,::1], f8[:,::1], i8[::1])), f8[:,:,::1], f8[:,::1], f8[:,::1], i8, i8,"
    " Tuple((f8[:,::1], f8[::1], i8[:,::1], f8[:,::1], f8[:,:,::1], f8[:,:,::1])), i8, b1[::1])"
)


@cache
def compile_refit(version: str) -> Callable[..., None]:
    """Compile the entry point, or load it from Numba's cache; see `outcry.features.cross.advance.compile_advance`."""

    def refit(  # noqa: PLR0917 - compiled code takes arrays, not objects
        k: int,
        past: Past,
        loadings: FloatArray,
        held: FloatArray,
        last: FloatArray,
        number: int,
        network_frames: int,
        scratch: Scratch,
        market: int,
        present: BoolArray,
    ) -> None:
        """Compute the statistics of all pairs after the k-th frame, and write them into the rows of those with a bar.

        Parameters
        ----------
        loadings : float64 (n_refits, N_FACTORS, n_symbols)
            Of the last refits; that of number r, from 1, stands at ``r % n_refits``.
        held : float64 (n_dear, n_symbols)
            Written anew.
        last : float64 (n_symbols, n_columns)
            Values of a symbol after its last bar; the last n_dear columns are written.
        number : int
            Of this refit.
        market : int
            Its column; -1 for the mean of all.
        """
        len(version)
        history, rings, references, reference_history = past
        work, line, whole, z, squares, pairs = scratch
        n_symbols = len(present)
        for row in range(held.shape[0]):
            for i in range(n_symbols):
                held[row, i] = math.nan
        at = place(k, rings.shape[1])
        gram, vectors = squares[0], squares[1]
        w = len(gram)
        standardise(rings[RETURN], at, history, w, z, work)
        multiply_transposed(z, n_symbols, gram)
        new, before = number % len(loadings), (number + 1) % len(loadings)
        previous = (number - 1) % len(loadings)
        write_factors(history, z, work[1], gram, vectors, loadings[new], loadings[previous], loadings[before], held[1:])
        multiply_transposed(z, n_symbols, gram)
        of_market = centre(references, MARKET, at, w, line)
        append_market(z, line, of_market if market < 0 else 0.0, gram)
        write_partial(
            history, reference_history[MARKET] > w, z, gram, market if market >= 0 else n_symbols, work, held[0]
        )
        c = 2 * N_FACTORS + 4
        w, rho, distance = network_frames, pairs[0], pairs[1]
        standardise(rings[RETURN], at, history, w, z, work)
        multiply_columns(z, w, rho)
        write_links(history, w, rho, distance, work, held[c:])
        write_clusters(history, w, rho, distance, whole, held[c + 2 :])
        before_stress = rings[CLOSE, earlier(at, STRESS_FRAMES, rings.shape[1])]
        write_contagion(history, w, rings[CLOSE, at], before_stress, rho, work, held[c + 5])
        n_ordinary = last.shape[1] - held.shape[0]
        for i in range(n_symbols):
            if present[i]:
                for c in range(held.shape[0]):
                    last[i, n_ordinary + c] = held[c, i]

    return compile_entry_point(refit, _SIGNATURE)
