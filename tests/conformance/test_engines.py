"""The compiled backtest against the desk: the same orders, fills and equity, to the last digit, whatever is traded."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from outcry.adapters.sources.load import load_market
from outcry.alphas.config import AlphasConfig
from outcry.alphas.forecast import forecast_score
from outcry.alphas.signal import AlphaSignal, edge_probability
from outcry.backtest.adjusted import adjust_run
from outcry.backtest.analytics.round_trips import round_trips
from outcry.backtest.analytics.trade_metrics import profit_by_symbol
from outcry.backtest.fast.closed_profits import closed_profits
from outcry.backtest.fast.engine import FastBacktest, FastConfig
from outcry.backtest.fast.figures import measure_run
from outcry.backtest.fast.result import FastRun
from outcry.backtest.fast.tape import build_tape
from outcry.backtest.in_process import LocalAlphas, LocalPortfolio, LocalRisk, LocalWeights, MemoryJournal
from outcry.backtest.replay import RunLedger, first_difference
from outcry.desk import Desk, trade_frame
from outcry.errors import DataValidationError
from outcry.execution.config import BrokerConfig
from outcry.execution.memory_ledger import MemoryLedger
from outcry.execution.router import OrderRouter
from outcry.execution.simulated_broker import SimulatedBroker
from outcry.execution.tape import frames_looked_back
from outcry.market.frame import DIVIDEND, NO_ACTION, SPLIT_FACTOR, SPLIT_RATIO, FloatArray, FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.source import SourceConfig
from outcry.market.universe import Universe
from outcry.messages import (
    AbstainReason,
    FeatureFrame,
    Forecast,
    LedgerEventKind,
    OrderType,
    ReasonArray,
    RiskEvent,
    Side,
    TimeInForce,
)
from outcry.portfolio.config import PortfolioConfig
from outcry.portfolio.construction import PortfolioConstruction
from outcry.portfolio.portfolio import Portfolio
from outcry.portfolio.rebalance import Rebalancing
from outcry.risk.config import DrawdownStep, RiskConfig
from outcry.risk.gate import RiskGate

N_SYMBOLS = 4
N_WARMUP = 6
BARS_A_SESSION = 4
MINUTE_NS = 60 * 10**9
SESSION_NS = 24 * 60 * MINUTE_NS
RUN_ID = "run"


@dataclass(frozen=True)
class Market:
    universe: Universe
    sessions: Sessions
    warmup: FrameTensor
    frames: FrameTensor


def build_market(seed: int, n_frames: int, volatility: float = 0.02, lot: str = "1") -> Market:
    """Return bars with gaps, thin and missing ones, on the tick or off it, in sessions of four minutes a day."""
    rng = np.random.default_rng(seed)
    n = N_WARMUP + n_frames
    steps = rng.normal(0, volatility, (n, N_SYMBOLS))
    close = np.round(20 * np.exp(np.cumsum(steps, axis=0)), int(rng.choice([2, 5])))
    open_ = close * np.exp(rng.normal(0, volatility / 2, close.shape))
    high = np.maximum(open_, close) * (1 + rng.uniform(0, volatility, close.shape))
    low = np.minimum(open_, close) * (1 - rng.uniform(0, volatility, close.shape))
    volume = rng.choice([0.0, 300.0, 4e3, 1e6], close.shape, p=[0.05, 0.15, 0.3, 0.5])
    present = rng.random(close.shape) < 0.9
    session, bar = np.divmod(np.arange(n), BARS_A_SESSION)
    ts = session * SESSION_NS + (bar + 1) * MINUTE_NS
    actions = np.tile(NO_ACTION, (*close.shape, 1))
    actions[..., SPLIT_RATIO] = rng.choice([1.0, 2.0, 0.1, 1.5, 7.0], close.shape, p=[0.96, 0.01, 0.01, 0.01, 0.01])
    actions[..., DIVIDEND] = rng.choice([0.0, 0.07, 0.3333], close.shape, p=[0.96, 0.02, 0.02])
    actions[~present] = NO_ACTION
    has_actions = bool(rng.random() < 0.5)
    if not has_actions:
        actions[:] = NO_ACTION
    factor = np.cumprod(actions[..., SPLIT_RATIO], axis=0)
    actions[..., SPLIT_FACTOR] = np.where(present, factor, 1.0)
    columns = {"open": open_ / factor, "high": high / factor, "low": low / factor, "close": close / factor}
    columns["volume"] = volume * factor
    for column in columns.values():
        column[~present] = np.nan
    tensor = FrameTensor(
        -N_WARMUP, ts, vwap=columns["close"], present=present, actions=actions if has_actions else None, **columns
    )
    starts = np.arange(-1, session[-1] + 4, dtype=np.int64) * SESSION_NS
    sessions = Sessions(starts, starts + BARS_A_SESSION * MINUTE_NS, starts, np.zeros(len(starts), dtype=np.int64))
    names = tuple(f"S{i}" for i in range(N_SYMBOLS))
    universe = Universe(names, ("Tech", "Tech", "Energy", "Other")[:N_SYMBOLS], lot=Decimal(lot))
    return Market(
        universe, sessions, tensor.rows(0, N_WARMUP, first_seq=-N_WARMUP), tensor.rows(N_WARMUP, n, first_seq=0)
    )


class NoFeatures:
    async def update(self, frame):
        return FeatureFrame(frame.seq, frame.ts_close_ns, np.empty((frame.n_symbols, 0)), ~frame.present)


class GivenForecasts:
    """`outcry.ports.Predictor` that reads what it forecasts from arrays."""

    def __init__(self, probability: FloatArray, volatility: FloatArray, abstain: ReasonArray | None) -> None:
        self._arrays = probability, volatility
        self._abstain = abstain

    async def predict(self, features):
        probability, volatility = (array[features.seq] for array in self._arrays)
        abstain = None if self._abstain is None else self._abstain[features.seq]
        return Forecast(features.seq, probability, np.zeros(len(volatility)), volatility, "model", abstain=abstain)


async def trade_on_desk(
    market: Market,
    config: FastConfig,
    probability: FloatArray,
    volatility: FloatArray,
    weights: FloatArray | None,
    abstain: ReasonArray | None = None,
    signal: AlphaSignal | None = None,
) -> tuple[RunLedger, tuple[RiskEvent, ...]]:
    universe = market.universe
    ledger = MemoryLedger()
    broker = SimulatedBroker(universe, config.broker, market.sessions)
    broker.warm_up(market.warmup)
    portfolio = Portfolio(universe, config.broker.initial_cash)
    construction = PortfolioConstruction(RUN_ID, universe, config.portfolio)
    local = LocalPortfolio(portfolio, construction)
    if signal is not None:
        local = LocalAlphas(local, signal)
    if weights is not None:
        rebalancing = Rebalancing(RUN_ID, universe, config.portfolio)
        local = LocalWeights(portfolio, rebalancing, lambda book: weights[book.seq])
    journal = MemoryJournal({}, ledger)
    desk = Desk(
        journal=journal,
        router=OrderRouter(broker, ledger),
        portfolio=local,
        features=NoFeatures(),
        predictor=GivenForecasts(probability, volatility, abstain),
        risk=LocalRisk(RiskGate(RUN_ID, universe, config.risk, market.sessions)),
    )
    outcomes = [await trade_frame(frame, desk) for frame in market.frames]
    equity = {outcome.seq: outcome.book.equity for outcome in outcomes}
    events = tuple(event for outcome in outcomes for event in outcome.verdict.events)
    return RunLedger(tuple(ledger.orders), tuple(ledger.fills), equity, tuple(ledger.events)), events


def trade_fast(
    market: Market,
    config: FastConfig,
    probability: FloatArray,
    volatility: FloatArray,
    weights: FloatArray | None,
    abstain: ReasonArray | None = None,
) -> FastRun:
    tape = build_tape(market.warmup, market.frames, market.sessions, frames_looked_back(config.broker))
    engine = FastBacktest(RUN_ID, market.universe, config, tape)
    if weights is not None:
        return engine.trade_weights(weights)
    return engine.trade_forecasts(probability, volatility, abstain=abstain)


BROKERS = st.builds(
    BrokerConfig,
    initial_cash=st.sampled_from([Decimal(5_000), Decimal(100_000)]),
    allow_short=st.booleans(),
    max_leverage=st.sampled_from([1.0, 3.0]),
    max_volume_frac=st.sampled_from([0.1, 1.0]),
    slippage=st.sampled_from(["fixed", "volume", "volatility", "spread"]),
    slippage_bps=st.sampled_from([0.0, 5.0]),
    impact=st.sampled_from(["none", "square_root", "almgren_chriss"]),
    window_bars=st.sampled_from([2, 5]),
    commission_bps=st.sampled_from([0.0, 3.0]),
    commission_tiers=st.sampled_from([(), ((100.0, 0.002), (500.0, 0.001))]),
    latency_ms=st.sampled_from([(0.0, 0.0), (100.0, 30_000.0), (50_000.0, 200_000.0)]),
    latency_frames=st.sampled_from([0, 0, 1]),
    borrow_bps_per_year=st.sampled_from([0.0, 900.0]),
    financing_bps_per_year=st.sampled_from([0.0, 700.0]),
    cash_bps_per_year=st.sampled_from([0.0, 400.0]),
)
AT_ONCE = [TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG, TimeInForce.CLS]


@st.composite
def portfolios(draw) -> PortfolioConfig:
    kind = draw(st.sampled_from(OrderType))
    at_once = AT_ONCE if kind in (OrderType.MARKET, OrderType.LIMIT) else []
    force = draw(st.sampled_from(["auto", TimeInForce.DAY, TimeInForce.GTC, *at_once]))
    loss = draw(st.sampled_from([{}, {"stop_loss_frac": 0.02}, {"trailing_stop_frac": 0.03}]))
    return PortfolioConfig(
        order_type=kind.value,
        time_in_force=str(force),
        take_profit_frac=draw(st.sampled_from([None, 0.03])),
        allow_short=draw(st.booleans()),
        max_positions=draw(st.sampled_from([2, 10])),
        max_position_frac=0.4,
        rebalance_frac=draw(st.sampled_from([0.0, 0.05])),
        target_volatility_per_year=0.5,
        **loss,
    )


RISKS = st.builds(
    RiskConfig,
    max_position_frac=st.sampled_from([0.2, 1.0]),
    max_gross_frac=st.sampled_from([0.5, 2.0]),
    max_net_frac=st.sampled_from([0.3, 2.0]),
    max_positions=st.sampled_from([2, 10]),
    max_sector_frac=st.sampled_from([0.25, 1.0]),
    daily_loss_frac=st.sampled_from([0.005, 0.5]),
    drawdown_ladder=st.sampled_from(
        [
            (),
            (DrawdownStep(drawdown_frac=0.01, exposure_frac=0.5), DrawdownStep(drawdown_frac=0.03, exposure_frac=0.0)),
            (
                DrawdownStep(drawdown_frac=0.005, exposure_frac=0.75),
                DrawdownStep(drawdown_frac=0.02, exposure_frac=0.5),
            ),
        ]
    ),
    maintenance_margin_frac=st.sampled_from([0.25, 0.9]),
    initial_margin_frac=st.just(1.0),
)
CONFIGS = st.builds(FastConfig, broker=BROKERS, portfolio=portfolios(), risk=RISKS)


@given(
    seed=st.integers(0, 10**6),
    config=CONFIGS,
    lot=st.sampled_from(["1", "0.001"]),
    is_given=st.booleans(),
    abstain_frac=st.sampled_from([0.0, 0.5]),
    volatility=st.sampled_from([0.005, 0.03]),
)
@settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])  # an example takes long to shrink, and says enough
async def test_the_desk_and_the_compiled_loop_trade_alike(seed, config, lot, is_given, abstain_frac, volatility):
    market = build_market(seed, 40, volatility, lot)
    rng = np.random.default_rng(seed)
    shape = (len(market.frames), N_SYMBOLS)
    probability = rng.dirichlet((2.0, 0.5, 2.0), shape)
    probability[rng.random(shape) < 0.1] = np.nan
    trailing = np.where(rng.random(shape) < 0.1, np.nan, rng.uniform(0.1, 0.5, shape))
    weights = None
    if is_given:
        weights = np.where(rng.random(shape) < 0.6, np.nan, rng.uniform(-0.6, 0.8, shape))
    abstain = np.where(rng.random(shape) < abstain_frac, AbstainReason.PREDICTION_SET, 0).astype(np.int8)
    recorded, events = await trade_on_desk(market, config, probability, trailing, weights, abstain)
    run = trade_fast(market, config, probability, trailing, weights, abstain)
    assert first_difference(recorded, run.ledger()) is None
    assert run.risk_events == events


@pytest.mark.parametrize("seed", [1, 6, 7])
@pytest.mark.parametrize("lot", ["1", "0.001"])
def test_figures_of_a_trial_are_those_of_the_report_across_splits(seed, lot):
    market = build_market(seed, 300, lot=lot)
    rng = np.random.default_rng(seed)
    shape = (len(market.frames), N_SYMBOLS)
    weights = np.where(rng.random(shape) < 0.9, np.nan, rng.uniform(-0.2, 0.3, shape))
    broker = BrokerConfig(allow_short=True, max_leverage=3.0, commission_bps=3.0)
    limits = RiskConfig(max_gross_frac=2.0, max_sector_frac=2.0, drawdown_ladder=(), daily_loss_frac=0.99)
    config = FastConfig(broker, PortfolioConfig(allow_short=True), limits)
    tape = build_tape(market.warmup, market.frames, market.sessions, frames_looked_back(broker))
    run = FastBacktest(RUN_ID, market.universe, config, tape).trade_weights(weights)
    splits = [event for event in run.ledger_events() if event.kind is LedgerEventKind.SPLIT]
    assert len(splits) > 3
    assert any(event.amount for event in splits) or lot != "1"
    trades, _ = round_trips(adjust_run(market.frames, run.fills(), run.ledger_events(), market.universe).fills)
    expected = [trade.pnl for trade in trades]
    assert len(expected) > 20
    # the report takes ratios of splits for fractions of small whole numbers, which seven in a row are not
    assert closed_profits(run, tape.split_factor) == pytest.approx(expected, rel=1e-9, abs=1e-5)
    metrics = measure_run(run, tape, float(broker.initial_cash), 252.0 * BARS_A_SESSION, 0.0).metrics
    gains, losses = (sum(pnl for pnl in expected if sign * pnl > 0) for sign in (1, -1))
    assert metrics["n_trades"] == len(expected)
    assert metrics["win_rate"] == pytest.approx(np.mean([pnl > 0 for pnl in expected]))
    assert metrics["profit_factor"] == pytest.approx(-gains / losses)


@pytest.mark.realdata
async def test_twenty_sessions_of_eighty_stocks_are_traded_alike(market_data_dir):
    source = SourceConfig(source=str(market_data_dir / "us_equities_5min_2025_2026.parquet"), end=date(2025, 9, 30))
    loaded = load_market(source, {})
    ends = loaded.calendar.sessions(*loaded.frames.ts_close_ns[[0, -1]].tolist())
    first = int(np.searchsorted(loaded.frames.ts_close_ns, ends.close_ns[-20]))
    market = Market(
        loaded.universe,
        ends,
        loaded.frames.rows(0, first, first_seq=-first),
        loaded.frames.rows(first, len(loaded.frames), first_seq=0),
    )
    close = np.vstack([market.warmup.close, market.frames.close])
    filled = pl.DataFrame(close).fill_nan(None).fill_null(strategy="forward").to_numpy()
    change = np.log(filled[first:] / filled[first - 60 : -60])
    edge = np.clip(np.nan_to_num(np.sign(change) * np.minimum(50 * np.abs(change), 1.0)), -1, 1)
    probability = np.stack([(1 + edge) / 2, np.zeros_like(edge), (1 - edge) / 2], axis=2)
    volatility = np.full(edge.shape, 0.4)
    broker = BrokerConfig(slippage="spread", impact="square_root", allow_short=True, latency_ms=(70.0, 310.0))
    portfolio = PortfolioConfig(allow_short=True, stop_loss_frac=0.01, take_profit_frac=0.02)
    config = FastConfig(broker, portfolio, RiskConfig(daily_loss_frac=0.01, drawdown_ladder=()))
    recorded, events = await trade_on_desk(market, config, probability, volatility, None)
    run = trade_fast(market, config, probability, volatility, None)
    assert len(recorded.fills) > 1_000
    assert first_difference(recorded, run.ledger()) is None
    assert run.risk_events == events


@pytest.mark.realdata
async def test_raw_prices_with_their_splits_and_dividends_are_traded_alike(market_data_dir, lean_actions):
    source = SourceConfig(
        source=str(market_data_dir / "us_equities_1d_lean.parquet"),
        symbols=("AAPL", "BAC", "IBM", "QQQ", "SPY"),
        corporate_actions=str(lean_actions),
    )
    loaded = load_market(source, {})
    sessions = loaded.calendar.sessions(*loaded.frames.ts_close_ns[[0, -1]].tolist())
    n = len(loaded.frames)
    market = Market(
        loaded.universe, sessions, loaded.frames.rows(0, 60, first_seq=-60), loaded.frames.rows(60, n, first_seq=0)
    )
    rng = np.random.default_rng(3)
    shape = market.frames.close.shape
    weights = np.where(rng.random(shape) < 0.95, np.nan, rng.uniform(-0.3, 0.4, shape))
    broker = BrokerConfig(allow_short=True, max_leverage=2.0, slippage="spread", impact="almgren_chriss")
    portfolio = PortfolioConfig(allow_short=True, stop_loss_frac=0.1)
    limits = RiskConfig(max_position_frac=1.0, max_gross_frac=2.0, max_sector_frac=2.0, drawdown_ladder=())
    config = FastConfig(broker, portfolio, limits)
    unknown = np.full((*shape, 3), np.nan), np.full(shape, np.nan)
    recorded, _ = await trade_on_desk(market, config, *unknown, weights)
    run = trade_fast(market, config, *unknown, weights)
    assert first_difference(recorded, run.ledger()) is None
    kinds = Counter(event.kind.value for event in recorded.events)
    assert kinds["split"] >= 3
    assert kinds["dividend"] > 200
    assert kinds["borrow_fee"] > 1_000

    adjusted = adjust_run(market.frames, run.fills(), run.ledger_events(), market.universe)
    trades, lots = round_trips(adjusted.fills)
    split_factor = market.frames.actions[..., SPLIT_FACTOR]
    assert closed_profits(run, split_factor) == pytest.approx([trade.pnl for trade in trades], rel=1e-9, abs=1e-9)
    profits = profit_by_symbol(market.universe, adjusted.fills, trades, lots, adjusted.closes[-1], run.ledger_events())
    interest = sum(float(event.amount) for event in recorded.events if event.kind is LedgerEventKind.INTEREST)
    earned = sum(profit.net for profit in profits) + interest
    assert run.equity[-1] - 100_000 == pytest.approx(earned, rel=1e-9)
    shares = dict.fromkeys(market.universe.symbols, 0.0)
    for lot in lots:
        shares[lot.symbol] += lot.quantity
    held = Counter()
    for fill in run.fills():
        held[fill.symbol] += fill.side.sign * fill.quantity
    for event in run.ledger_events():
        held[event.symbol] += event.quantity
    assert shares == pytest.approx({symbol: float(held[symbol]) for symbol in shares}, rel=1e-12)


@pytest.mark.realdata
def test_a_share_held_for_twenty_years_is_worth_its_splits_and_its_dividends(market_data_dir, lean_actions):
    source = SourceConfig(
        source=str(market_data_dir / "us_equities_1d_lean.parquet"),
        symbols=("AAPL",),
        corporate_actions=str(lean_actions),
    )
    loaded = load_market(source, {})
    frames = loaded.frames
    sessions = loaded.calendar.sessions(*frames.ts_close_ns[[0, -1]].tolist())
    market = Market(loaded.universe, sessions, frames.rows(0, 0, first_seq=0), frames)
    broker = BrokerConfig(slippage_bps=0, commission_per_share=0, min_commission=0)
    limits = RiskConfig(
        max_position_frac=1.0,
        max_gross_frac=1.0,
        max_net_frac=1.0,
        max_sector_frac=1.0,
        drawdown_ladder=(),
        daily_loss_frac=0.99,
    )
    weights = np.full(frames.close.shape, np.nan)
    weights[0] = 0.01
    config = FastConfig(broker, PortfolioConfig(), limits)
    run = trade_fast(market, config, np.empty(0), np.empty(0), weights)
    [fill] = run.fills()
    ratio, paid, _ = frames.actions[:, 0].T
    shares = float(fill.quantity) * np.cumprod(ratio)
    cash = 100_000 - float(fill.quantity * fill.price) + (shares * paid)[2:].sum()
    assert len(run.ledger_events()) == np.count_nonzero(ratio != 1) + np.count_nonzero(paid)
    assert shares[-1] == 112 * float(fill.quantity)
    assert run.equity[-1] == pytest.approx(cash + shares[-1] * frames.close[-1, 0], abs=0.01)


async def test_a_forecast_that_always_abstains_trades_nothing():
    market = build_market(3, 40)
    shape = (len(market.frames), N_SYMBOLS)
    probability, volatility = np.tile([0.9, 0.0, 0.1], (*shape, 1)), np.full(shape, 0.2)
    config = FastConfig(BrokerConfig(), PortfolioConfig(), RiskConfig())
    for reason, is_trading in ((AbstainReason.NONE, True), (AbstainReason.DISAGREEMENT, False)):
        abstain = np.full(shape, reason, dtype=np.int8)
        recorded, _ = await trade_on_desk(market, config, probability, volatility, None, abstain)
        assert bool(recorded.orders) == is_trading
        assert (
            first_difference(recorded, trade_fast(market, config, probability, volatility, None, abstain).ledger())
            is None
        )


@pytest.mark.parametrize("seed", [1, 5])  # without and with splits
async def test_alphas_are_traded_alike(seed):
    market = build_market(seed, 150)
    rng = np.random.default_rng(seed)
    shape = (len(market.frames), N_SYMBOLS)
    probability, volatility = rng.dirichlet((2.0, 0.5, 2.0), shape), rng.uniform(0.1, 0.5, shape)
    probability[rng.random(shape) < 0.1] = np.nan
    abstain = np.where(rng.random(shape) < 0.2, AbstainReason.PREDICTION_SET, 0).astype(np.int8)
    alphas = AlphasConfig(
        names=("momentum_6_2", "reversal_2"), neutral_to=("market",), horizon_bars=2, refit_frames=5, min_payoffs=10
    )
    portfolio = PortfolioConfig(allow_short=True, entry_edge=0.3, exit_edge=0.1, max_position_frac=0.4)
    broker = BrokerConfig(allow_short=True, max_leverage=3.0)
    limits = {"max_position_frac": 0.5, "max_sector_frac": 1.0, "daily_loss_frac": 0.5, "drawdown_ladder": ()}
    config = FastConfig(broker, portfolio, RiskConfig(**limits))

    def after_the_warmup() -> AlphaSignal:
        signal = AlphaSignal(alphas, market.universe, market.sessions, 252.0 * BARS_A_SESSION, MINUTE_NS)
        signal.replay(market.warmup)
        return signal

    recorded, events = await trade_on_desk(
        market, config, probability, volatility, None, abstain, signal=after_the_warmup()
    )
    said = after_the_warmup().replay(market.frames, forecast_score(probability, abstain))
    run = trade_fast(market, config, edge_probability(said.edge), said.volatility_per_year, None)
    assert len({order.symbol for order in recorded.orders if order.side is Side.SELL}) == N_SYMBOLS
    assert len(recorded.fills) > 50
    assert first_difference(recorded, run.ledger()) is None
    assert run.risk_events == events


@pytest.mark.parametrize("n_symbols", [3])
def test_weights_of_another_shape_are_refused(n_symbols):
    market = build_market(0, 5)
    config = FastConfig(BrokerConfig(), PortfolioConfig(), RiskConfig())
    with pytest.raises(DataValidationError, match=r"weights must have shape \(5, 4\), had \(5, 3\)"):
        trade_fast(market, config, np.empty(0), np.empty(0), np.zeros((5, n_symbols)))
