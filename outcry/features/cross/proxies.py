"""Which symbols of a universe stand for the market, and for what moves it from outside."""

from collections.abc import Sequence

from outcry.features.cross.columns import PROXIES

MARKET = "SPY"
PROXY_SYMBOLS = {"vix": "VIXY", "rates": "TLT", "dollar": "UUP", "commodities": "GLD"}
"""Exchange-traded funds, as the indices themselves are on no stock exchange."""


def find_proxies(symbols: Sequence[str]) -> dict[str, int]:
    """Return the column of each proxy that is in the universe, in the order of `PROXIES`."""
    places = {symbol: place for place, symbol in enumerate(symbols)}
    return {name: places[PROXY_SYMBOLS[name]] for name in PROXIES if PROXY_SYMBOLS[name] in places}
