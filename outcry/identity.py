"""Deterministic names of orders and fills: the same run, replayed or resumed, gives the same ones."""

from hashlib import blake2b

ID_BYTES = 16


def client_order_id(run_id: str, seq: int, symbol: str, purpose: str) -> str:
    """Return the id of the order that frame `seq` makes in `symbol` for `purpose`; 32 hexadecimal digits.

    Examples
    --------
    >>> client_order_id("run-1", 7, "AAPL", "enter") == client_order_id("run-1", 7, "AAPL", "enter")
    True
    >>> len(client_order_id("run-1", 7, "AAPL", "enter"))
    32
    """
    return _digest("order", run_id, str(seq), symbol, purpose)


def fill_id(order_id: str, seq: int) -> str:
    """Return the id of the fill of an order in frame `seq`: an order fills at most once a frame."""
    return _digest("fill", order_id, str(seq))


def _digest(*parts: str) -> str:
    return blake2b("\x00".join(parts).encode(), digest_size=ID_BYTES).hexdigest()
