"""The largest loss of one session."""

from dataclasses import replace
from decimal import Decimal

from outcry.messages import RiskEvent
from outcry.risk.state import RiskState


class DailyLossLimit:
    """Take no new risk until the next session once a session has lost `max_frac` of what it started with.

    Notes
    -----
    A session starts with the equity of the last frame before it: the gap of the opening counts, and with daily bars
    the loss of a session is that of its one bar. A session that has reached the limit stays blocked if it recovers.
    """

    name = "daily_loss"

    def __init__(self, max_frac: float) -> None:
        self._max_frac = max_frac

    def update(self, state: RiskState, seq: int, session: int, equity: Decimal) -> tuple[RiskState, list[RiskEvent]]:
        """Return the state with the equity of frame `seq` and whether its session is blocked."""
        if session != state.session:
            start = equity if state.seq < 0 else state.equity
            state = replace(state, session=session, session_start_equity=start, is_session_blocked=False)
        state = replace(state, equity=equity)
        loss_frac = state.session_loss_frac
        if state.is_session_blocked or loss_frac < self._max_frac:
            return state, []
        event = RiskEvent(seq, self.name, "", loss_frac, self._max_frac, "new risk blocked until the next session")
        return replace(state, is_session_blocked=True), [event]
