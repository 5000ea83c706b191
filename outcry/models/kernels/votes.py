"""How the probabilities of members become one: weighted means, vote shares, means of the middle, and their agreement.

Every kernel treats rows one by one, so a row gets the same bits whatever rows stand beside it. A member whose row
holds a NaN has no voice in that row; where no member with a voice is left, the answer is NaN.
"""

import math
from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point, kernel
from outcry.market.frame import FloatArray, IntArray

_MEMBERS = "Array(f8, 3, 'C', readonly=True)"


@kernel
def _has_voice(probability: FloatArray, k: int, row: int) -> bool:
    total = probability[k, row, 0] + probability[k, row, 1] + probability[k, row, 2]
    return not math.isnan(total)


@kernel
def _fill(out: FloatArray, row: int, value: float) -> None:
    for c in range(3):
        out[row, c] = value


@cache
def compile_weigh() -> Callable[[FloatArray, FloatArray, IntArray, FloatArray], None]:
    """Compile `weigh`, or load it from Numba's cache."""
    return compile_entry_point(weigh, f"void({_MEMBERS}, Array(f8, 2, 'C', readonly=True), i8[::1], f8[:,::1])")


def weigh(probability: FloatArray, weights: FloatArray, set_of_row: IntArray, out: FloatArray) -> None:
    """Average by weight: ``out_rc = sum_k w_sk p_krc``, s the set of weights of row r.

    Parameters
    ----------
    probability : float64 (n_members, n_rows, 3)
    weights : float64 (n_sets, n_members)
        Each set sums to 1. A member without a weight is not asked, not even whether it is NaN.
    set_of_row : int64 (n_rows,)
        A row with -1 is NaN.
    out : float64 (n_rows, 3)
        Receives the result; the weights of those with a voice are rescaled only where one has none.
    """
    for row in range(len(out)):
        s = set_of_row[row]
        heard, n_silent = 0.0, 0
        _fill(out, row, 0.0)
        if s >= 0:
            for k in range(len(probability)):
                weight = weights[s, k]
                if weight > 0.0:
                    if _has_voice(probability, k, row):
                        heard += weight
                        for c in range(3):
                            out[row, c] += weight * probability[k, row, c]
                    else:
                        n_silent += 1
        if heard == 0.0:
            _fill(out, row, math.nan)
        elif n_silent > 0:
            for c in range(3):
                out[row, c] /= heard


@cache
def compile_weigh_classes() -> Callable[[FloatArray, FloatArray, FloatArray], None]:
    """Compile `weigh_classes`, or load it from Numba's cache."""
    return compile_entry_point(weigh_classes, f"void({_MEMBERS}, Array(f8, 2, 'C', readonly=True), f8[:,::1])")


def weigh_classes(probability: FloatArray, weights: FloatArray, out: FloatArray) -> None:
    """Average each class by weights of its own, then divide by the sum of the classes.

    Parameters
    ----------
    probability : float64 (n_members, n_rows, 3)
    weights : float64 (n_members, 3)
        Each column sums to 1. A member without a weight in any class is not asked.
    out : float64 (n_rows, 3)
        Receives the result; NaN where no class that is heard has a probability.
    """
    for row in range(len(out)):
        _fill(out, row, 0.0)
        up = neutral = down = 0.0
        for k in range(len(probability)):
            if weights[k, 0] + weights[k, 1] + weights[k, 2] > 0.0 and _has_voice(probability, k, row):
                up += weights[k, 0]
                neutral += weights[k, 1]
                down += weights[k, 2]
                for c in range(3):
                    out[row, c] += weights[k, c] * probability[k, row, c]
        out[row, 0] = out[row, 0] / up if up > 0.0 else math.nan
        out[row, 1] = out[row, 1] / neutral if neutral > 0.0 else math.nan
        out[row, 2] = out[row, 2] / down if down > 0.0 else math.nan
        total = out[row, 0] + out[row, 1] + out[row, 2]
        for c in range(3):
            out[row, c] = out[row, c] / total if total > 0.0 else math.nan


@cache
def compile_count_votes() -> Callable[[FloatArray, FloatArray, FloatArray], None]:
    """Compile `count_votes`, or load it from Numba's cache."""
    return compile_entry_point(count_votes, f"void({_MEMBERS}, Array(f8, 1, 'C', readonly=True), f8[:,::1])")


def count_votes(probability: FloatArray, weights: FloatArray, out: FloatArray) -> None:
    """Give each class the share of the weights of the members that hold it most likely.

    Parameters
    ----------
    probability : float64 (n_members, n_rows, 3)
    weights : float64 (n_members,)
    out : float64 (n_rows, 3)
        Receives the result; a member that holds two classes equally likely splits its vote.
    """
    for row in range(len(out)):
        heard = 0.0
        _fill(out, row, 0.0)
        for k in range(len(probability)):
            if weights[k] > 0.0 and _has_voice(probability, k, row):
                heard += weights[k]
                most = max(probability[k, row, 0], probability[k, row, 1], probability[k, row, 2])
                n_most = 0
                for c in range(3):
                    n_most += probability[k, row, c] == most
                for c in range(3):
                    if probability[k, row, c] == most:
                        out[row, c] += weights[k] / n_most
        for c in range(3):
            out[row, c] = out[row, c] / heard if heard > 0.0 else math.nan


@cache
def compile_average_middle() -> Callable[[FloatArray, float, FloatArray, FloatArray], None]:
    """Compile `average_middle`, or load it from Numba's cache."""
    return compile_entry_point(average_middle, f"void({_MEMBERS}, f8, f8[::1], f8[:,::1])")


def average_middle(probability: FloatArray, trim_frac: float, values: FloatArray, out: FloatArray) -> None:
    """Average, class by class, what is left of n members without the ``g`` highest and the ``g`` lowest.

    ``g = floor(trim_frac n)``, and at most ``floor((n - 1) / 2)``: 0 gives the mean and 0.5 the median. The three
    are then divided by their sum; where that is 0, the mean of all members takes their place.

    Parameters
    ----------
    probability : float64 (n_members, n_rows, 3)
    trim_frac : float
        In [0, 0.5].
    values : float64 (n_members,)
        Overwritten.
    out : float64 (n_rows, 3)
        Receives the result. The order of the members does not change a bit of it.
    """
    for row in range(len(out)):
        n = 0
        for k in range(len(probability)):
            n += _has_voice(probability, k, row)
        if n == 0:
            _fill(out, row, math.nan)
            continue
        n_trimmed = min(int(trim_frac * n), (n - 1) // 2)
        while True:
            total = 0.0
            for c in range(3):
                n_sorted = 0
                for k in range(len(probability)):
                    if _has_voice(probability, k, row):
                        value, place = probability[k, row, c], n_sorted
                        while place > 0 and values[place - 1] > value:
                            values[place] = values[place - 1]
                            place -= 1
                        values[place] = value
                        n_sorted += 1
                out[row, c] = 0.0
                for place in range(n_trimmed, n - n_trimmed):
                    out[row, c] += values[place]
                total += out[row, c]
            if total > 0.0 or n_trimmed == 0:
                break
            n_trimmed = 0
        if n > 1:  # what one member says stands, to the bit
            for c in range(3):
                out[row, c] /= total


@cache
def compile_hold_back() -> Callable[[FloatArray, float, FloatArray], None]:
    """Compile `hold_back`, or load it from Numba's cache."""
    return compile_entry_point(hold_back, f"void({_MEMBERS}, f8, f8[:,::1])")


def hold_back(probability: FloatArray, min_agreement_frac: float, out: FloatArray) -> None:
    """Say nothing, an even split, where too few members hold most likely what the answer does.

    Parameters
    ----------
    probability : float64 (n_members, n_rows, 3)
    min_agreement_frac : float
        Of the members with a voice; one that holds two classes equally likely counts by half for each.
    out : float64 (n_rows, 3)
        The answers; overwritten where they have too little support.
    """
    for row in range(len(out)):
        if math.isnan(out[row, 0]):
            continue
        answer = max(out[row, 0], out[row, 1], out[row, 2])
        n_heard, support = 0, 0.0
        for k in range(len(probability)):
            if not _has_voice(probability, k, row):
                continue
            n_heard += 1
            most = max(probability[k, row, 0], probability[k, row, 1], probability[k, row, 2])
            n_most, n_shared = 0, 0
            for c in range(3):
                if probability[k, row, c] == most:
                    n_most += 1
                    n_shared += out[row, c] == answer
            support += n_shared / n_most
        if support < min_agreement_frac * n_heard:
            _fill(out, row, 1.0 / 3.0)


@cache
def compile_hold_back_edge() -> Callable[[FloatArray, FloatArray, float, FloatArray], None]:
    """Compile `hold_back_edge`, or load it from Numba's cache."""
    return compile_entry_point(hold_back_edge, f"void({_MEMBERS}, Array(f8, 1, 'C', readonly=True), f8, f8[:,::1])")


def hold_back_edge(probability: FloatArray, weights: FloatArray, min_agreement_frac: float, out: FloatArray) -> None:
    """Say nothing, an even split, where too little weight leans to the side that the answer leans to.

    Parameters
    ----------
    probability : float64 (n_members, n_rows, 3)
    weights : float64 (n_members,)
    min_agreement_frac : float
        Of the weight of the members with a voice. A side is the sign of the edge.
    out : float64 (n_rows, 3)
        The answers; overwritten where they have too little support.
    """
    for row in range(len(out)):
        if math.isnan(out[row, 0]):
            continue
        edge = out[row, 0] - out[row, 2]
        heard, support = 0.0, 0.0
        for k in range(len(probability)):
            if weights[k] > 0.0 and _has_voice(probability, k, row):
                heard += weights[k]
                said = probability[k, row, 0] - probability[k, row, 2]
                if said * edge > 0.0 or (said == 0.0 and edge == 0.0):
                    support += weights[k]
        if support < min_agreement_frac * heard:
            _fill(out, row, 1.0 / 3.0)
