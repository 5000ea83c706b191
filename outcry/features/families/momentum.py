"""Momentum: bounded oscillators, rates of change, MACD and its relatives."""

from math import inf

from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind
from outcry.features.kernels import bars

RSI, STOCH, STOCHRSI, WILLR, CCI, ULTOSC, ROC, MOM, MACD, PPO, TRIX, TSI, COPPOCK, KST = range(14)

_LANE = "G. Lane, Lane's Stochastics, 1984; TA-Lib STOCH"
_APPEL = "G. Appel, The Moving Average Convergence-Divergence Method, 1979; TA-Lib"
_CHANDE = "T. Chande, S. Kroll, The New Technical Trader, 1994; TA-Lib STOCHRSI"
_BLAU = "W. Blau, True Strength Index, 1991"
_PRING = "M. Pring, Know Sure Thing, 1992"


def _column(
    name: str,
    formula: str,
    *,
    window: int,
    warmup: int,
    unit: str,
    low: float,
    high: float,
    source: str,
    aliases: tuple[str, ...] = (),
) -> Column:
    return Column(name, "momentum", formula, window, warmup, unit, low, high, source, aliases)


def _index(name: str, formula: str, *, window: int, warmup: int, source: str, aliases: tuple[str, ...] = ()) -> Column:
    return _column(
        name,
        formula,
        window=window,
        warmup=warmup,
        unit="index",
        low=0.0,
        high=100.0,
        source=source,
        aliases=aliases,
    )


def _rsi(window: int) -> Indicator:
    column = _index(
        f"tech_rsi_{window}_raw",
        "100 gain/(gain + loss), wilder averages; 50 where both are 0",
        window=0,
        warmup=window + 1,
        source="J. W. Wilder, 1978; TA-Lib RSI",
        aliases=(f"rsi_{window}",),
    )
    return Indicator(RSI, (window,), (column,), n_slots=2, lookback_bars=2)


def _stoch(window: int, slow: int, signal: int) -> Indicator:
    first = window + slow - 1
    formula = f"mean(100 (close - low_w)/(high_w - low_w), {slow}); 50 where the range is 0"
    k = _index(f"tech_stoch_{window}_k", formula, window=first, warmup=first, source=_LANE)
    last = first + signal - 1
    d = _index(f"tech_stoch_{window}_d", f"mean(k, {signal})", window=last, warmup=last, source=_LANE)
    return Indicator(STOCH, (window, slow, signal), (k, d), n_slots=slow + signal, lookback_bars=window)


def _stochrsi(rsi: int, window: int, signal: int) -> Indicator:
    first = rsi + window
    formula = f"100 (rsi - min_w)/(max_w - min_w) of rsi_{rsi}; 50 where the range is 0"
    k = _index(f"tech_stochrsi_{window}_k", formula, window=0, warmup=first, source=_CHANDE)
    d = _index(f"tech_stochrsi_{window}_d", f"mean(k, {signal})", window=0, warmup=first + signal - 1, source=_CHANDE)
    return Indicator(STOCHRSI, (rsi, window, signal), (k, d), n_slots=2 + window + signal, lookback_bars=2)


def _willr(window: int) -> Indicator:
    column = _column(
        f"tech_willr_{window}_raw",
        "-100 (high_w - close)/(high_w - low_w); -50 where the range is 0",
        window=window,
        warmup=window,
        unit="index",
        low=-100.0,
        high=0.0,
        source="L. Williams, 1979; TA-Lib WILLR",
    )
    return Indicator(WILLR, (window,), (column,), lookback_bars=window)


def _cci(window: int) -> Indicator:
    column = _column(
        f"tech_cci_{window}_raw",
        "(tp - mean)/(0.015 mean abs deviation), tp = (h+l+c)/3; 0 where constant",
        window=window,
        warmup=window,
        unit="deviations",
        low=-inf,
        high=inf,
        source="D. Lambert, Commodity Channel Index, 1980; TA-Lib CCI",
    )
    return Indicator(CCI, (window,), (column,), lookback_bars=window)


def _ultosc(short: int, middle: int, long: int) -> Indicator:
    if not short <= middle <= long:
        short, middle, long = sorted((short, middle, long))
    column = _index(
        f"tech_ultosc_{short}_{middle}_{long}_raw",
        "100 (4 a_short + 2 a_middle + a_long)/7, a = sum(bp)/sum(tr); a is 0.5 where tr is 0",
        window=long + 1,
        warmup=long + 1,
        source="L. Williams, The Ultimate Oscillator, 1985; TA-Lib ULTOSC",
    )
    return Indicator(ULTOSC, (short, middle, long), (column,), lookback_bars=long + 1)


def _roc(window: int) -> Indicator:
    column = _column(
        f"tech_roc_{window}_raw",
        "100 (close/close[w] - 1)",
        window=window + 1,
        warmup=window + 1,
        unit="percent",
        low=-100.0,
        high=inf,
        source="TA-Lib ROC",
    )
    return Indicator(ROC, (window,), (column,), lookback_bars=window + 1)


def _mom(window: int) -> Indicator:
    column = _column(
        f"tech_mom_{window}_raw",
        "close - close[w]",
        window=window + 1,
        warmup=window + 1,
        unit="price",
        low=-inf,
        high=inf,
        source="TA-Lib MOM",
        aliases=(f"momentum_{window}",),
    )
    return Indicator(MOM, (window,), (column,), lookback_bars=window + 1)


def _differences(name: str, line_formula: str, *, unit: str, slow: int, signal: int, low: float) -> tuple[Column, ...]:
    last = slow + signal - 1
    aliases = {part: (f"macd_{part}",) if name == "tech_macd_12_26" else () for part in ("line", "signal", "histogram")}
    return tuple(
        _column(
            f"{name}_{part}",
            formula,
            window=0,
            warmup=slow if part == "line" else last,
            unit=unit,
            low=-inf if part == "histogram" else low,
            high=inf,
            source=_APPEL,
            aliases=aliases[part],
        )
        for part, formula in (("line", line_formula), ("signal", f"ema{signal}(line)"), ("histogram", "line - signal"))
    )


def _macd(fast: int, slow: int, signal: int) -> Indicator:
    columns = _differences(
        f"tech_macd_{fast}_{slow}",
        f"ema{fast} - ema{slow}, both seeded at bar {slow}",
        unit="price",
        slow=slow,
        signal=signal,
        low=-inf,
    )
    return Indicator(MACD, (fast, slow, signal), columns, n_slots=3, lookback_bars=slow)


def _ppo(fast: int, slow: int, signal: int) -> Indicator:
    columns = _differences(
        f"tech_ppo_{fast}_{slow}",
        f"100 (ema{fast} - ema{slow})/ema{slow}, each seeded at its own bar",
        unit="percent",
        slow=slow,
        signal=signal,
        low=-100.0,
    )
    return Indicator(PPO, (fast, slow, signal), columns, n_slots=3)


def _trix(window: int) -> Indicator:
    column = _column(
        f"tech_trix_{window}_raw",
        "100 change of ema(ema(ema(close))) over its last value",
        window=0,
        warmup=3 * window - 1,
        unit="percent",
        low=-100.0,
        high=inf,
        source="J. Hutson, Triple Exponential Smoothing, 1983; TA-Lib TRIX",
    )
    return Indicator(TRIX, (window,), (column,), n_slots=3)


def _tsi(long: int, short: int, signal: int) -> Indicator:
    raw = _column(
        f"tech_tsi_{long}_{short}_raw",
        f"100 ema{short}(ema{long}(change))/ema{short}(ema{long}(abs(change))); 0 where none changed",
        window=0,
        warmup=long + short,
        unit="index",
        low=-100.0,
        high=100.0,
        source=_BLAU,
    )
    smooth = _column(
        f"tech_tsi_{long}_{short}_signal",
        f"ema{signal}(raw)",
        window=0,
        warmup=long + short + signal - 1,
        unit="index",
        low=-100.0,
        high=100.0,
        source=_BLAU,
    )
    return Indicator(TSI, (long, short, signal), (raw, smooth), n_slots=5, lookback_bars=2)


def _coppock(long: int, short: int, window: int) -> Indicator:
    column = _column(
        f"tech_coppock_{long}_{short}_raw",
        f"wma(roc{long} + roc{short}, {window})",
        window=max(long, short) + window,
        warmup=max(long, short) + window,
        unit="percent",
        low=-200.0,
        high=inf,
        source="E. Coppock, 1962",
    )
    return Indicator(COPPOCK, (long, short, window), (column,), lookback_bars=max(long, short) + window)


def _kst(window: int, signal: int) -> Indicator:
    rates = (window, 3 * window // 2, 2 * window, 3 * window)
    means = (window, window, window, 3 * window // 2)
    first = max(rate + mean for rate, mean in zip(rates, means, strict=True))
    formula = " + ".join(f"{i} sma{m}(roc{r})" for i, (r, m) in enumerate(zip(rates, means, strict=True), start=1))
    line = _column(
        f"tech_kst_{window}_line",
        formula,
        window=first,
        warmup=first,
        unit="percent",
        low=-1000.0,
        high=inf,
        source=_PRING,
    )
    smooth = _column(
        f"tech_kst_{window}_signal",
        f"sma{signal}(line)",
        window=first + signal - 1,
        warmup=first + signal - 1,
        unit="percent",
        low=-1000.0,
        high=inf,
        source=_PRING,
    )
    return Indicator(KST, (window, signal), (line, smooth), n_slots=signal, lookback_bars=first)


MOMENTUM = Family(
    "momentum",
    (
        Kind("rsi", _rsi, ((7,), (14,), (21,)), rows=(bars.CLOSE,)),
        Kind("stoch", _stoch, ((14, 3, 3),)),
        Kind("stochrsi", _stochrsi, ((14, 14, 3),), rows=(bars.CLOSE,)),
        Kind("willr", _willr, ((14,),)),
        Kind("cci", _cci, ((14,), (20,)), rows=(bars.TYPICAL,)),
        Kind("ultosc", _ultosc, ((7, 14, 28),), rows=(bars.TRUE_RANGE,)),
        Kind("roc", _roc, ((5,), (10,), (20,), (60,)), rows=(bars.CLOSE,)),
        Kind("mom", _mom, ((5,), (10,), (15,), (20,)), rows=(bars.CLOSE,)),
        Kind("macd", _macd, ((12, 26, 9),), rows=(bars.CLOSE,)),
        Kind("ppo", _ppo, ((12, 26, 9),), rows=(bars.CLOSE,)),
        Kind("trix", _trix, ((15,),), rows=(bars.CLOSE,)),
        Kind("tsi", _tsi, ((25, 13, 7),), rows=(bars.CLOSE,)),
        Kind("coppock", _coppock, ((14, 11, 10),), rows=(bars.CLOSE,)),
        Kind("kst", _kst, ((10, 9),), rows=(bars.CLOSE,)),
    ),
)
