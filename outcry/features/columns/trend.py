"""Trend: moving averages, directional movement, Aroon, parabolic stop, regression."""

from math import inf

from outcry.features.column import Column

SMA_WINDOWS = (5, 10, 20, 50, 100, 200)
EMA_WINDOWS = (5, 10, 12, 20, 26, 50, 100, 200)
WMA_WINDOWS = (5, 10, 20, 50)
VWMA_WINDOWS = (10, 20, 50)
REGRESSION_WINDOWS = (20, 60)

_WILDER = "J. W. Wilder, New Concepts in Technical Trading Systems, 1978; TA-Lib"


def _average(name: str, formula: str, w: int, warmup: int, source: str, *aliases: str) -> Column:
    return Column(name, "trend", formula, w, warmup, "price", 0.0, inf, source, aliases)


def _distance(name: str, of: str, w: int, *, is_recursive: bool) -> Column:
    return Column(
        name,
        "trend",
        f"(close - {of}) / {of}",
        0 if is_recursive else w,
        w,
        "ratio",
        -1.0,
        inf,
        "TA-Lib average, rescaled",
    )


TREND: tuple[Column, ...] = (
    *(_average(f"tech_sma_{w}_raw", "mean(close, w)", w, w, "TA-Lib SMA", f"sma_{w}") for w in SMA_WINDOWS),
    *(_distance(f"tech_sma_{w}_distance", f"sma_{w}", w, is_recursive=False) for w in SMA_WINDOWS),
    *(
        _average(
            f"tech_ema_{w}_raw",
            "ema += 2/(w+1) (close - ema); seed: mean of the first w closes",
            0,
            w,
            "TA-Lib EMA",
            f"ema_{w}",
        )
        for w in EMA_WINDOWS
    ),
    *(_distance(f"tech_ema_{w}_distance", f"ema_{w}", w, is_recursive=True) for w in EMA_WINDOWS),
    *(
        _average(f"tech_wma_{w}_raw", "sum((w-j) close[j], j < w) / (w(w+1)/2)", w, w, "TA-Lib WMA")
        for w in WMA_WINDOWS
    ),
    *(
        _average(
            f"tech_vwma_{w}_raw", "sum(close volume) / sum(volume); the mean close without volume", w, w, "B. Buff"
        )
        for w in VWMA_WINDOWS
    ),
    _average("tech_dema_20_raw", "2 ema - ema(ema)", 0, 39, "P. Mulloy, Smoothing Data with Faster MAs, 1994; TA-Lib"),
    _average("tech_tema_20_raw", "3 e1 - 3 e2 + e3, e_i = ema(e_(i-1))", 0, 58, "P. Mulloy, 1994; TA-Lib"),
    _average(
        "tech_hma_20_raw", "wma(2 wma(close, 10) - wma(close, 20), 4)", 23, 23, "A. Hull, Hull Moving Average, 2005"
    ),
    _average(
        "tech_kama_10_raw", "kama += (er (2/3 - 2/31) + 2/31)^2 (close - kama)", 0, 11, "P. Kaufman, 1995; TA-Lib"
    ),
    Column(
        "tech_efficiency_10_ratio",
        "trend",
        "abs(close - close[10]) / sum(abs(change), 10); 0 where no close changed",
        window_bars=11,
        warmup_bars=11,
        unit="fraction",
        low=0.0,
        high=1.0,
        source="P. Kaufman, Smarter Trading, 1995",
    ),
    Column(
        "tech_adx_14_raw",
        "trend",
        "wilder(dx), dx = 100 abs(+di - -di)/(+di + -di); unchanged where 0/0",
        window_bars=0,
        warmup_bars=28,
        unit="index",
        low=0.0,
        high=100.0,
        source=_WILDER,
    ),
    Column(
        "tech_di_14_plus",
        "trend",
        "100 wilder(+dm)/wilder(tr); 0 where tr is 0",
        window_bars=0,
        warmup_bars=15,
        unit="index",
        low=0.0,
        high=100.0,
        source=_WILDER,
    ),
    Column(
        "tech_di_14_minus",
        "trend",
        "100 wilder(-dm)/wilder(tr); 0 where tr is 0",
        window_bars=0,
        warmup_bars=15,
        unit="index",
        low=0.0,
        high=100.0,
        source=_WILDER,
    ),
    Column(
        "tech_aroon_25_up",
        "trend",
        "100 (25 - bars since the latest high of 26 bars) / 25",
        window_bars=26,
        warmup_bars=26,
        unit="index",
        low=0.0,
        high=100.0,
        source="T. Chande, Aroon, 1995; TA-Lib",
    ),
    Column(
        "tech_aroon_25_down",
        "trend",
        "100 (25 - bars since the latest low of 26 bars) / 25",
        window_bars=26,
        warmup_bars=26,
        unit="index",
        low=0.0,
        high=100.0,
        source="T. Chande, Aroon, 1995; TA-Lib",
    ),
    Column(
        "tech_aroon_25_oscillator",
        "trend",
        "up - down",
        window_bars=26,
        warmup_bars=26,
        unit="index",
        low=-100.0,
        high=100.0,
        source="T. Chande, 1995; TA-Lib",
    ),
    _average("tech_psar_raw", "sar += af (ep - sar), af from 0.02 by 0.02 to 0.2; turns when crossed", 0, 2, _WILDER),
    Column(
        "tech_psar_direction",
        "trend",
        "+1 while the stop is below, -1 above",
        window_bars=0,
        warmup_bars=2,
        unit="flag",
        low=-1.0,
        high=1.0,
        source=_WILDER,
    ),
    Column(
        "tech_psar_distance",
        "trend",
        "(close - sar) / close",
        window_bars=0,
        warmup_bars=2,
        unit="ratio",
        low=-inf,
        high=inf,
        source=_WILDER,
    ),
    *(
        Column(
            f"stat_linreg_{w}_slope",
            "trend",
            "least-squares slope a bar of close / close",
            window_bars=w,
            warmup_bars=w,
            unit="ratio",
            low=-inf,
            high=inf,
            source="TA-Lib LINEARREG_SLOPE, divided by close",
        )
        for w in REGRESSION_WINDOWS
    ),
    *(
        Column(
            f"stat_linreg_{w}_r2",
            "trend",
            "squared correlation of close with time; 0 where close is constant",
            window_bars=w,
            warmup_bars=w,
            unit="fraction",
            low=0.0,
            high=1.0,
            source="least squares",
        )
        for w in REGRESSION_WINDOWS
    ),
)
