"""Volatility: true range, bands, and estimators of the annualised standard deviation."""

from math import inf

from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind
from outcry.features.kernels import bars

(
    TR,
    ATR,
    BBANDS,
    KELTNER,
    ATR_BANDS,
    HV,
    HV_PERCENTILE,
    HV_RATIO,
    PARKINSON,
    GARMAN_KLASS,
    ROGERS_SATCHELL,
    YANG_ZHANG,
    CHAIKIN,
    VIX_PROXY,
) = range(14)

VOLATILITY_COLUMN = "tech_hv_20_annual"
"""Annualised close-to-close volatility over 20 bars: what position sizing reads."""

_WILDER = "J. W. Wilder, New Concepts in Technical Trading Systems, 1978; TA-Lib"
_BOLLINGER = "J. Bollinger, Bollinger on Bollinger Bands, 2001; TA-Lib BBANDS (population deviation)"
_KELTNER = "L. B. Raschke's form of C. Keltner, How to Make Money in Commodities, 1960"
_VIX = (
    "a proxy of the index of Cboe, VIX White Paper, 2003, that needs no options: realised variance in place of "
    "implied variance, averaged as in J. Longerstaey, M. Spencer, RiskMetrics Technical Document, 1996"
)


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
    return Column(name, "volatility", formula, window, warmup, unit, low, high, source, aliases)


def _line(
    name: str,
    formula: str,
    *,
    window: int,
    warmup: int,
    source: str,
    is_positive: bool = True,
    aliases: tuple[str, ...] = (),
) -> Column:
    low = 0.0 if is_positive else -inf
    return _column(
        name, formula, window=window, warmup=warmup, unit="price", low=low, high=inf, source=source, aliases=aliases
    )


def _annual(name: str, variance: str, *, window: int, source: str, aliases: tuple[str, ...] = ()) -> Column:
    return _column(
        name,
        f"sqrt(bars_per_year {variance})",
        window=window,
        warmup=window,
        unit="per_year_sqrt",
        low=0.0,
        high=inf,
        source=source,
        aliases=aliases,
    )


def _tr() -> Indicator:
    column = _line(
        "tech_tr_1_raw", "max(high, close[1]) - min(low, close[1])", window=2, warmup=2, source=f"{_WILDER} TRANGE"
    )
    return Indicator(TR, (), (column,))


def _atr(window: int) -> Indicator:
    raw = _line(
        f"tech_atr_{window}_raw",
        "wilder(tr); seed: mean of the first w",
        window=0,
        warmup=window + 1,
        source=f"{_WILDER} ATR",
        aliases=("atr_14",) if window == 14 else (),
    )
    normal = _column(
        f"tech_natr_{window}_raw",
        f"100 atr_{window}/close",
        window=0,
        warmup=window + 1,
        unit="percent",
        low=0.0,
        high=inf,
        source="TA-Lib NATR",
    )
    return Indicator(ATR, (window,), (raw, normal), n_slots=1)


def _bbands(window: int, deviations: int) -> Indicator:
    name = f"tech_bbands_{window}"
    upper, middle, lower = (
        _line(
            f"{name}_{part}",
            formula,
            window=window,
            warmup=window,
            source=_BOLLINGER,
            is_positive=part != "lower",
            aliases=(f"bb_{part}",) if window == 20 and part != "middle" else (),
        )
        for part, formula in (
            ("upper", f"mean + {deviations} std"),
            ("middle", f"mean(close, {window})"),
            ("lower", f"mean - {deviations} std"),
        )
    )
    position, width = (
        _column(
            f"{name}_{part}",
            formula,
            window=window,
            warmup=window,
            unit="ratio",
            low=low,
            high=inf,
            source=_BOLLINGER,
            aliases=(f"bb_{part}",) if window == 20 else (),
        )
        for part, formula, low in (
            ("position", "(close - lower)/(upper - lower); 0.5 where the width is 0", -inf),
            ("width", "(upper - lower)/middle", 0.0),
        )
    )
    columns = (upper, middle, lower, position, width)
    return Indicator(BBANDS, (window, deviations), columns, lookback_bars=window)


def _keltner(window: int, atr_window: int, multiple: int) -> Indicator:
    warmup = max(window, atr_window + 1)
    name = f"tech_keltner_{window}"
    lines = tuple(
        _line(
            f"{name}_{part}",
            formula,
            window=0,
            warmup=warmup,
            source=_KELTNER,
            is_positive=part != "lower",
        )
        for part, formula in (
            ("upper", f"ema{window} + {multiple} atr{atr_window}"),
            ("middle", f"ema{window}"),
            ("lower", f"ema{window} - {multiple} atr{atr_window}"),
        )
    )
    position = _column(
        f"{name}_position",
        "(close - lower)/(upper - lower); 0.5 where the width is below 1e-12 of the middle",
        window=0,
        warmup=warmup,
        unit="ratio",
        low=-inf,
        high=inf,
        source=_KELTNER,
    )
    return Indicator(KELTNER, (window, atr_window, multiple), (*lines, position), n_slots=2)


def _atr_bands(window: int, multiple: int) -> Indicator:
    columns = tuple(
        _line(
            f"tech_atrbands_{window}_{part}",
            f"close {sign} {multiple} atr{window}",
            window=0,
            warmup=window + 1,
            source=_WILDER,
            is_positive=part == "upper",
        )
        for part, sign in (("upper", "+"), ("lower", "-"))
    )
    return Indicator(ATR_BANDS, (window, multiple), columns, n_slots=1)


def _hv(window: int) -> Indicator:
    column = _annual(
        f"tech_hv_{window}_annual",
        f"var(log return, {window}, ddof 1)",
        window=window + 1,
        source="close to close",
        aliases=(f"volatility_{window}",) if window in (10, 30) else (),
    )
    return Indicator(HV, (window,), (column,), lookback_bars=window)


def _hv_percentile(window: int, ranked: int) -> Indicator:
    column = _column(
        f"tech_hv_{window}_percentile",
        f"share of the last {ranked} values of hv_{window} that are <= hv_{window}",
        window=window + ranked,
        warmup=window + ranked,
        unit="fraction",
        low=0.0,
        high=1.0,
        source="trailing rank",
        aliases=("vol_percentile",) if window == 20 else (),
    )
    return Indicator(HV_PERCENTILE, (window, ranked), (column,), n_slots=ranked, lookback_bars=window)


def _hv_ratio(short: int, long: int) -> Indicator:
    last = max(short, long) + 1
    column = _column(
        f"tech_hv_{short}_{long}_ratio",
        f"hv_{short}/hv_{long}; 1 where hv_{long} is 0",
        window=last,
        warmup=last,
        unit="ratio",
        low=0.0,
        high=inf,
        source="ratio of hv",
    )
    return Indicator(HV_RATIO, (short, long), (column,), lookback_bars=last - 1)


def _parkinson(window: int) -> Indicator:
    column = _annual(
        f"tech_parkinson_{window}_annual",
        "mean(ln(h/l)^2)/(4 ln 2)",
        window=window,
        source="M. Parkinson, The Extreme Value Method for Estimating the Variance, 1980",
        aliases=("parkinson_volatility",) if window == 20 else (),
    )
    return Indicator(PARKINSON, (window,), (column,), lookback_bars=window)


def _garman_klass(window: int) -> Indicator:
    column = _annual(
        f"tech_garman_klass_{window}_annual",
        "mean(0.5 ln(h/l)^2 - (2 ln 2 - 1) ln(c/o)^2)",
        window=window,
        source="M. Garman, M. Klass, On the Estimation of Security Price Volatilities, 1980",
    )
    return Indicator(GARMAN_KLASS, (window,), (column,), lookback_bars=window)


def _rogers_satchell(window: int) -> Indicator:
    column = _annual(
        f"tech_rogers_satchell_{window}_annual",
        "mean(ln(h/c) ln(h/o) + ln(l/c) ln(l/o))",
        window=window,
        source="L. Rogers, S. Satchell, Estimating Variance from High, Low and Closing Prices, 1991",
    )
    return Indicator(ROGERS_SATCHELL, (window,), (column,), lookback_bars=window)


def _yang_zhang(window: int) -> Indicator:
    column = _annual(
        f"tech_yang_zhang_{window}_annual",
        "(var(ln(o/c[1])) + k var(ln(c/o)) + (1-k) rs), k = 0.34/(1.34 + (w+1)/(w-1)), rs as Rogers and Satchell",
        window=window + 1,
        source="D. Yang, Q. Zhang, Drift-Independent Volatility Estimation, 2000",
    )
    return Indicator(YANG_ZHANG, (window,), (column,), lookback_bars=window)


def _chaikin_volatility(window: int, change: int) -> Indicator:
    column = _column(
        f"tech_chaikinvol_{window}_{change}_raw",
        f"100 (e/e[{change}] - 1), e = ema{window}(high - low); 0 where e[{change}] is below 1e-12 of the close",
        window=0,
        warmup=window + change,
        unit="percent",
        low=-100.0,
        high=inf,
        source="M. Chaikin, in S. Achelis, Technical Analysis from A to Z, 1995; TA-Lib EMA, ROC",
    )
    return Indicator(CHAIKIN, (window, change), (column,), n_slots=1 + change)


def _vix_proxy(sessions: int) -> Indicator:
    column = _column(
        f"tech_vixproxy_{sessions}_raw",
        f"100 sqrt(bars_per_year m), m = weighted mean of all squared log returns, weights (1 - 2/(n+1))^j, "
        f"n = {sessions} bars_per_year/252 bars, at least 1: {sessions} sessions at any size of bar",
        window=0,
        warmup=sessions + 1,
        unit="percent",
        low=0.0,
        high=inf,
        source=_VIX,
    )
    return Indicator(VIX_PROXY, (sessions,), (column,), n_slots=2)


VOLATILITY = Family(
    "volatility",
    (
        Kind("tr", _tr, rows=(bars.TRUE_RANGE,)),
        Kind("atr", _atr, ((7,), (14,), (21,)), rows=(bars.TRUE_RANGE,)),
        Kind("bbands", _bbands, ((20, 2),), rows=(bars.CLOSE,)),
        Kind("keltner", _keltner, ((20, 10, 2),), rows=(bars.TRUE_RANGE,)),
        Kind("atr_bands", _atr_bands, ((14, 2),), rows=(bars.TRUE_RANGE,)),
        Kind("hv", _hv, ((10,), (20,), (30,), (60,)), reads_clock=True, rows=(bars.LOG_RETURN,)),
        Kind("hv_percentile", _hv_percentile, ((20, 252),), rows=(bars.LOG_RETURN,)),
        Kind("hv_ratio", _hv_ratio, ((10, 60),), reads_clock=True, rows=(bars.LOG_RETURN,)),
        Kind("parkinson", _parkinson, ((20,),), reads_clock=True, rows=(bars.RANGE_SQ,)),
        Kind("garman_klass", _garman_klass, ((20,),), reads_clock=True, rows=(bars.INTRADAY_SQ, bars.RANGE_SQ)),
        Kind("rogers_satchell", _rogers_satchell, ((20,),), reads_clock=True, rows=(bars.SATCHELL,)),
        Kind(
            "yang_zhang", _yang_zhang, ((20,),), reads_clock=True, rows=(bars.OVERNIGHT, bars.INTRADAY, bars.SATCHELL)
        ),
        Kind("chaikin_volatility", _chaikin_volatility, ((10, 10),)),
        Kind("vix_proxy", _vix_proxy, ((30,),), reads_clock=True, rows=(bars.LOG_RETURN,)),
    ),
)
