"""What a finished run leaves behind: the one input of analytics and report."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from outcry.backtest.analytics.sweep_evidence import SweepEvidence
from outcry.backtest.benchmark import Benchmark
from outcry.errors import DataValidationError
from outcry.features.guard import ColumnQuality
from outcry.market.frame import FloatArray, IntArray
from outcry.market.universe import Universe
from outcry.messages import Fill, LedgerEvent, ReasonArray, RiskEvent
from outcry.models.explanation import Explanation
from outcry.models.manifest import BundleManifest


@dataclass(frozen=True, slots=True)
class AssumedCosts:
    """What a trade was assumed to cost; all positive, currency or basis points of the traded value."""

    slippage_bps: float
    commission_per_share: float = 0.0
    commission_bps: float = 0.0
    min_commission: float = 0.0


@dataclass(frozen=True, slots=True)
class TradedWindow:
    """One window of a walk-forward: what its model made on the span after the one it learnt from.

    Attributes
    ----------
    train_span_ns, test_span_ns : tuple of int
        First and last close, nanoseconds UTC.
    model_version : str
    in_sample_sharpe : float or None
        Of the same model trading its own training span: what it remembers, no result. Of session returns, a year;
        None without variance.
    out_of_sample_sharpe : float or None
        Of the test span, as part of the whole run.
    total_return : float
        A fraction, of the test span.
    max_drawdown : float
        In [0, 1], from the highest equity since the span began.
    n_trades : int
        Round trips that ended in the test span.
    """

    train_span_ns: tuple[int, int]
    test_span_ns: tuple[int, int]
    model_version: str
    in_sample_sharpe: float | None
    out_of_sample_sharpe: float | None
    total_return: float
    max_drawdown: float
    n_trades: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunHistory:
    """Hold one run, frame by frame, as it was recorded by a live floor or made by a backtest.

    Attributes
    ----------
    run_id, mode, source, model_version : str
        `source` is where the bars came from, `mode` is local, paper, live or backtest.
    universe : Universe
    bar_ns : int
        Size of a bar.
    bars_per_year : float
        Frames of the universe in a year of trading; annualises every ratio.
    ts_close_ns : int64 (n,)
        Closes of the traded frames, increasing.
    equity, cash, gross_exposure, net_exposure, drawdown : float64 (n,)
        After the fills of the frame, marked at its closes. Equity and cash in currency, exposures as signed fractions
        of equity, drawdown as a fraction in [0, 1].
    closes : float64 (n, n_symbols)
        In shares of the last bar of each symbol; NaN where a symbol has no bar.
    volume : float64 (n, n_symbols) or None
        Shares, as `closes`; None where not recorded.
    dividends : float64 (n, n_symbols) or None
        Account currency a share of `closes`; None where none was ever paid.
    probability : float64 (n, n_symbols, 3)
        Forecasts made at the close of the frame, columns in the order of `Direction`; NaN where there is none.
    abstain : int8 (n, n_symbols) or None
        Of `AbstainReason`: where it is not 0, the forecast asked for no new risk. None where nothing was withheld.
    horizon_bars : int
        Over which a forecast looks.
    band_frac : float or float64 (n, n_symbols)
        Half width of the neutral band of the label, a fraction of the price.
    fills : tuple of Fill
        In the order in which they happened, in the shares of `closes`; see `outcry.backtest.adjusted`.
    ledger_events : tuple of LedgerEvent
        Splits, dividends, borrow fees and interest, in the order in which they were booked.
    initial_cash : float
        Equity before the first frame.
    costs : AssumedCosts
    risk_free_per_year : float
        Simple annual rate that ratios are measured above.
    benchmark : Benchmark or None
        What the run is measured against; None for buying and holding its universe.
    orders_by_status : mapping of str to int
    risk_events : tuple of RiskEvent
    latency_ms : mapping of str to float64 (any,)
        Samples a stage; empty for a backtest.
    feature_quality : tuple of ColumnQuality
        Columns that went wrong while the run went on.
    manifest : BundleManifest
        Of the model that was asked, of the first where there were several; None where none was.
    explanation : Explanation
        Of that model; None where nobody has asked for one.
    training_span_ns : tuple of int
        First and last instant that the model has seen, its validation included; None where no model was trained.
    settings : mapping of str to str
        Further facts for the page, as text. No secrets.
    sweep : SweepEvidence or None
        Where the run is the best of many; None where it is one by itself.
    windows : tuple of TradedWindow
        Of a walk-forward, oldest first: every frame is traded by the newest model that was trained before it. Empty
        where one model traded all frames, or none did.

    Raises
    ------
    DataValidationError
        Where the history is empty or the lengths differ.
    """

    run_id: str
    mode: str
    source: str
    model_version: str
    universe: Universe
    bar_ns: int
    bars_per_year: float
    ts_close_ns: IntArray
    equity: FloatArray
    cash: FloatArray
    gross_exposure: FloatArray
    net_exposure: FloatArray
    drawdown: FloatArray
    closes: FloatArray
    probability: FloatArray
    horizon_bars: int
    band_frac: float | FloatArray
    fills: tuple[Fill, ...]
    initial_cash: float
    costs: AssumedCosts
    risk_free_per_year: float = 0.0
    benchmark: Benchmark | None = None
    abstain: ReasonArray | None = None
    volume: FloatArray | None = None
    dividends: FloatArray | None = None
    orders_by_status: Mapping[str, int] = field(default_factory=dict)
    risk_events: tuple[RiskEvent, ...] = ()
    latency_ms: Mapping[str, FloatArray] = field(default_factory=dict)
    feature_quality: tuple[ColumnQuality, ...] = ()
    ledger_events: tuple[LedgerEvent, ...] = ()
    manifest: BundleManifest | None = None
    explanation: Explanation | None = None
    training_span_ns: tuple[int, int] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    sweep: SweepEvidence | None = None
    windows: tuple[TradedWindow, ...] = ()

    def __post_init__(self) -> None:
        n_frames, n_symbols = len(self.ts_close_ns), len(self.universe)
        if n_frames == 0:
            raise DataValidationError(f"history of run {self.run_id} must have at least one frame, had none")
        shapes: dict[str, tuple[int, ...]] = {
            **dict.fromkeys(("equity", "cash", "gross_exposure", "net_exposure", "drawdown"), (n_frames,)),
            "closes": (n_frames, n_symbols),
            "probability": (n_frames, n_symbols, 3),
        }
        shapes |= {name: (n_frames, n_symbols) for name in ("abstain", "volume") if getattr(self, name) is not None}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise DataValidationError(f"{name} must have shape {shape}, was {getattr(self, name).shape}")
        if self.initial_cash <= 0:
            raise DataValidationError(f"initial_cash must be positive, was {self.initial_cash}")
