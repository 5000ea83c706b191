"""Volatility: true range, bands, and estimators of the annualised standard deviation."""

from math import inf

from outcry.features.column import Column

ATR_WINDOWS = (7, 14, 21)
HV_WINDOWS = (10, 20, 30, 60)
VOLATILITY_COLUMN = "tech_hv_20_annual"
"""Annualised close-to-close volatility over 20 bars: what position sizing reads."""

_WILDER = "J. W. Wilder, New Concepts in Technical Trading Systems, 1978; TA-Lib"
_BOLLINGER = "J. Bollinger, Bollinger on Bollinger Bands, 2001; TA-Lib BBANDS (population deviation)"
_KELTNER = "L. B. Raschke's form of C. Keltner, 1960: ema20 and 2 atr10"


def _column(
    name: str,
    formula: str,
    *,
    window_bars: int,
    warmup_bars: int,
    unit: str,
    low: float,
    high: float,
    source: str,
    aliases: tuple[str, ...] = (),
) -> Column:
    return Column(name, "volatility", formula, window_bars, warmup_bars, unit, low, high, source, aliases)


def _annual(name: str, formula: str, w: int, warmup: int, source: str, *aliases: str) -> Column:
    return Column(
        name, "volatility", f"sqrt(bars_per_year {formula})", w, warmup, "per_year_sqrt", 0.0, inf, source, aliases
    )


VOLATILITY: tuple[Column, ...] = (
    _column(
        "tech_tr_1_raw",
        "max(high, close[1]) - min(low, close[1])",
        window_bars=2,
        warmup_bars=2,
        unit="price",
        low=0.0,
        high=inf,
        source=_WILDER,
    ),
    *(
        _column(
            f"tech_atr_{w}_raw",
            "wilder(tr); seed: mean of the first w",
            window_bars=0,
            warmup_bars=w + 1,
            unit="price",
            low=0.0,
            high=inf,
            source=_WILDER,
            aliases=(f"atr_{w}",) if w == 14 else (),
        )
        for w in ATR_WINDOWS
    ),
    _column(
        "tech_natr_14_raw",
        "100 atr_14 / close",
        window_bars=0,
        warmup_bars=15,
        unit="percent",
        low=0.0,
        high=inf,
        source="TA-Lib NATR",
    ),
    _column(
        "tech_bbands_20_upper",
        "mean + 2 std",
        window_bars=20,
        warmup_bars=20,
        unit="price",
        low=0.0,
        high=inf,
        source=_BOLLINGER,
        aliases=("bb_upper",),
    ),
    _column(
        "tech_bbands_20_middle",
        "mean(close, 20)",
        window_bars=20,
        warmup_bars=20,
        unit="price",
        low=0.0,
        high=inf,
        source=_BOLLINGER,
    ),
    _column(
        "tech_bbands_20_lower",
        "mean - 2 std",
        window_bars=20,
        warmup_bars=20,
        unit="price",
        low=-inf,
        high=inf,
        source=_BOLLINGER,
        aliases=("bb_lower",),
    ),
    _column(
        "tech_bbands_20_position",
        "(close - lower)/(upper - lower); 0.5 where the width is 0",
        window_bars=20,
        warmup_bars=20,
        unit="ratio",
        low=-inf,
        high=inf,
        source=_BOLLINGER,
        aliases=("bb_position",),
    ),
    _column(
        "tech_bbands_20_width",
        "(upper - lower)/middle",
        window_bars=20,
        warmup_bars=20,
        unit="ratio",
        low=0.0,
        high=inf,
        source=_BOLLINGER,
        aliases=("bb_width",),
    ),
    _column(
        "tech_keltner_20_upper",
        "ema20 + 2 atr10",
        window_bars=0,
        warmup_bars=20,
        unit="price",
        low=0.0,
        high=inf,
        source=_KELTNER,
    ),
    _column(
        "tech_keltner_20_lower",
        "ema20 - 2 atr10",
        window_bars=0,
        warmup_bars=20,
        unit="price",
        low=-inf,
        high=inf,
        source=_KELTNER,
    ),
    _column(
        "tech_keltner_20_position",
        "(close - lower)/(upper - lower); 0.5 where the width is 0",
        window_bars=0,
        warmup_bars=20,
        unit="ratio",
        low=-inf,
        high=inf,
        source=_KELTNER,
    ),
    *(
        _annual(
            f"tech_hv_{w}_annual",
            "var(log return, w, ddof 1)",
            w + 1,
            w + 1,
            "close to close",
            *((f"volatility_{w}",) if w in (10, 30) else ()),
        )
        for w in HV_WINDOWS
    ),
    _annual(
        "tech_parkinson_20_annual",
        "mean(ln(h/l)^2)/(4 ln 2)",
        20,
        20,
        "M. Parkinson, The Extreme Value Method, 1980",
        "parkinson_volatility",
    ),
    _annual(
        "tech_garman_klass_20_annual",
        "mean(0.5 ln(h/l)^2 - (2 ln 2 - 1) ln(c/o)^2)",
        20,
        20,
        "M. Garman, M. Klass, 1980",
    ),
    _annual(
        "tech_rogers_satchell_20_annual",
        "mean(ln(h/c) ln(h/o) + ln(l/c) ln(l/o))",
        20,
        20,
        "L. Rogers, S. Satchell, 1991",
    ),
    _annual(
        "tech_yang_zhang_20_annual",
        "(var(ln(o/c[1])) + k var(ln(c/o)) + (1-k) rs), k = 0.34/(1.34 + 21/19)",
        21,
        21,
        "D. Yang, Q. Zhang, 2000",
    ),
    _column(
        "tech_hv_20_percentile",
        "share of the last 252 values of hv_20 that are <= hv_20",
        window_bars=272,
        warmup_bars=272,
        unit="fraction",
        low=0.0,
        high=1.0,
        source="trailing rank",
        aliases=("vol_percentile",),
    ),
    _column(
        "tech_hv_10_60_ratio",
        "hv_10 / hv_60; 1 where hv_60 is 0",
        window_bars=61,
        warmup_bars=61,
        unit="ratio",
        low=0.0,
        high=inf,
        source="ratio of hv",
    ),
)
