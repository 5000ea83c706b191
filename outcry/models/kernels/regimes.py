"""Which regime a row is in: by thresholds on its features, or by a hidden Markov model filtered forward."""

import math
from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point, kernel
from outcry.market.frame import FloatArray, IntArray

_TWO = "Array(f8, 2, 'C', readonly=True)"
_THREE = "Array(f8, 3, 'C', readonly=True)"


@cache
def compile_find_regime() -> Callable[[FloatArray, IntArray, FloatArray, IntArray, IntArray], None]:
    """Compile `find_regime`, or load it from Numba's cache."""
    return compile_entry_point(find_regime, f"void({_TWO}, i8[::1], {_TWO}, i8[::1], i8[::1])")


def find_regime(
    rows: FloatArray, columns: IntArray, thresholds: FloatArray, n_thresholds: IntArray, regime: IntArray
) -> None:
    """Number the cells that thresholds cut the features into, the last feature fastest.

    Parameters
    ----------
    rows : float64 (n_rows, n_wide)
    columns : int64 (n_axes,)
    thresholds : float64 (n_axes, n_most_thresholds)
        Ascending. A feature is in interval i if i of them are at or below it.
    n_thresholds : int64 (n_axes,)
        How many of them each axis has.
    regime : int64 (n_rows,)
        Receives the number; that after the last one where a feature is NaN.
    """
    n_regimes = 1
    for axis in range(len(columns)):
        n_regimes *= n_thresholds[axis] + 1
    for row in range(len(regime)):
        cell = 0
        for axis in range(len(columns)):
            value = rows[row, columns[axis]]
            if math.isnan(value):
                cell = n_regimes
                break
            cell *= n_thresholds[axis] + 1
            for i in range(n_thresholds[axis]):
                cell += value >= thresholds[axis, i]
        regime[row] = cell


@cache
def compile_filter_states() -> Callable[..., None]:
    """Compile `filter_states`, or load it from Numba's cache."""
    return compile_entry_point(
        filter_states,
        f"void({_THREE}, i8[::1], b1, {_TWO}, {_THREE}, f8[::1], {_TWO}, f8[::1], f8[:,::1], f8[:,::1], f8[:,:,::1])",
    )


def filter_states(
    rows: FloatArray,
    columns: IntArray,
    is_market: bool,
    means: FloatArray,
    whiteners: FloatArray,
    log_scales: FloatArray,
    transition: FloatArray,
    start: FloatArray,
    state: FloatArray,
    scratch: FloatArray,
    filtered: FloatArray,
) -> None:
    """Carry the probability of each hidden state from frame to frame: ``a_t(j) ∝ N(x_t; j) sum_i a_tm1(i) A_ij``.

    Parameters
    ----------
    rows : float64 (n_frames, n_symbols, n_wide)
    columns : int64 (n_features,)
        What is observed.
    is_market : bool
        One chain observes the means over the symbols whose features are all finite; else each symbol has a chain.
    means : float64 (n_states, n_features)
    whiteners : float64 (n_states, n_features, n_features)
        Lower triangular ``W`` with ``W' W`` the inverse covariance.
    log_scales : float64 (n_states,)
        ``ln det W``: what else of the density depends on the state.
    transition : float64 (n_states, n_states)
        Row i: from state i.
    start : float64 (n_states,)
        Before the first observation.
    state : float64 (n_chains, n_states)
        ``a_t``; carried on. Zeros before the first observation.
    scratch : float64 (2, max(n_features, n_states))
        Overwritten.
    filtered : float64 (n_frames, n_chains, n_states)
        Receives `state` after each frame.

    Notes
    -----
    Where nothing is observed a chain moves by the transition alone. Nothing is ever smoothed: frame t uses frames
    up to t.

    References
    ----------
    Rabiner, "A tutorial on hidden Markov models", Proceedings of the IEEE 1989, equations 19 and 20, scaled as in 91.
    """
    n_frames = len(rows)
    observed, density = scratch[0], scratch[1]
    for t in range(n_frames):
        for chain in range(len(state)):
            if is_market:
                is_observed = _observe_market(rows, t, columns, observed)
            else:
                is_observed = _observe(rows, t, chain, columns, observed)
            total = 0.0
            for s in range(len(start)):
                total += state[chain, s]
            if total > 0.0:
                _move(state[chain], transition, density)
            if is_observed:
                _weigh_evidence(observed, means, whiteners, log_scales, density)
                if total == 0.0:
                    for s in range(len(start)):
                        state[chain, s] = start[s]
                _update(state[chain], density)
            for s in range(len(start)):
                filtered[t, chain, s] = state[chain, s]


@kernel
def _observe(rows: FloatArray, t: int, symbol: int, columns: IntArray, observed: FloatArray) -> bool:
    for j in range(len(columns)):
        observed[j] = rows[t, symbol, columns[j]]
        if not math.isfinite(observed[j]):
            return False
    return True


@kernel
def _observe_market(rows: FloatArray, t: int, columns: IntArray, observed: FloatArray) -> bool:
    n = 0
    for j in range(len(columns)):
        observed[j] = 0.0
    for symbol in range(rows.shape[1]):
        is_finite = True
        for j in range(len(columns)):
            is_finite &= math.isfinite(rows[t, symbol, columns[j]])
        if is_finite:
            n += 1
            for j in range(len(columns)):
                observed[j] += rows[t, symbol, columns[j]]
    for j in range(len(columns)):
        observed[j] /= max(n, 1)
    return n > 0


@kernel
def _move(state: FloatArray, transition: FloatArray, moved: FloatArray) -> None:
    n_states = len(state)
    for j in range(n_states):
        moved[j] = 0.0
        for i in range(n_states):
            moved[j] += state[i] * transition[i, j]
    for j in range(n_states):
        state[j] = moved[j]


@kernel
def _weigh_evidence(
    observed: FloatArray, means: FloatArray, whiteners: FloatArray, log_scales: FloatArray, density: FloatArray
) -> None:
    """Write the density of what is observed under each state, as a multiple of the largest."""
    n_states, n_features = means.shape
    largest = -math.inf
    for s in range(n_states):
        distance = 0.0
        for i in range(n_features):
            white = 0.0
            for j in range(i + 1):
                white += whiteners[s, i, j] * (observed[j] - means[s, j])
            distance += white * white
        density[s] = log_scales[s] - 0.5 * distance
        largest = max(largest, density[s])
    for s in range(n_states):
        density[s] = math.exp(density[s] - largest)


@kernel
def _update(state: FloatArray, density: FloatArray) -> None:
    """Take the evidence into account; where it contradicts what is certain, the state stays."""
    total = 0.0
    for s in range(len(state)):
        total += state[s] * density[s]
    if total > 0.0:
        for s in range(len(state)):
            state[s] *= density[s] / total
    total = 0.0  # rounding does not add up over a million frames
    for s in range(len(state)):
        total += state[s]
    for s in range(len(state)):
        state[s] /= total
