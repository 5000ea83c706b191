"""Volatility targeting with hysteresis: every position has the same volatility, in the direction of the forecast.

Rules, float64 (N_RULES,), from `sizing_rules`:

| slot | meaning |
|---|---|
| `TARGET`, `LEAST_VOLATILITY` | volatility a year |
| `LARGEST`, `SMALLEST`, `GROSS` | of a position; of an entry; of all: fractions of equity |
| `PLACES` | positions at once |
| `ENTRY_EDGE`, `EXIT_EDGE` | differences of probabilities |
| `SHORTS` | 1 where shorts are allowed |
"""

import math

import numpy as np

from outcry.compiled import kernel
from outcry.market.frame import BoolArray, FloatArray, IntArray
from outcry.messages import Direction
from outcry.portfolio.config import PortfolioConfig

TARGET, LEAST_VOLATILITY, LARGEST, SMALLEST, GROSS, PLACES, ENTRY_EDGE, EXIT_EDGE, SHORTS = range(9)
N_RULES = 9
UP, DOWN = int(Direction.UP), int(Direction.DOWN)

OUT, UNKNOWN, UNDECIDED, KEPT, CANDIDATE, ENTERED = range(6)
"""What becomes of a symbol: it is or ends flat; nothing is known of it, and it is flat or stays as it is; it keeps its
place; it may get one; it gets one."""


def sizing_rules(config: PortfolioConfig) -> FloatArray:
    """Return what sizing reads of the settings, float64 (N_RULES,)."""
    rules = np.empty(N_RULES)
    rules[TARGET], rules[LEAST_VOLATILITY] = config.target_volatility_per_year, config.min_volatility_per_year
    rules[LARGEST], rules[SMALLEST] = config.max_position_frac, config.min_position_frac
    rules[GROSS], rules[PLACES] = config.max_gross_frac, config.max_positions
    rules[ENTRY_EDGE], rules[EXIT_EDGE], rules[SHORTS] = config.entry_edge, config.exit_edge, config.allow_short
    return rules


@kernel
def write_weights(
    probability: FloatArray,
    volatility: FloatArray,
    is_abstained: BoolArray,
    current: FloatArray,
    is_tradable: BoolArray,
    rules: FloatArray,
    edge: FloatArray,
    role: IntArray,
    out: FloatArray,
) -> None:
    """Write the wanted weights; sums are taken in the order of the universe.

    Parameters
    ----------
    probability : float64 (n_symbols, 3)
        Columns in the order of `Direction`.
    volatility : float64 (n_symbols,)
        A year.
    is_abstained : bool (n_symbols,)
        The forecast is too uncertain to open, enlarge or turn a position.
    current : float64 (n_symbols,)
        Weights held or on their way.
    is_tradable : bool (n_symbols,)
    rules : float64 (N_RULES,)
    edge, role : float64, int64 (n_symbols,)
        Scratch.
    out : float64 (n_symbols,)
        Signed fractions of equity; NaN where there is no opinion: the symbol is not tradable, or no forecast was made,
        or a position that is kept has no volatility yet, or is kept though the forecast abstains.

    Notes
    -----
    For the symbols i of the breadth B, those that are held and kept and those that are entered:

        w_i = s_i · min(σ* / (B · max(σ_i, σ_min)), w_max),    then all by min(1, g / Σ |w_i|)

    with s_i the sign of ``p_up − p_down``, σ* ``target_volatility_per_year``, σ_i the forecast's trailing volatility,
    w_max ``max_position_frac`` and g ``max_gross_frac``. The portfolio reaches the volatility σ* at most, and only if
    all positions move as one. A position without an opinion stays as it is and takes its share of B, g and
    ``max_positions``.

    Hysteresis, on the edge ``p_up − p_down``: a symbol is entered where its size reaches ``entry_edge``, and kept
    while its sign stays and its size reaches ``exit_edge``. Kept positions keep their place; entries fill up to
    ``max_positions`` by the size of their edge, at equal edges in the order of the universe. An entry below
    ``min_position_frac`` is left out.

    Where the forecast abstains, nothing is entered, and a position is kept, reduced or left: the edge still says
    whether it is left, since that takes risk away, and its size w_i is at most the weight that is held or on its way.
    Unlike a symbol without a forecast, which stays as it is until there is one, it is not frozen: a model may abstain
    for long. What is on its way stays so for either.

    References
    ----------
    Moskowitz, Ooi & Pedersen, "Time series momentum", Journal of Financial Economics 104 (2012), section 4.1: the
    position in each of S_t instruments is sign · (target volatility / σ) / S_t.
    """
    _write_roles(probability, volatility, is_abstained, current, is_tradable, rules, edge, role)
    _enter(rules, edge, role)
    breadth, taken = 0, 0.0
    for i in range(len(role)):
        if role[i] in (UNDECIDED, KEPT, ENTERED):
            breadth += 1
        if role[i] == UNDECIDED:
            taken += abs(current[i])
    gross = 0.0
    for i in range(len(role)):
        out[i] = 0.0
        if role[i] in (KEPT, ENTERED):
            known = volatility[i] if math.isfinite(volatility[i]) else math.inf
            size = min(rules[TARGET] / (breadth * max(known, rules[LEAST_VOLATILITY])), rules[LARGEST])
            if is_abstained[i]:
                size = min(size, abs(current[i]))
            out[i] = math.copysign(size, edge[i])
            gross += size
    free = max(rules[GROSS] - taken, 0.0)
    scale = free / gross if gross > free else 1.0
    for i in range(len(role)):
        out[i] *= scale
        if role[i] == ENTERED and abs(out[i]) < rules[SMALLEST]:
            out[i] = 0.0
        is_as_held = is_abstained[i] and abs(out[i]) >= abs(current[i])
        if role[i] in (UNKNOWN, UNDECIDED) or (role[i] == KEPT and (is_as_held or not math.isfinite(volatility[i]))):
            out[i] = math.nan


@kernel
def _write_roles(
    probability: FloatArray,
    volatility: FloatArray,
    is_abstained: BoolArray,
    current: FloatArray,
    is_tradable: BoolArray,
    rules: FloatArray,
    edge: FloatArray,
    role: IntArray,
) -> None:
    for i in range(len(role)):
        edge[i] = probability[i, UP] - probability[i, DOWN]
        if not (is_tradable[i] and math.isfinite(edge[i])):
            edge[i] = 0.0
            role[i] = UNDECIDED if current[i] != 0.0 else UNKNOWN
            continue
        if rules[SHORTS] == 0.0:
            edge[i] = max(edge[i], 0.0)
        size = abs(edge[i])
        is_same_side = (edge[i] > 0.0 and current[i] > 0.0) or (edge[i] < 0.0 and current[i] < 0.0)
        if is_same_side and size >= rules[EXIT_EDGE]:
            role[i] = KEPT
        elif size >= rules[ENTRY_EDGE] and size > 0.0 and math.isfinite(volatility[i]) and not is_abstained[i]:
            role[i] = CANDIDATE
        else:
            role[i] = OUT


@kernel
def _enter(rules: FloatArray, edge: FloatArray, role: IntArray) -> None:
    """Give the free places to the candidates with the largest edges; at equal edges in the order of the universe."""
    n_free, n_candidates = int(rules[PLACES]), 0
    for i in range(len(role)):
        n_free -= role[i] in (UNDECIDED, KEPT)
        n_candidates += role[i] == CANDIDATE
    for _ in range(min(n_free, n_candidates)):
        best = -1
        for i in range(len(role)):
            if role[i] == CANDIDATE and (best < 0 or abs(edge[i]) > abs(edge[best])):
                best = i
        role[best] = ENTERED
