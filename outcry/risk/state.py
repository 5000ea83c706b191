"""What the risk gate remembers from frame to frame."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from outcry.errors import RecoveryError


@dataclass(frozen=True, slots=True)
class RiskState:
    """The gate after frame `seq`.

    Attributes
    ----------
    seq : int
        -1 before the first frame.
    equity, peak_equity, session_start_equity : Decimal
        Account currency. A session starts with the equity of the frame before it, so its opening gap is part of it.
    session : int
        Position of the session in `Sessions`; -1 before the first frame.
    is_session_blocked : bool
        The daily loss was reached: no new risk before the next session.
    rung : int
        Steps of the drawdown ladder in force.
    is_halted : bool
        No new risk before an operator resumes.
    is_flattening : bool
        Positions are being closed; ends when all are.
    halt_reason : str
    """

    seq: int = -1
    equity: Decimal = Decimal(0)
    peak_equity: Decimal = Decimal(0)
    session: int = -1
    session_start_equity: Decimal = Decimal(0)
    is_session_blocked: bool = False
    rung: int = 0
    is_halted: bool = False
    is_flattening: bool = False
    halt_reason: str = ""

    @property
    def drawdown_frac(self) -> float:
        """Loss from the peak, in [0, 1]."""
        return _loss_frac(self.equity, self.peak_equity)

    @property
    def session_loss_frac(self) -> float:
        """Loss since the session started, in [0, 1]."""
        return _loss_frac(self.equity, self.session_start_equity)

    def as_text(self) -> dict[str, str]:
        """Return the fields as text values, for a record in JSON."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_text(cls, text: Mapping[str, str]) -> "RiskState":
        """Return the state that `as_text` wrote; raise `RecoveryError` where a field is missing or unreadable."""
        try:
            return cls(**{field.name: _READ[type(field.default)](text[field.name]) for field in fields(cls)})
        except (KeyError, ValueError, ArithmeticError) as error:
            raise RecoveryError(f"risk_state must hold every field of RiskState as text, failed at {error!r}") from None


def _loss_frac(equity: Decimal, start: Decimal) -> float:
    return min(max(float(1 - equity / start), 0.0), 1.0) if start > 0 else 0.0


_READ: dict[type, Callable[[str], Any]] = {
    int: int,
    Decimal: Decimal,
    str: str,
    bool: {"True": True, "False": False}.__getitem__,
}
