"""Run a whole backtest in one compiled loop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcry.backtest.fast import loop
from outcry.backtest.fast.result import FastRun
from outcry.backtest.fast.tape import MarketTape
from outcry.backtest.strategy import Holdings, MarketView, StatefulStrategy, ask_frame
from outcry.errors import DataValidationError
from outcry.execution.config import BrokerConfig
from outcry.execution.kernels import cover
from outcry.execution.kernels.model import assumed_market, commission_tiers
from outcry.market.frame import BoolArray, FloatArray
from outcry.market.grid import LARGEST_UNITS
from outcry.market.universe import Universe
from outcry.messages import ReasonArray
from outcry.order_rows import N_COLUMNS, N_EVENT_COLUMNS, N_FILL_COLUMNS
from outcry.portfolio.config import PortfolioConfig
from outcry.portfolio.kernels import positions
from outcry.portfolio.kernels.orders import MOST_LEGS, order_rules
from outcry.portfolio.kernels.rebalancing import steps_of
from outcry.portfolio.kernels.sizing import sizing_rules
from outcry.risk.arrays import build_results, build_rules, build_scratch, to_array
from outcry.risk.config import RiskConfig
from outcry.risk.kernels.layout import N_EVENT_NUMBERS, N_EVENT_VALUES
from outcry.risk.state import RiskState

BARS_A_CALL = 2_000_000
"""Symbols times frames between two looks at the progress."""
BARS_AN_ORDER, MOST_ROOM = 32, 500_000
"""Logs begin with room for an order every so many symbols times frames, up to a limit: to enlarge them is to copy them,
and what nothing is written to takes no memory."""


@dataclass(frozen=True, slots=True)
class FastConfig:
    """The sections of the settings that a run depends on."""

    broker: BrokerConfig
    portfolio: PortfolioConfig
    risk: RiskConfig


class FastBacktest:
    """Trade a tape from target weights or forecasts: orders, fills and equity are those of the desk, to the last digit.

    Parameters
    ----------
    run_id : str
        Part of every order id.
    universe : Universe
    config : FastConfig
    tape : MarketTape

    Notes
    -----
    An object trades its tape once. One symbol and frame takes some tens of nanoseconds, and the logs some hundred bytes
    an order.
    """

    def __init__(self, run_id: str, universe: Universe, config: FastConfig, tape: MarketTape) -> None:
        if tape.n_symbols != len(universe):
            raise DataValidationError(f"tape must have {len(universe)} symbols, had {tape.n_symbols}")
        self._run_id = run_id
        self._universe = universe
        self._tape = tape
        self._market_tape = (
            tuple(_read_only(column) for column in tape.bars),
            _read_only(tape.clock),
            _read_only(tape.session),
            _read_only(tape.present),
            tape.n_past,
        )
        self._grid = universe.grid
        n, n_most = len(universe), (1 + MOST_LEGS) * len(universe)
        broker = config.broker.assumed()
        self._market = (assumed_market(broker, self._grid), commission_tiers(broker))
        cash = self._grid.money_units(broker.initial_cash)
        self._account = np.zeros(cover.N_SLOTS, dtype=np.int64)
        self._account[cover.CASH] = cash
        self._held = (np.zeros(n, dtype=np.int64), np.zeros(2, dtype=np.int64))  # lots at the broker, its counts
        self._last = (np.zeros(n, dtype=np.int64), np.full(n, np.nan))
        book = np.zeros(positions.N_ACCOUNT_SLOTS, dtype=np.int64)
        book[positions.CASH] = book[positions.EQUITY] = cash
        self._book = (book, np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64))
        self._rules = build_rules(config.risk, universe)
        steps = steps_of(self._grid)
        self._rulebook = (sizing_rules(config.portfolio), order_rules(config.portfolio), steps, self._rules)
        self._decisions = (
            to_array(RiskState(), RiskState(), self._grid),
            np.full(n, np.nan),
            np.zeros((n_most, N_COLUMNS), dtype=np.int64),
            (np.zeros((2, n)), np.zeros((2, n), dtype=np.int64)),
            build_scratch(n, len(self._rules[3]), n_most),
            build_results(n, n_most),
            np.zeros(n_most, dtype=np.int64),
        )
        self._counters = np.zeros(loop.N_COUNTERS, dtype=np.int64)
        self._counters[loop.FAILURE] = positions.FITS
        self._curves = (np.zeros((4, len(tape))), np.zeros((2, len(tape)), dtype=np.int64))
        self._n_traded = 0
        self._frames_a_call = max(BARS_A_CALL // n, 1)
        self._open = np.zeros((0, N_COLUMNS), dtype=np.int64)
        self._orders = np.zeros((0, N_COLUMNS), dtype=np.int64)
        self._fills = np.zeros((0, N_FILL_COLUMNS), dtype=np.int64)
        self._booked = np.zeros((0, N_EVENT_COLUMNS), dtype=np.int64)
        self._events = (
            np.zeros((0, N_EVENT_NUMBERS), dtype=np.int64),
            np.zeros((0, N_EVENT_VALUES)),
            np.zeros(0, dtype=np.int64),
        )
        self._make_room(16 * n_most + min(n * len(tape) // BARS_AN_ORDER, MOST_ROOM))

    def trade_weights(self, weights: FloatArray, on_progress: Callable[[float], None] | None = None) -> FastRun:
        """Trade target weights, float64 (n_frames, n_symbols); NaN leaves a symbol as it is."""
        return self._trade_given("weights", weights, on_progress)

    def trade_shares(self, shares: FloatArray, on_progress: Callable[[float], None] | None = None) -> FastRun:
        """Trade signed shares to be held, float64 (n_frames, n_symbols); NaN leaves a symbol as it is."""
        self._counters[loop.IN_SHARES] = 1
        return self._trade_given("shares", shares, on_progress)

    def trade_forecasts(
        self,
        probability: FloatArray,
        volatility: FloatArray,
        on_progress: Callable[[float], None] | None = None,
        *,
        abstain: ReasonArray | None = None,
    ) -> FastRun:
        """Trade forecasts as the portfolio sizes them.

        Parameters
        ----------
        probability : float64 (n_frames, n_symbols, 3)
        volatility : float64 (n_frames, n_symbols)
            A year, as the forecast tells it.
        on_progress : callable, optional
        abstain : int8 (n_frames, n_symbols), optional
            Of `AbstainReason`: where it is not 0 there is no new risk. Absent where nothing is withheld.
        """
        shape = (len(self._tape), self._tape.n_symbols)
        if probability.shape != (*shape, 3) or volatility.shape != shape:
            raise DataValidationError(
                f"probability and volatility must have shapes {(*shape, 3)} and {shape}, "
                f"had {probability.shape} and {volatility.shape}"
            )
        is_abstained = np.zeros(shape, dtype=np.bool_) if abstain is None else abstain != 0
        if is_abstained.shape != shape:
            raise DataValidationError(f"abstain must have shape {shape}, had {is_abstained.shape}")
        return self._trade(_views(None, probability, volatility, is_abstained), on_progress)

    def trade_strategy(
        self, strategy: StatefulStrategy, view: MarketView, on_progress: Callable[[float], None] | None = None
    ) -> FastRun:
        """Trade what a strategy says frame by frame.

        Raises
        ------
        StrategyError
            What `ask_frame` finds wrong. `result` still gives the frames that were traded.
        """
        weights = np.full((len(self._tape), self._tape.n_symbols), np.nan)
        views = _views(weights)
        run = loop.compile_run()
        for k in range(len(self._tape)):
            self._make_room_for_a_frame()
            arguments = self._arguments(views)
            if run(k, k + 1, loop.MARKET_HALF, *arguments) == k:
                self._raise_too_large(k)
            weights[k] = ask_frame(strategy, view.row(k), self._holdings())
            run(k, k + 1, loop.DECISION_HALF, *arguments)
            self._n_traded = k + 1
            if on_progress is not None and k % self._frames_a_call == 0:
                on_progress(k / len(self._tape))
        return self.result()

    def result(self) -> FastRun:
        """Return the run as far as it came."""
        n, counters = self._n_traded, self._counters
        curves, units = self._curves
        n_events = int(counters[loop.N_EVENTS])
        numbers, values, seqs = self._events
        return FastRun(
            run_id=self._run_id,
            universe=self._universe,
            first_seq=self._tape.first_seq,
            ts_close_ns=self._tape.ts_close_ns[:n],
            order_rows=self._orders[: counters[loop.N_ORDERS]],
            fill_rows=self._fills[: counters[loop.N_FILLS]],
            ledger_rows=self._booked[: counters[loop.N_LEDGER_EVENTS]],
            event_rows=(numbers[:n_events], values[:n_events], seqs[:n_events]),
            ladder=self._rules[1],
            cash_units=units[loop.CASH_CURVE, :n],
            equity_units=units[loop.EQUITY_CURVE, :n],
            gross=curves[loop.GROSS, :n],
            net=curves[loop.NET, :n],
            drawdown=curves[loop.DRAWDOWN, :n],
            is_halted=curves[loop.HALTED, :n] != 0,
        )

    def _trade_given(self, name: str, given: FloatArray, on_progress: Callable[[float], None] | None) -> FastRun:
        shape = (len(self._tape), self._tape.n_symbols)
        if given.shape != shape:
            raise DataValidationError(f"{name} must have shape {shape}, had {given.shape}")
        return self._trade(_views(given), on_progress)

    def _trade(self, views: loop.Views, on_progress: Callable[[float], None] | None) -> FastRun:
        run, n_frames = loop.compile_run(), len(self._tape)
        while self._n_traded < n_frames:
            self._make_room_for_a_frame()
            stop = min(self._n_traded + self._frames_a_call, n_frames)
            self._n_traded = run(self._n_traded, stop, loop.WHOLE, *self._arguments(views))
            if self._counters[loop.FAILURE] != positions.FITS:
                self._raise_too_large(self._n_traded)
            if on_progress is not None:
                on_progress(self._n_traded / n_frames)
        return self.result()

    def _arguments(self, views: loop.Views) -> tuple[object, ...]:
        (lots, counts), (units, closes) = self._held, self._last
        broker = (self._account, lots, self._open, counts, units, closes)
        logs = (self._orders, self._fills, *self._events, *self._curves, self._booked)
        return (
            self._market_tape,
            (broker, *self._market, self._market_scratch),
            (*self._book, self._places),
            self._rulebook,
            self._decisions,
            views,
            logs,
            self._counters,
        )

    def _make_room_for_a_frame(self) -> None:
        """Enlarge tables and logs where the next frame may need more than there is left."""
        n_rows, counters = 4 * len(self._universe), self._counters
        n_open = int(self._held[1][0])
        needed = max(n_open + n_rows, counters[loop.N_ORDERS] + n_rows, counters[loop.N_EVENTS] + n_rows + 4)
        needed = max(int(needed), int(counters[loop.N_FILLS]) + n_open, int(counters[loop.N_LEDGER_EVENTS]) + n_rows)
        if needed > len(self._orders):
            self._make_room(2 * needed)

    def _make_room(self, capacity: int) -> None:
        n = len(self._universe)
        self._open = _enlarged(self._open, capacity)
        self._orders = _enlarged(self._orders, capacity)
        self._fills = _enlarged(self._fills, capacity)
        self._booked = _enlarged(self._booked, capacity)
        numbers, values, seqs = self._events
        self._events = _enlarged(numbers, capacity), _enlarged(values, capacity), _enlarged(seqs, capacity)
        self._places = np.zeros(capacity, dtype=np.int64)
        marks, free = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        self._market_scratch = (marks, free, np.zeros(capacity, dtype=np.int64))

    def _holdings(self) -> Holdings:
        account, lots, basis, working = self._book
        scale, price_scale = self._grid.money_scale, self._grid.price_scale
        entry_price = np.divide(basis, lots * price_scale, out=np.zeros(len(lots)), where=lots != 0)
        equity, cash = account[positions.EQUITY] / scale, account[positions.CASH] / scale
        return Holdings.of_lots((equity, cash), lots + working, entry_price, self._last[1], self._grid.lot_shares)

    def _raise_too_large(self, k: int) -> None:
        name = positions.AMOUNT_NAMES[self._counters[loop.FAILURE]]
        largest = self._grid.money(LARGEST_UNITS)
        raise DataValidationError(
            f"{name} must stay below {largest:.0f}, which whole units of {self._grid.money_unit} can count, "
            f"did not in frame {self._tape.first_seq + k}"
        )


def _views(
    weights: FloatArray | None,
    probability: FloatArray | None = None,
    volatility: FloatArray | None = None,
    is_abstained: BoolArray | None = None,
) -> loop.Views:
    """Return what decides as the loop takes it: what is not given has no rows."""
    return (
        _read_only(np.empty((0, 0)) if weights is None else weights),
        _read_only(np.empty((0, 0, 3)) if probability is None else probability),
        _read_only(np.empty((0, 0)) if volatility is None else volatility),
        _read_only(np.empty((0, 0), dtype=np.bool_) if is_abstained is None else is_abstained),
    )


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view that cannot be written, of the array itself where its rows are contiguous, else of a copy."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _enlarged(rows: NDArray[Any], capacity: int) -> NDArray[Any]:
    """Return the same rows with room for more."""
    larger = np.empty((capacity, *rows.shape[1:]), dtype=rows.dtype)
    larger[: len(rows)] = rows
    return larger
