"""Market microstructure: signed and unusual volume, price impact, illiquidity, spreads, quotes, informed trading."""

from math import inf

from outcry.errors import ConfigurationError
from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind
from outcry.features.kernels import bars

(
    BULK_IMBALANCE,
    TRADE_FLOW,
    VOLUME_ACCELERATION,
    UNUSUAL_VOLUME,
    VOLUME_MOMENTUM,
    KYLE,
    AMIHUD,
    AMIHUD_RANK,
    ROLL_SPREAD,
    CORWIN_SCHULTZ,
    ABDI_RANALDO,
    QUOTE,
    QUOTE_MEANS,
    PIN,
) = range(14)
SURPRISE_LIMIT = 20.0
UNUSUAL_DEVIATIONS = 3.0
AMIHUD_RANK_CADENCE_BARS = 5

_BULK = "D. Easley, M. Lopez de Prado, M. O'Hara, Bulk Classification of Trading Activity, 2012"
_KYLE = "A. Kyle, 1985; M. Lopez de Prado, Advances in Financial Machine Learning, 2018, 19.4.1"
_AMIHUD = "Y. Amihud, Illiquidity and Stock Returns, 2002"
_QUOTED = "a quote needs 0 < bid <= ask; NaN without"
_BOOK = "a book needs 0 < bid <= ask and both sizes; NaN without"
_HARRIS = "L. Harris, Trading and Exchanges, 2003"


def _column(
    name: str,
    formula: str,
    *,
    window: int,
    unit: str,
    low: float = -inf,
    high: float = inf,
    source: str,
    needs: str = "",
    cadence: int = 1,
) -> Column:
    return Column(name, "micro", formula, window, window, unit, low, high, source, needs=needs, cadence_bars=cadence)


def _bulk_imbalance(short: int, long: int) -> Indicator:
    if short > long:
        raise ConfigurationError(f"windows.bulk_imbalance: short must be at most long, {long}, was {short}")
    columns = tuple(
        _column(
            f"micro_imbalance_{window}_bulk",
            f"sum(v (2 N(r/s) - 1), w)/sum(v, w), r log return, s its std(ddof 1) over {long}, N the normal "
            "distribution; a bar where s is 0 counts 0, and so does a window without volume",
            window=long + window,
            unit="fraction",
            low=-1.0,
            high=1.0,
            source=_BULK,
        )
        for window in (short, long)
    )
    return Indicator(BULK_IMBALANCE, (short, long), columns, n_slots=long, lookback_bars=long)


def _trade_flow(window: int) -> Indicator:
    imbalance = _column(
        f"micro_imbalance_{window}_trades",
        "sum(2 buy volume - volume)/sum(volume) over the bars of the last w where buy volume is known; 0 without "
        "volume, NaN where it is known of none",
        window=window,
        unit="fraction",
        low=-1.0,
        high=1.0,
        source="order imbalance: T. Chordia, R. Roll, A. Subrahmanyam, 2002",
        needs="trades",
    )
    size = _column(
        f"micro_trade_{window}_size",
        "sum(volume)/sum(trades) over the bars of the last w where trades are known; 0 without trades, NaN where known "
        "of none",
        window=window,
        unit="shares",
        low=0.0,
        source="mean size of a trade",
        needs="trades",
    )
    relative = _column(
        f"micro_trade_{window}_ratio",
        "volume/trades of this bar over the mean size; 1 where either has no trades or no volume, NaN where trades of "
        "this bar are unknown",
        window=window,
        unit="ratio",
        low=0.0,
        source="mean size of a trade",
        needs="trades",
    )
    impact = _column(
        f"micro_kyle_{window}_trades",
        "slope through 0 of log return on 2 buy volume - volume, times mean(volume), over the bars of the last w where "
        "buy volume is known; 0 where none was signed, NaN where it is known of none",
        window=window + 1,
        unit="ratio",
        source=_KYLE,
        needs="trades",
    )
    return Indicator(TRADE_FLOW, (window,), (imbalance, size, relative, impact), lookback_bars=window)


def _volume_acceleration(short: int, long: int) -> Indicator:
    window = max(3 * short, long)
    column = _column(
        f"micro_volume_{short}_{long}_acceleration",
        f"(m - 2 m[{short}] + m[{2 * short}])/mean(volume, {long}), m = mean(volume, {short}); 0 where the divisor is",
        window=window,
        unit="ratio",
        source="second difference of mean volume",
    )
    return Indicator(VOLUME_ACCELERATION, (short, long), (column,), lookback_bars=window)


def _unusual_volume(window: int) -> Indicator:
    surprise = _column(
        f"micro_volume_{window}_surprise",
        "(volume - mean)/std(ddof 1) of the w bars before, at most 20 either way; 0 where it equals them all, 20 or "
        "-20 where they are equal and it is not",
        window=window + 1,
        unit="deviations",
        low=-SURPRISE_LIMIT,
        high=SURPRISE_LIMIT,
        source="standard score",
    )
    unusual = _column(
        f"micro_volume_{window}_unusual",
        "1 where surprise > 3, else 0",
        window=window + 1,
        unit="flag",
        low=0.0,
        high=1.0,
        source="standard score",
    )
    return Indicator(UNUSUAL_VOLUME, (window,), (surprise, unusual), lookback_bars=window + 1)


def _volume_momentum(window: int) -> Indicator:
    column = _column(
        f"micro_volume_{window}_momentum",
        "(a - b)/(a + b), a = sum(volume, w), b = a[w]; 0 without volume",
        window=2 * window,
        unit="ratio",
        low=-1.0,
        high=1.0,
        source="rate of change of volume, bounded",
    )
    return Indicator(VOLUME_MOMENTUM, (window,), (column,), lookback_bars=2 * window)


def _kyle(window: int) -> Indicator:
    column = _column(
        f"micro_kyle_{window}_lambda",
        "slope through 0 of log return on sign(log return) volume, times mean(volume), over w; 0 where none was signed",
        window=window + 1,
        unit="ratio",
        low=0.0,
        source=_KYLE,
    )
    return Indicator(KYLE, (window,), (column,), lookback_bars=window)


def _amihud(window: int) -> Indicator:
    column = _column(
        f"micro_amihud_{window}_mean",
        "1e6 mean(abs(log return)/(close volume), w), for a million of currency; a bar without volume counts 0",
        window=window + 1,
        unit="per_currency",
        low=0.0,
        source=_AMIHUD,
    )
    return Indicator(AMIHUD, (window,), (column,), lookback_bars=window)


def _amihud_rank(window: int, past: int) -> Indicator:
    bound = float(past) ** 0.5
    zscore = _column(
        f"micro_amihud_{window}_{past}_zscore",
        f"(a - mean)/std(ddof 1) of the last {past} a = amihud_{window}; 0 where constant",
        window=window + past,
        unit="deviations",
        low=-bound,
        high=bound,
        source=_AMIHUD,
        cadence=AMIHUD_RANK_CADENCE_BARS,
    )
    percentile = _column(
        f"micro_amihud_{window}_{past}_percentile",
        f"share of the last {past} amihud_{window} up to this one",
        window=window + past,
        unit="fraction",
        low=0.0,
        high=1.0,
        source=_AMIHUD,
        cadence=AMIHUD_RANK_CADENCE_BARS,
    )
    return Indicator(AMIHUD_RANK, (window, past), (zscore, percentile), n_slots=2 * past, lookback_bars=window)


def _roll_spread(window: int) -> Indicator:
    column = _column(
        f"micro_roll_{window}_spread",
        "2 sqrt(-cov(change, change[1]))/close over w pairs; 0 where cov >= 0",
        window=window + 2,
        unit="ratio",
        low=0.0,
        source="R. Roll, A Simple Implicit Measure of the Effective Bid-Ask Spread, 1984",
    )
    return Indicator(ROLL_SPREAD, (window,), (column,), lookback_bars=window + 2)


def _corwin_schultz(window: int) -> Indicator:
    column = _column(
        f"micro_corwin_schultz_{window}_spread",
        "mean(max(2 (e^a - 1)/(e^a + 1), 0), w) of pairs of bars, a = (sqrt(2 b) - sqrt(b))/(3 - 2 sqrt 2) - "
        "sqrt(g/(3 - 2 sqrt 2)), b = ln(h/l)^2 + ln(h[1]/l[1])^2, g = ln(max h/min l)^2; h and l are moved by the gap "
        "where close[1] is outside",
        window=window + 1,
        unit="ratio",
        low=0.0,
        high=2.0,
        source="S. Corwin, P. Schultz, A Simple Way to Estimate Bid-Ask Spreads from Daily High and Low Prices, 2012",
    )
    return Indicator(CORWIN_SCHULTZ, (window,), (column,), n_slots=window, lookback_bars=2)


def _abdi_ranaldo(window: int) -> Indicator:
    column = _column(
        f"micro_abdi_ranaldo_{window}_spread",
        "mean(sqrt(max(4 (c[1] - m[1]) (c[1] - m), 0)), w), c = ln close, m = (ln high + ln low)/2",
        window=window + 1,
        unit="ratio",
        low=0.0,
        source="F. Abdi, A. Ranaldo, A Simple Estimation of Bid-Ask Spreads, 2017, two-day corrected",
    )
    return Indicator(ABDI_RANALDO, (window,), (column,), n_slots=window + 1, lookback_bars=2)


def _quote_column(name: str, formula: str, *, window: int = 1, low: float, high: float = inf, source: str) -> Column:
    return _column(name, formula, window=window, unit="ratio", low=low, high=high, source=source, needs="quotes")


def _quote() -> Indicator:
    columns = (
        _quote_column(
            "micro_quote_1_spread", f"(ask - bid)/mid; {_QUOTED}", low=0.0, high=2.0, source=f"quoted spread: {_HARRIS}"
        ),
        _quote_column("micro_quote_1_mid", f"(close - mid)/mid; {_QUOTED}", low=-1.0, source="distance to the mid"),
        _quote_column(
            "micro_quote_1_effective",
            f"2 abs(close - mid)/mid; {_QUOTED}",
            low=0.0,
            source=f"effective spread: {_HARRIS}",
        ),
        _quote_column(
            "micro_quote_1_imbalance",
            f"(bid size - ask size)/(bid size + ask size); 0 where both are 0; {_BOOK}",
            low=-1.0,
            high=1.0,
            source="R. Cont, A. Kukanov, S. Stoikov, The Price Impact of Order Book Events, 2014",
        ),
        _quote_column(
            "micro_quote_1_microprice",
            f"(bid ask size + ask bid size)/(bid size + ask size)/mid - 1; 0 where both sizes are 0; {_BOOK}",
            low=-1.0,
            high=1.0,
            source="weighted mid: S. Stoikov, The Micro-Price, 2018",
        ),
    )
    return Indicator(QUOTE, (), columns)


def _quote_means(window: int) -> Indicator:
    over = "the bars of the last w with a quote; NaN where none has"
    columns = (
        _quote_column(
            f"micro_quote_{window}_spread",
            f"mean((ask - bid)/mid) over {over}",
            window=window,
            low=0.0,
            high=2.0,
            source=f"quoted spread: {_HARRIS}",
        ),
        _quote_column(
            f"micro_quote_{window}_effective",
            f"mean(2 abs(close - mid)/mid) over {over}",
            window=window,
            low=0.0,
            source=f"effective spread: {_HARRIS}",
        ),
        _quote_column(
            f"micro_quote_{window}_depth",
            "(bid size + ask size)/its mean over the bars of the last w with a book; 1 where the mean is 0, NaN where "
            "this bar has no book",
            window=window,
            low=0.0,
            high=float(window),
            source=f"depth at the best prices: {_HARRIS}",
        ),
    )
    return Indicator(QUOTE_MEANS, (window,), columns, lookback_bars=window)


def _pin(sessions: int) -> Indicator:
    column = Column(
        f"micro_pin_{sessions}_value",
        "micro",
        "mean(abs(B - S))/mean(B + S) of the last w sessions that are over, B and S the volume bought and sold, from "
        "trades where known, else by bulk classification with the std of the last 60 log returns; 0 without volume",
        0,
        1,
        "fraction",
        0.0,
        1.0,
        "D. Easley, R. Engle, M. O'Hara, L. Wu, Time-Varying Arrival Rates, 2008: E|B - S| = a m, E(B + S) = a m + 2 e",
        warmup_sessions=sessions + 1,
    )
    return Indicator(PIN, (sessions,), (column,), n_slots=5 + 2 * sessions, lookback_bars=60)


MICRO = Family(
    "micro",
    (
        Kind("bulk_imbalance", _bulk_imbalance, ((20, 60),), rows=(bars.LOG_RETURN,)),
        Kind("trade_flow", _trade_flow, ((20,), (60,)), rows=(bars.LOG_RETURN, bars.TRADES, bars.BUY_VOLUME)),
        Kind("volume_acceleration", _volume_acceleration, ((5, 20),)),
        Kind("unusual_volume", _unusual_volume, ((60,),)),
        Kind("volume_momentum", _volume_momentum, ((10,), (20,))),
        Kind("kyle", _kyle, ((50,),), rows=(bars.LOG_RETURN,)),
        Kind("amihud", _amihud, ((20,),), rows=(bars.ILLIQUIDITY,)),
        Kind("amihud_rank", _amihud_rank, ((20, 252),), rows=(bars.ILLIQUIDITY,)),
        Kind("roll_spread", _roll_spread, ((20,),)),
        Kind("corwin_schultz", _corwin_schultz, ((20,),), rows=(bars.RANGE_SQ,)),
        Kind("abdi_ranaldo", _abdi_ranaldo, ((20,),), rows=(bars.LOG_CLOSE,)),
        Kind("quote", _quote, rows=(bars.BID, bars.ASK, bars.BID_SIZE, bars.ASK_SIZE)),
        Kind("quote_means", _quote_means, ((20,),), rows=(bars.BID, bars.ASK, bars.BID_SIZE, bars.ASK_SIZE)),
        Kind("pin", _pin, ((60,),), reads_clock=True, rows=(bars.LOG_RETURN, bars.BUY_VOLUME)),
    ),
)
