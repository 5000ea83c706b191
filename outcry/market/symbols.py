"""What a symbol may look like."""

import re

from outcry.errors import DataValidationError

_FORM = re.compile(r"\^?[A-Z0-9]+([./-][A-Z0-9]+)*")
_MAX_LENGTH = 32


def normalise_symbol(text: str) -> str:
    """Return `text` stripped and in upper case; class shares (BRK.B) and pairs (BTC/USD) are symbols too.

    Raises
    ------
    DataValidationError
        Where it is not letters and digits joined by ``.``, ``-`` or ``/``, or longer than 32 characters.
    """
    symbol = text.strip().upper()
    if len(symbol) > _MAX_LENGTH or _FORM.fullmatch(symbol) is None:
        raise DataValidationError(
            f"symbol must be at most {_MAX_LENGTH} letters and digits joined by '.', '-' or '/' (as BRK.B, BTC/USD), "
            f"was {text!r}"
        )
    return symbol
