"""Fills matched first in, first out, into trades and what is left open."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from outcry.messages import Fill, Side

DUST = Decimal("1e-12")
"""Part of a fill that counts as nothing: what is left where a quantity was divided by the ratio of a split."""


@dataclass(frozen=True, slots=True)
class Trade:
    """A quantity that was opened by one fill and closed by another.

    A fill that is closed in pieces makes several trades. `side` is that of the entry: BUY is a long trade. `pnl` is
    after the commissions of both sides, which `commission` holds; prices include slippage.
    """

    symbol: str
    side: Side
    quantity: float
    entry_ts_ns: int
    exit_ts_ns: int
    entry_price: float
    exit_price: float
    commission: float
    pnl: float

    @property
    def return_frac(self) -> float:
        """P&L over the value at entry."""
        return self.pnl / (self.entry_price * self.quantity)

    @property
    def holding_ns(self) -> int:
        return self.exit_ts_ns - self.entry_ts_ns


@dataclass(frozen=True, slots=True)
class OpenLot:
    """What a fill opened and nothing has closed; `quantity` is signed, `commission` the share of the entry's."""

    symbol: str
    ts_ns: int
    quantity: float
    price: float
    commission: float


@dataclass(slots=True)
class _Lot:
    fill: Fill
    remaining: Decimal


def round_trips(fills: Sequence[Fill]) -> tuple[tuple[Trade, ...], tuple[OpenLot, ...]]:
    """Match fills, in the order in which they happened, first in, first out a symbol.

    Returns
    -------
    tuple of Trade, tuple of OpenLot
        Trades in the order of their exits. The commission of a fill is shared among its pieces by quantity.
    """
    open_lots: dict[str, deque[_Lot]] = defaultdict(deque)
    trades: list[Trade] = []
    for fill in fills:
        lots = open_lots[fill.symbol]
        remaining = fill.quantity
        while remaining > DUST * fill.quantity and lots and lots[0].fill.side is not fill.side:
            entry = lots[0]
            matched = min(remaining, entry.remaining)
            trades.append(_trade(entry.fill, fill, matched))
            remaining -= matched
            entry.remaining -= matched
            if entry.remaining <= DUST * entry.fill.quantity:
                lots.popleft()
        if remaining > DUST * fill.quantity:
            lots.append(_Lot(fill, remaining))
    left = [_open_lot(lot) for lots in open_lots.values() for lot in lots]
    return tuple(trades), tuple(left)


def _trade(entry: Fill, exit_: Fill, quantity: Decimal) -> Trade:
    commission = entry.commission * quantity / entry.quantity + exit_.commission * quantity / exit_.quantity
    return Trade(
        symbol=entry.symbol,
        side=entry.side,
        quantity=float(quantity),
        entry_ts_ns=entry.ts_ns,
        exit_ts_ns=exit_.ts_ns,
        entry_price=float(entry.price),
        exit_price=float(exit_.price),
        commission=float(commission),
        pnl=float(entry.side.sign * (exit_.price - entry.price) * quantity - commission),
    )


def _open_lot(lot: _Lot) -> OpenLot:
    fill = lot.fill
    return OpenLot(
        symbol=fill.symbol,
        ts_ns=fill.ts_ns,
        quantity=float(fill.side.sign * lot.remaining),
        price=float(fill.price),
        commission=float(fill.commission * lot.remaining / fill.quantity),
    )
