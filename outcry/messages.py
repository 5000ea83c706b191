"""What the stages of the desk say to one another.

Commands are imperative (`SubmitOrder`), facts are nouns or past tense. Every message carries `seq`, the frame it
belongs to: a repeated message is recognised by it. Prices and quantities of orders and fills are `Decimal`, quantised
to tick and lot; arrays are float64 in the order of the universe.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from outcry.market.frame import BoolArray, FloatArray, IntArray

ZERO = Decimal(0)


class Direction(IntEnum):
    """The class order of every model, probability column and label."""

    UP = 0
    NEUTRAL = 1
    DOWN = 2


class AbstainReason(IntEnum):
    """Why a forecast asks for no new risk: not at all; its prediction set is not one direction; its members differ; too
    few of them name the same class."""

    NONE = 0
    PREDICTION_SET = 1
    DISAGREEMENT = 2
    AGREEMENT = 3

    @property
    def text(self) -> str:
        """The name as it is recorded; empty where the forecast does not abstain."""
        return self.name.lower() if self else ""


ReasonArray = NDArray[np.int8]
"""Values of `AbstainReason`."""


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """What an order waits for; `outcry.execution.order_rules` says which fields each one takes."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    """How long an order works: for the session, until cancelled, at once or not at all (in part, or as a whole), in the
    opening, in the close."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    OPG = "opg"
    CLS = "cls"


ALL_OPEN = ("*",)
"""Cancels that mean every open order."""
ALL_WORKING = ("*working",)
"""Cancels that mean every open order that counts as on its way; what only protects a position stays."""


class Purpose(StrEnum):
    """Why an order was made; part of its id."""

    REBALANCE = "rebalance"
    ENTER = "enter"
    RESIZE = "resize"
    EXIT = "exit"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    DELEVERAGE = "deleverage"
    FLATTEN = "flatten"
    KEEP_EXIT = "keep_exit"
    MARGIN_CALL = "margin_call"


class OrderStatus(StrEnum):
    """The life of an order; `outcry.execution.lifecycle` holds the steps between the states."""

    CREATED = "created"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class LedgerEventKind(StrEnum):
    """What moves cash or shares of an account without a trade."""

    SPLIT = "split"
    DIVIDEND = "dividend"
    BORROW_FEE = "borrow_fee"
    INTEREST = "interest"


class InputKind(StrEnum):
    """What reaches a run from outside its frames; a replay takes these from the journal."""

    HALT = "halt"
    RESUME = "resume"
    FORECAST_FALLBACK = "forecast_fallback"
    MODEL_SWAPPED = "model_swapped"


@dataclass(frozen=True, slots=True)
class Input:
    """An input that took effect at the boundary of frame `seq`.

    `payload` holds the facts of the kind: ``reason`` and ``flatten`` of a halt, ``model_version`` of a swap.
    """

    seq: int
    kind: InputKind
    payload: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class WindowPart:
    """The last rows of some symbols and some of the columns that were asked for.

    Attributes
    ----------
    symbols : int64 (n_symbols_of_part,)
        Ascending columns of the universe.
    places : int64 (n_columns_of_part,)
        Ascending places among the columns that were asked for.
    values : float32 (n_bars, n_symbols_of_part, n_columns_of_part)
        Oldest frame first; or a reference to such an array in the object store of a cluster.
    """

    symbols: IntArray
    places: IntArray
    values: Any


ReadWindows = Callable[[IntArray, int], Awaitable[tuple[WindowPart, ...]]]
"""From columns and a number of bars to the rows of the last bars, that of the frame included."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureFrame:
    """The features of one frame.

    Attributes
    ----------
    seq, ts_close_ns : int
        Of the frame.
    values : float64 (n_symbols, n_features)
        Columns in the order of the feature set; NaN before the warm-up of a column.
    stale : bool (n_symbols,)
        The symbol had no bar in this frame; its row repeats the last one.
    windows : ReadWindows, optional
        Reads the rows of the last frames while this one is under way, as float32, NaN before the first frame; absent
        where none are kept. See `outcry.models.windows.read_windows`.
    close : float64 (n_symbols,), optional
        Of the frame, as if no share had ever been split; NaN where a symbol has no bar. What became of forecasts is
        told by it; absent where nobody asks.
    """

    seq: int
    ts_close_ns: int
    values: FloatArray
    stale: BoolArray
    windows: ReadWindows | None = None
    close: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """What the last frames say of the coverage of prediction sets.

    Attributes
    ----------
    n_rows : int
        Outcomes in the window.
    coverage_frac : float
        The mean over the blocks of the share of outcomes that were covered.
    low_frac, high_frac : float
        Confidence interval of the coverage, at the level of the monitor.
    is_off : bool
        The stated coverage lies outside of it.
    """

    n_rows: int
    coverage_frac: float
    low_frac: float
    high_frac: float
    is_off: bool


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What the ensemble expects over its horizon.

    Attributes
    ----------
    seq : int
    probability : float64 (n_symbols, 3)
        Calibrated, columns in the order of `Direction`, rows sum to 1; NaN rows where no forecast could be made.
    confidence : float64 (n_symbols,)
        In [0, 1]: the largest probability rescaled so that an even split is 0.
    volatility_per_year : float64 (n_symbols,)
        Trailing annualised volatility of the features the forecast was made of; NaN before its warm-up.
    model_version : str
    inputs : tuple of Input
        A fallback, or a model seen for the first time; committed with the orders of the frame.
    abstain : int8 (n_symbols,), optional
        Of `AbstainReason`: where it is not 0, the forecast is too uncertain for new risk. Absent where nothing is
        withheld.
    coverage : CoverageReport, optional
        Of the prediction sets up to this frame; absent where there are none, or too few outcomes.
    state : mapping of str to arrays, optional
        What is needed to forecast the next frame, where that rests on earlier ones; recorded with the frame.
    """

    seq: int
    probability: FloatArray
    confidence: FloatArray
    volatility_per_year: FloatArray
    model_version: str
    inputs: tuple[Input, ...] = ()
    abstain: ReasonArray | None = None
    coverage: CoverageReport | None = None
    state: Mapping[str, NDArray[Any]] | None = None


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """An order that somebody wants; after the risk gate, the order that is sent.

    Attributes
    ----------
    client_order_id : str
        A hash of run, frame, symbol and purpose, so a resend is recognised.
    seq : int
        The frame that made it.
    symbol : str
    side : Side
    quantity : Decimal
        Shares, unsigned.
    order_type : OrderType
    time_in_force : TimeInForce
    limit_price, stop_price : Decimal or None
        Account currency.
    trail_price, trail_frac : Decimal or None
        How far a trailing stop stays behind the best price: account currency, or a fraction of that price.
    parent_id : str
        The order that this one is a leg of: it waits until that one trades, works for what that one has traded, and
        ends with it where that one never does.
    oco_group : str
        What one order of a group trades, the others of it no longer do: one cancels the other.
    is_reduce_only : bool
        Trades no more than closes what is held, and ends when there is nothing left to close. A leg always is.
    purpose : Purpose
    """

    client_order_id: str
    seq: int
    symbol: str
    side: Side
    quantity: Decimal
    order_type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.GTC
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_frac: Decimal | None = None
    parent_id: str = ""
    oco_group: str = ""
    is_reduce_only: bool = False
    purpose: Purpose = Purpose.REBALANCE


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade of one order at the broker.

    `price` includes slippage; `slippage` is its cost in currency (positive), `commission` likewise.
    """

    fill_id: str
    client_order_id: str
    seq: int
    ts_ns: int
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    commission: Decimal
    slippage: Decimal


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """What the broker booked without a trade, before the bars of frame `seq`; one a frame, kind and symbol.

    Attributes
    ----------
    seq : int
    ts_ns : int
        Close of the frame.
    kind : LedgerEventKind
    symbol : str
        Empty for interest, which is on the account.
    quantity : Decimal
        Change of the signed shares held; 0 but for a split.
    amount : Decimal
        Change of the cash, account currency: negative where the account pays.
    """

    seq: int
    ts_ns: int
    kind: LedgerEventKind
    symbol: str
    quantity: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OrderUpdated:
    """An order reached `status` at frame `seq`."""

    client_order_id: str
    seq: int
    status: OrderStatus
    filled_quantity: Decimal
    reason: str = ""


class MarketAnswer(NamedTuple):
    """What a broker did in a frame: trades, what became of orders, and what it booked without a trade, before both."""

    fills: tuple[Fill, ...] = ()
    updates: tuple[OrderUpdated, ...] = ()
    events: tuple[LedgerEvent, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Executions:
    """What the broker did up to the close of frame `seq`.

    `events` happened before the `fills`. `working` is the signed quantity, float64 (n_symbols,), of orders still open
    after it.
    """

    seq: int
    fills: tuple[Fill, ...]
    updates: tuple[OrderUpdated, ...]
    working: FloatArray
    events: tuple[LedgerEvent, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """The portfolio after the fills of frame `seq`, marked at its closes.

    Attributes
    ----------
    seq, ts_close_ns : int
    cash, equity, realized_pnl, commission, slippage : Decimal
        Account currency; `commission` and `slippage` are totals so far, costs positive.
    dividends, carry : Decimal
        Totals so far: dividends received less those paid on short positions; borrow fees and interest paid less
        interest received.
    quantity : float64 (n_symbols,)
        Signed shares held.
    working : float64 (n_symbols,)
        Signed shares of open orders.
    entry_price : float64 (n_symbols,)
        Average entry price; 0 where flat.
    price : float64 (n_symbols,)
        Last close seen; NaN before the first bar.
    stale : bool (n_symbols,)
        No bar in this frame.
    """

    seq: int
    ts_close_ns: int
    cash: Decimal
    equity: Decimal
    realized_pnl: Decimal
    commission: Decimal
    slippage: Decimal
    quantity: FloatArray
    working: FloatArray
    entry_price: FloatArray
    price: FloatArray
    stale: BoolArray
    dividends: Decimal = ZERO
    carry: Decimal = ZERO


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """The orders the portfolio wants.

    `target_weight` is float64 (n_symbols,), signed fractions of equity; NaN where it has no opinion.
    """

    seq: int
    orders: tuple[OrderIntent, ...]
    cancels: tuple[str, ...]
    target_weight: FloatArray
    inputs: tuple[Input, ...] = ()


@dataclass(frozen=True, slots=True)
class RiskEvent:
    """A limit acted: what it measured, against which threshold, and what it did."""

    seq: int
    limit: str
    symbol: str
    value: float
    threshold: float
    action: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The orders that may be sent, and the state of the gate after deciding so.

    `cancels` are client order ids; ``("*",)`` cancels every open order. `risk_state` is what the gate needs to resume
    after this frame, as text values; it is recorded with the frame.
    """

    seq: int
    orders: tuple[OrderIntent, ...]
    cancels: tuple[str, ...]
    events: tuple[RiskEvent, ...]
    is_halted: bool
    drawdown_frac: float
    risk_state: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """What the broker answered to the orders of frame `seq`."""

    seq: int
    orders: tuple[OrderIntent, ...]
    updates: tuple[OrderUpdated, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FrameOutcome:
    """Everything that happened in one frame; its record completes the frame."""

    seq: int
    ts_close_ns: int
    executions: Executions
    book: Book
    forecast: Forecast
    verdict: Verdict
    submission: Submission
    features: FeatureFrame
