"""How well members did once the outcome was known, and the weights that follow from it, frame after frame."""

import math
from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point
from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray

LEAST_PROBABILITY = 1e-6
"""A probability is scored as at least this: no single row costs more than 13.8 nats."""

LOG_SCORE, SKILL, WINS = range(3)
"""Figures of a member in a frame: see `score_frames`."""

TOTAL, MEAN, VARIANCE, N_FRAMES = range(4)
"""Rows of the memory of `decay_scores`: decayed sum; decayed mean, variance, and number of frames."""


@cache
def compile_score_frames() -> Callable[[FloatArray, LabelArray, int, FloatArray, FloatArray], None]:
    """Compile `score_frames`, or load it from Numba's cache."""
    return compile_entry_point(
        score_frames,
        "void(Array(f8, 4, 'C', readonly=True), Array(i1, 2, 'C', readonly=True), i8, f8[:,:,:,::1], f8[:,:,::1])",
    )


def score_frames(
    probability: FloatArray, settled: LabelArray, first_slot: int, ring: FloatArray, scores: FloatArray
) -> None:
    """Compare what members said `horizon_bars` frames ago with the outcomes that are known now; keep what they say.

    Parameters
    ----------
    probability : float64 (n_members, n_frames, n_symbols, 3)
    settled : int8 (n_frames, n_symbols)
        Row t: the labels of the frame `horizon_bars` before it; negative where not known.
    first_slot : int
        Where `ring` holds what was said `horizon_bars` frames before the first one.
    ring : float64 (horizon_bars, n_members, n_symbols, 3)
        What was said in the last frames; carried on.
    scores : float64 (n_frames, 3, n_members)
        Receives, as means over the symbols with an outcome and with a probability of every member: the log score
        ``ln p_label``; the skill ``(p_up - p_down) sign``, sign 1, 0, -1 for up, neutral, down; the wins: 1 where a
        member gave the label more than the members did on average, 1/2 where as much. NaN without such a symbol.
    """
    horizon_bars = len(ring)
    n_members, n_frames, n_symbols, _ = probability.shape
    slot = first_slot
    for t in range(n_frames):
        n = 0
        for figure in range(3):
            for k in range(n_members):
                scores[t, figure, k] = 0.0
        for i in range(n_symbols):
            label = settled[t, i]
            if label < 0:
                continue
            mean, total = 0.0, 0.0
            for k in range(n_members):
                mean += ring[slot, k, i, label]
                total += ring[slot, k, i, 0] + ring[slot, k, i, 1] + ring[slot, k, i, 2]
            if math.isnan(total):
                continue
            mean /= n_members
            n += 1
            for k in range(n_members):
                said = ring[slot, k, i, label]
                scores[t, LOG_SCORE, k] += math.log(LEAST_PROBABILITY if said < LEAST_PROBABILITY else said)
                scores[t, SKILL, k] += (ring[slot, k, i, 0] - ring[slot, k, i, 2]) * (1 - label)
                scores[t, WINS, k] += 1.0 if said > mean else (0.5 if said == mean else 0.0)
        for figure in range(3):
            for k in range(n_members):
                scores[t, figure, k] = scores[t, figure, k] / n if n > 0 else math.nan
        for k in range(n_members):
            for i in range(n_symbols):
                for c in range(3):
                    ring[slot, k, i, c] = probability[k, t, i, c]
        slot = (slot + 1) % horizon_bars


@cache
def compile_decay_scores() -> Callable[[FloatArray, float, FloatArray, FloatArray], None]:
    """Compile `decay_scores`, or load it from Numba's cache."""
    return compile_entry_point(decay_scores, "void(f8[:,::1], f8, f8[:,::1], f8[:,:,::1])")


def decay_scores(scores: FloatArray, keep_frac: float, memory: FloatArray, remembered: FloatArray) -> None:
    """Remember a figure of each member over frames, older ones by ever less.

    ``S_t = g S_tm1 + x_t``; ``n_t = g n_tm1 + 1``, ``d = x_t - m_tm1``, ``m_t = m_tm1 + d / n_t``,
    ``v_t = (1 - 1 / n_t) (v_tm1 + d^2 / n_t)``.

    Parameters
    ----------
    scores : float64 (n_frames, n_members)
        A frame that holds a NaN changes nothing.
    keep_frac : float
        ``g``: what a frame keeps of those before it.
    memory : float64 (4, n_members)
        See `TOTAL`; carried on.
    remembered : float64 (n_frames, 4, n_members)
        Receives `memory` after each frame.

    References
    ----------
    West, "Updating mean and variance estimates: an improved method", CACM 1979, with weights that decay.
    """
    n_members = scores.shape[1]
    for t in range(len(scores)):
        total = 0.0
        for k in range(n_members):
            total += scores[t, k]
        if not math.isnan(total):
            for k in range(n_members):
                n = keep_frac * memory[N_FRAMES, k] + 1.0
                off = scores[t, k] - memory[MEAN, k]
                memory[TOTAL, k] = keep_frac * memory[TOTAL, k] + scores[t, k]
                memory[MEAN, k] += off / n
                memory[VARIANCE, k] = (1.0 - 1.0 / n) * (memory[VARIANCE, k] + off * off / n)
                memory[N_FRAMES, k] = n
        for figure in range(len(memory)):
            for k in range(n_members):
                remembered[t, figure, k] = memory[figure, k]


@cache
def compile_share_weights() -> Callable[[FloatArray, FloatArray, float, float, FloatArray], None]:
    """Compile `share_weights`, or load it from Numba's cache."""
    return compile_entry_point(share_weights, "void(f8[:,::1], f8[::1], f8, f8, f8[:,::1])")


def share_weights(
    scores: FloatArray, weights_frac: FloatArray, temperature: float, min_weight_frac: float, out: FloatArray
) -> None:
    """Share weights by ``w_k = f + (1 - n f) p_k exp(s_k / T) / sum_j p_j exp(s_j / T)``.

    Parameters
    ----------
    scores : float64 (n_frames, n_members)
    weights_frac : float64 (n_members,)
        ``p``: what the members weigh before anything is known of them. One without weight stays without.
    temperature : float
        ``T``, in the unit of the scores.
    min_weight_frac : float
        ``f``, of each of the n members with a weight.
    out : float64 (n_frames, n_members)
        Receives the weights of each frame; they sum to 1.
    """
    n_members = len(weights_frac)
    n_weighed = 0
    for k in range(n_members):
        n_weighed += weights_frac[k] > 0.0
    for t in range(len(scores)):
        largest = -math.inf
        for k in range(n_members):
            if weights_frac[k] > 0.0:
                largest = max(largest, scores[t, k] / temperature)
        total = 0.0
        for k in range(n_members):
            is_weighed = weights_frac[k] > 0.0
            out[t, k] = weights_frac[k] * math.exp(scores[t, k] / temperature - largest) if is_weighed else 0.0
            total += out[t, k]
        left_frac = 1.0 - n_weighed * min_weight_frac
        floored = 0.0
        for k in range(n_members):
            if weights_frac[k] > 0.0:
                out[t, k] = min_weight_frac + left_frac * (out[t, k] / total)
                floored += out[t, k]
        for k in range(n_members):
            out[t, k] /= floored
