"""Every alpha by name: a kind and its windows in bars."""

from collections.abc import Callable

from outcry.alphas.alpha import Alpha
from outcry.alphas.momentum import high, momentum, trend
from outcry.alphas.reversal import average_distance, oscillator, reversal
from outcry.errors import ConfigurationError

_PREFIX = "alpha_"
_KINDS: dict[str, tuple[Callable[..., Alpha], tuple[int, ...]]] = {
    "momentum": (momentum, (1, 2)),
    "trend": (trend, (2,)),
    "high": (high, (1,)),
    "reversal": (reversal, (1,)),
    "average": (average_distance, (1,)),
    "rsi": (oscillator, (1,)),
}
"""What makes the alphas of a kind, and how many windows it takes."""


def find_alpha(name: str) -> Alpha:
    """Return the alpha of a name such as ``momentum_252_21`` or ``reversal_5``; an ``alpha_`` before it may stand.

    Raises
    ------
    ConfigurationError
        Where there is no such kind, or it takes other windows. Whether there are features of these windows is found
        out where a feature set is made of them.
    """
    kind, *windows = name.removeprefix(_PREFIX).split("_")
    if kind not in _KINDS:
        raise ConfigurationError(f"an alpha must be one of {', '.join(_KINDS)} and its windows, was {name}")
    make, n_windows = _KINDS[kind]
    if len(windows) not in n_windows or not all(window.isdecimal() and int(window) > 0 for window in windows):
        many = " or ".join(str(n) for n in n_windows)
        raise ConfigurationError(f"alpha {kind} must have {many} windows of whole bars, such as {kind}_20, was {name}")
    return make(*map(int, windows))


ALPHAS = {
    alpha.name: alpha
    for alpha in map(
        find_alpha, ("momentum_252_21", "momentum_21", "trend_252_60", "high_252", "reversal_5", "average_20", "rsi_2")
    )
}
"""With the windows that their sources have for daily bars."""
