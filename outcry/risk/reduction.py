"""The orders the gate makes itself: to hold less, and to hold nothing."""

from dataclasses import dataclass

import numpy as np

from outcry.identity import client_order_id
from outcry.market.frame import FloatArray
from outcry.market.universe import Universe
from outcry.messages import OrderIntent, Purpose, Side
from outcry.money import exact, round_quantity
from outcry.risk.drawdown_ladder import DrawdownCap
from outcry.risk.exposure import Exposure


@dataclass(frozen=True, slots=True)
class Reduction:
    """Make market orders that close positions, in the order of the universe."""

    run_id: str
    universe: Universe

    def close(self, seq: int, shares: FloatArray, purpose: Purpose) -> list[OrderIntent]:
        """Return the orders that close `shares`, signed, float64 (n_symbols,)."""
        return [self._close(seq, i, float(shares[i]), purpose) for i in np.flatnonzero(shares).tolist()]

    def deleverage(self, seq: int, exposure: Exposure, cap: DrawdownCap, band_frac: float) -> list[OrderIntent]:
        """Return the orders that bring positions back to `cap`, where they exceed it by `band_frac` of equity."""
        orders = []
        for index in np.flatnonzero(exposure.closable).tolist():
            closable = float(exposure.closable[index])
            held_sign = 1 if closable > 0 else -1
            excess = -cap.room(exposure, index, held_sign)
            if np.isfinite(exposure.price[index]) and excess > band_frac * exposure.equity:
                shares = min(excess / float(exposure.price[index]), abs(closable))
                if round_quantity(exact(shares), self.universe.lot):
                    orders.append(self._close(seq, index, held_sign * shares, Purpose.DELEVERAGE))
        return orders

    def _close(self, seq: int, index: int, shares: float, purpose: Purpose) -> OrderIntent:
        symbol = self.universe.symbols[index]
        side = Side.SELL if shares > 0 else Side.BUY
        quantity = round_quantity(exact(abs(shares)), self.universe.lot)
        return OrderIntent(
            client_order_id(self.run_id, seq, symbol, purpose), seq, symbol, side, quantity, purpose=purpose
        )
