"""NautilusTrader: an engine for each symbol, with bars for the strategy and a quote of each open for the exchange.

An order made in `on_bar` would fill at the close of that bar at once: the exchange knows no later price. That it fills
at the next open takes three settings, all public:

- bars do not move the market (``bar_execution=False``); a quote at each bar's opening, bid and ask both the open, does;
- a bar reaches the strategy a nanosecond before the time the next one may open at (`ts_init_delta`);
- an order is on its way for a nanosecond (`LatencyModel`), so it is due when the next bar opens.

The exchange processes an order that is due after the first data of that time or later, and with one symbol an engine
those are the quote of the next open, also over a night. Several symbols in one engine would break this: an order would
be filled after the data of any symbol, at the last open of its own. Hence a loop.

Money is kept to the decimals of its currency, so the currency here has eight: fees of 10 basis points are not rounded.

Making bars and quotes by the library's wranglers, and engines around them, is loading. Reset, run and nothing else is
timed; the analysis after a run is off.
"""

from decimal import Decimal

import nautilus_trader
import pandas as pd
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model.currencies import register_currency
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, CurrencyType, OmsType, OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler, QuoteTickDataWrangler
from nautilus_trader.trading.strategy import Strategy

from bench.peers.process import serve
from bench.peers.protocol import (
    BAR_NS,
    CASH,
    FAST_BARS,
    FEE_FRAC,
    PRICES,
    SHARES,
    SLOW_BARS,
    TIE,
    Bars,
    Fill,
    Trade,
    pair_fills,
)

DOLLAR = Currency("DOLLAR", precision=8, iso4217=0, name="dollar", currency_type=CurrencyType.FIAT)
VENUE = Venue("XSIM")
PRICE_DECIMALS = 4


class Crossover(Strategy):  # type: ignore[misc]  # the library is not in this environment
    """The strategy of `bench.peers.protocol`."""

    def __init__(self, bar_type: BarType) -> None:
        super().__init__()
        self.bar_type = bar_type
        self.shares = Quantity.from_int(SHARES)
        self.fast = SimpleMovingAverage(FAST_BARS)
        self.slow = SimpleMovingAverage(SLOW_BARS)
        self.fills: list[Fill] = []

    def on_start(self) -> None:
        """Ask for the bars, averaged before they arrive."""
        self.register_indicator_for_bars(self.bar_type, self.fast)
        self.register_indicator_for_bars(self.bar_type, self.slow)
        self.subscribe_bars(self.bar_type)

    def on_bar(self, bar: Bar) -> None:
        """Order at the close of a bar."""
        if not self.slow.initialized:
            return
        spread = self.fast.value - self.slow.value
        instrument_id = self.bar_type.instrument_id
        if spread > TIE and self.portfolio.is_flat(instrument_id):
            self._order(OrderSide.BUY)
        elif spread < -TIE and self.portfolio.is_net_long(instrument_id):
            self._order(OrderSide.SELL)

    def on_order_filled(self, event: OrderFilled) -> None:
        """Note a fill."""
        price, shares, fee = (each.as_double() for each in (event.last_px, event.last_qty, event.commission))
        self.fills.append(Fill(event.ts_event, price, shares, fee))

    def on_reset(self) -> None:
        """Forget everything, for the next run."""
        self.fast.reset()
        self.slow.reset()
        self.fills = []

    def _order(self, side: OrderSide) -> None:
        self.submit_order(self.order_factory.market(self.bar_type.instrument_id, side, self.shares))


Engines = list[tuple[BacktestEngine, Crossover]]


def load(market: list[Bars]) -> Engines:
    """Return an engine a symbol with its data and strategy in it."""
    register_currency(DOLLAR, overwrite=True)
    return [_build_engine(bars) for bars in market]


def _build_engine(bars: Bars) -> tuple[BacktestEngine, Crossover]:
    instrument = Equity(
        InstrumentId(Symbol(bars.symbol), VENUE),
        Symbol(bars.symbol),
        DOLLAR,
        PRICE_DECIMALS,
        Price(10**-PRICE_DECIMALS, PRICE_DECIMALS),
        Quantity.from_int(1),
        ts_event=0,
        ts_init=0,
        maker_fee=Decimal(str(FEE_FRAC)),
        taker_fee=Decimal(str(FEE_FRAC)),
    )
    bar_type = BarType.from_str(f"{instrument.id}-5-MINUTE-LAST-EXTERNAL")
    index = pd.to_datetime(bars.ts_open_ns, utc=True)
    table = pd.DataFrame(bars.prices, index=index, columns=PRICES)
    opens = pd.DataFrame({"bid_price": bars.prices["open"], "ask_price": bars.prices["open"]}, index=index)

    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    engine.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.CASH,
        [Money(CASH, DOLLAR)],
        base_currency=DOLLAR,
        latency_model=LatencyModel(1),
        bar_execution=False,
    )
    engine.add_instrument(instrument)
    engine.add_data(BarDataWrangler(bar_type, instrument).process(table, ts_init_delta=BAR_NS - 1), sort=False)
    engine.add_data(QuoteTickDataWrangler(instrument).process(opens), sort=True)
    strategy = Crossover(bar_type)
    engine.add_strategy(strategy)
    return engine, strategy


def run(engines: Engines) -> list[list[Fill]]:
    """Run each symbol by itself, from its start."""
    ran = []
    for engine, strategy in engines:
        engine.reset()
        engine.run()
        ran.append(strategy.fills)
    return ran


def list_trades(market: list[Bars], ran: list[list[Fill]]) -> list[Trade]:
    """Pair the fills."""
    return [trade for bars, fills in zip(market, ran, strict=True) for trade in pair_fills(bars.symbol, fills)]


if __name__ == "__main__":
    serve("NautilusTrader", nautilus_trader.__version__, load, run, list_trades)
