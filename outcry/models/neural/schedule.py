"""How the learning rate moves over a training: a function of how far it is, so that it has no state to store."""

import math

WARM_UP_FRAC = 0.2
FIRST_FRAC, LAST_FRAC = 0.04, 1e-3


def learning_rate_frac(kind: str, done_frac: float, n_reductions: int) -> float:
    """Return the share of the largest learning rate.

    Parameters
    ----------
    kind : str
        ``constant``; ``cosine``: half a wave down; ``onecycle``: a rise and a longer fall, both half waves (Smith and
        Topin, "Super-convergence", 2018); ``plateau``: halved whenever validation stalls.
    done_frac : float
        Of all steps, in [0, 1].
    n_reductions : int
        How often validation stalled.
    """
    if kind == "cosine":
        return _wave(1.0, LAST_FRAC, done_frac)
    if kind == "onecycle":
        if done_frac < WARM_UP_FRAC:
            return _wave(FIRST_FRAC, 1.0, done_frac / WARM_UP_FRAC)
        return _wave(1.0, LAST_FRAC, (done_frac - WARM_UP_FRAC) / (1.0 - WARM_UP_FRAC))
    return float(0.5**n_reductions) if kind == "plateau" else 1.0


def _wave(first: float, last: float, done_frac: float) -> float:
    return last + (first - last) * 0.5 * (1.0 + math.cos(math.pi * done_frac))
