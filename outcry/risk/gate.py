"""The risk gate: nothing is sent without its verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from outcry.errors import DataValidationError, RecoveryError
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import Book, Input, OrderIntent, Proposal, Purpose, RiskEvent, Verdict
from outcry.risk.admission import admit
from outcry.risk.config import RiskConfig
from outcry.risk.daily_loss_limit import DailyLossLimit
from outcry.risk.drawdown_ladder import DrawdownCap, DrawdownLadder
from outcry.risk.exposure import Exposure
from outcry.risk.gross_exposure_limit import GrossExposureLimit
from outcry.risk.kill_switch import NAME as KILL_SWITCH
from outcry.risk.kill_switch import apply_commands
from outcry.risk.limit import ExposureLimit
from outcry.risk.net_exposure_limit import NetExposureLimit
from outcry.risk.no_new_risk import NoNewRisk
from outcry.risk.position_count_limit import PositionCountLimit
from outcry.risk.position_limit import PositionLimit
from outcry.risk.reduction import Reduction
from outcry.risk.sector_limit import SectorLimit
from outcry.risk.state import RiskState

CANCEL_ALL = ("*",)


class RiskGate:
    """Apply operator commands, measure losses, and pass, clip or refuse orders.

    Parameters
    ----------
    run_id : str
        Part of the ids of the orders the gate makes itself.
    universe : Universe
    config : RiskConfig
    sessions : Sessions
        When a daily loss starts anew.

    Notes
    -----
    Of a frame, in this order:

    1. halts and resumes of operators;
    2. the equity of the book: the daily loss, then the peak and the drawdown ladder, whose last step halts;
    3. the wanted orders: those that only close come first, then the others in the order wanted, each on the book
       after what is on its way and the ones before it;
    4. a step of the ladder reduces positions above their scaled target;
    5. a halt or a daily loss, when it begins, cancels every open order; what was on its way to close a position is
       sent again;
    6. flattening cancels every open order once, then keeps a market order on its way for every position until all
       are closed, whatever stands in the way of a fill; orders are cancelled and made anew where what is on its way
       does not match what is held.

    An order, or the part of one, that closes what is held passes in every state. Equity is marked at the last
    closes: the gate acts on the frame after the loss.
    """

    def __init__(self, run_id: str, universe: Universe, config: RiskConfig, sessions: Sessions) -> None:
        self._universe = universe
        self._index = {symbol: i for i, symbol in enumerate(universe.symbols)}
        self._config = config
        self._sessions = sessions
        self._sector, sector_names = universe.sector_index()
        self._n_sectors = len(sector_names)
        self._daily_loss = DailyLossLimit(config.daily_loss_frac)
        self._ladder = DrawdownLadder(config.drawdown_ladder, config.ladder_recovery_frac)
        self._reduction = Reduction(run_id, universe)
        self._limits: tuple[ExposureLimit, ...] = (
            PositionLimit(config.max_position_frac),
            GrossExposureLimit(config.max_gross_frac),
            NetExposureLimit(config.max_net_frac),
            PositionCountLimit(config.max_positions),
            SectorLimit(config.max_sector_frac, config.sector_fracs, sector_names),
        )
        self._state = RiskState()
        self._verdict: Verdict | None = None

    @property
    def last_seq(self) -> int:
        """The frame last reviewed; -1 before the first."""
        return self._state.seq

    def review(self, wanted: Proposal, book: Book, inputs: tuple[Input, ...] = ()) -> Verdict:
        """Return what may be sent of `wanted`; a repeated frame returns the same verdict.

        Parameters
        ----------
        wanted : Proposal
        book : Book
            Of the same frame.
        inputs : tuple of Input
            What operators asked for at the boundary of this frame. The inputs of the proposal go into the verdict;
            these do not: they are committed already.

        Raises
        ------
        RecoveryError
            Where the frame is neither the next nor the last one.
        DataValidationError
            Where proposal and book belong to different frames.
        """
        if wanted.seq != book.seq:
            raise DataValidationError(f"wanted.seq must be {book.seq}, the frame of the book, was {wanted.seq}")
        if self._verdict is not None and wanted.seq == self._verdict.seq:
            return self._verdict
        if wanted.seq != self._state.seq + 1:
            raise RecoveryError(f"seq must be {self._state.seq + 1}, the frame after the last, was {wanted.seq}")
        state, events = self._measure(book, inputs)
        orders, cancels, more = self._decide(wanted, book, state)
        if state.is_flattening and not (orders or np.any(book.quantity) or np.any(book.working)):
            state = replace(state, is_flattening=False)
        self._state = replace(state, seq=wanted.seq)
        self._verdict = Verdict(
            seq=wanted.seq,
            orders=tuple(orders),
            cancels=cancels,
            events=(*events, *more),
            is_halted=state.is_halted,
            drawdown_frac=state.drawdown_frac,
            risk_state=self._state.as_text(),
            inputs=wanted.inputs,
        )
        return self._verdict

    def snapshot(self) -> RiskState:
        """Return the state after the last frame."""
        return self._state

    def restore(self, state: RiskState | Mapping[str, str]) -> None:
        """Resume after the frame of `state`, or of the `Verdict.risk_state` that was recorded with it."""
        self._state = state if isinstance(state, RiskState) else RiskState.from_text(state)
        self._verdict = None

    def _measure(self, book: Book, inputs: tuple[Input, ...]) -> tuple[RiskState, list[RiskEvent]]:
        session = self._sessions.locate(book.ts_close_ns)
        state, events = apply_commands(self._state, book.seq, inputs)
        state, loss_events = self._daily_loss.update(state, book.seq, session, book.equity)
        state, ladder_events = self._ladder.update(state, book.seq)
        return state, [*events, *loss_events, *ladder_events]

    def _decide(
        self, wanted: Proposal, book: Book, state: RiskState
    ) -> tuple[list[OrderIntent], tuple[str, ...], list[RiskEvent]]:
        blocks = self._blocks(state)
        before = self._state
        is_new_block = state.is_halted > before.is_halted or state.is_session_blocked > before.is_session_blocked
        if not (wanted.orders or state.rung or state.is_flattening or is_new_block):
            return [], wanted.cancels, []
        cancels = wanted.cancels
        if state.is_flattening:
            cancels = () if before.is_flattening else CANCEL_ALL
        working = np.zeros_like(book.working) if cancels == CANCEL_ALL else book.working
        exposure = Exposure(book, working, self._sector, self._n_sectors)
        closing = book.quantity - exposure.closable  # on its way already
        cap = self._cap(state, wanted)
        orders, events = self._admit(wanted, exposure, blocks, cap)
        name, own = self._ladder.name, list[OrderIntent]()
        if state.is_flattening:
            left = exposure.shares
            if np.any(left) and cancels != CANCEL_ALL:
                cancels, left = CANCEL_ALL, left - working
            name, own = KILL_SWITCH, self._reduction.close(book.seq, left, Purpose.FLATTEN)
        elif is_new_block:
            cancels = CANCEL_ALL
            name, own = blocks[0].name, self._reduction.close(book.seq, closing, Purpose.KEEP_EXIT)
        elif cap:
            own = self._reduction.deleverage(book.seq, exposure, cap, self._config.deleverage_band_frac)
        for order in own:
            action = f"{order.purpose}: {order.side} {order.quantity}"
            events.append(RiskEvent(book.seq, name, order.symbol, state.drawdown_frac, 0.0, action))
        return [*orders, *own], cancels, events

    def _cap(self, state: RiskState, wanted: Proposal) -> DrawdownCap | None:
        if not state.rung:
            return None
        exposure_frac = self._ladder.exposure_frac(state.rung)
        return DrawdownCap(exposure_frac, wanted.target_weight, self._config.max_position_frac)

    def _blocks(self, state: RiskState) -> list[NoNewRisk]:
        blocks = []
        if state.is_halted:
            blocks.append(NoNewRisk(KILL_SWITCH, state.drawdown_frac, 0.0))
        if state.is_session_blocked:
            blocks.append(NoNewRisk(self._daily_loss.name, state.session_loss_frac, self._config.daily_loss_frac))
        if state.equity <= 0:
            blocks.append(NoNewRisk("equity", float(state.equity), 0.0))
        return blocks

    def _admit(
        self, wanted: Proposal, exposure: Exposure, blocks: list[NoNewRisk], cap: DrawdownCap | None
    ) -> tuple[list[OrderIntent], list[RiskEvent]]:
        def opens(order: OrderIntent) -> bool:
            return float(order.quantity) > exposure.reducing(self._index[order.symbol], order.side.sign)

        limits: Sequence[ExposureLimit] = blocks or ([cap, *self._limits] if cap else self._limits)
        orders: list[OrderIntent] = []
        events: list[RiskEvent] = []
        for order in sorted(wanted.orders, key=opens):
            passed, event = admit(order, self._index[order.symbol], exposure, limits, self._universe.lot)
            if passed:
                orders.append(passed)
            if event:
                events.append(event)
        if blocks and events:  # one a frame: a blocked portfolio asks for the same again and again
            events = [replace(events[0], symbol="", action=f"new risk refused in {len(events)} orders")]
        return orders, events
