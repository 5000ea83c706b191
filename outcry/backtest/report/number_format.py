"""How a number reads in a report: with its sign, its unit, and n/a where it does not exist."""

import numpy as np

ABSENT = "n/a"


def percent(frac: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """Return a fraction as per cent: ``percent(-0.032, 1)`` is ``-3.2 %``."""
    return ABSENT if frac is None else f"{frac * 100:{'+' if signed else ''},.{digits}f} %"


def money(amount: float | None, *, signed: bool = False) -> str:
    """Return an amount of account currency with two decimals."""
    return ABSENT if amount is None else f"{amount:{'+' if signed else ''},.2f}"


def plain(value: float | None, digits: int = 2) -> str:
    """Return a number without a unit."""
    return ABSENT if value is None else f"{value:,.{digits}f}"


def rounded(value: float, digits: int = 3) -> str:
    """Return a number to so many significant digits, its whole part never cut: 1,600 and 0.0123, not 1.6e+03."""
    if value == 0 or not np.isfinite(value):
        return f"{value:g}"
    decimals = digits - 1 - int(np.floor(np.log10(abs(value))))
    text = f"{value:,.{max(decimals, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def day(ts_ns: int) -> str:
    """Return the UTC date of an instant."""
    return str(np.datetime64(ts_ns, "ns").astype("datetime64[D]"))


def minute(ts_ns: int) -> str:
    """Return the UTC date and minute of an instant."""
    return str(np.datetime64(ts_ns, "ns").astype("datetime64[m]")).replace("T", " ")


def span(span_ns: tuple[int, int] | None) -> str:
    """Return the first and last date of a span."""
    return "none" if span_ns is None else f"{day(span_ns[0])} to {day(span_ns[1])}"


def duration(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    for unit, length_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length_s:
            return f"{rounded(seconds / length_s)} {unit}"
    return f"{rounded(seconds)} s"
