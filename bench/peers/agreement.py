"""Whether an engine made the trades that the rules make."""

import math
from collections.abc import Sequence

from bench.peers.protocol import Trade

REL_TOL = 1e-9
FEES_TOL = 1e-6  # dollars, over all trades


def find_difference(expected: Sequence[Trade], found: Sequence[Trade]) -> str | None:
    """Return the first difference in words, or None where there is none.

    Parameters
    ----------
    expected, found : sequence of Trade
        In any order; compared by symbol and time.

    Notes
    -----
    Symbols and times are equal, prices and shares within 1e-9 of their size, the sum of all fees within 1e-6 dollars.
    """
    for number, (want, have) in enumerate(zip(sorted(expected), sorted(found), strict=False)):
        for name in ("symbol", "ts_entry_ns", "ts_exit_ns", "entry_price", "exit_price", "shares"):
            wanted, had = getattr(want, name), getattr(have, name)
            same = math.isclose(wanted, had, rel_tol=REL_TOL) if isinstance(wanted, float) else wanted == had
            if not same:
                return f"trade {number} of {want.symbol}: {name} must be {wanted}, was {had}"
    if len(expected) != len(found):
        return f"there must be {len(expected)} trades, were {len(found)}"
    wanted, had = (math.fsum(trade.fees for trade in trades) for trades in (expected, found))
    if not math.isclose(wanted, had, rel_tol=0.0, abs_tol=FEES_TOL):
        return f"fees must be {wanted:.6f} in all, were {had:.6f}"
    return None
