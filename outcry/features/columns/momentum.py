"""Momentum: bounded oscillators, rates of change, MACD and its relatives."""

from math import inf

from outcry.features.column import Column

RSI_WINDOWS = (7, 14, 21)
CCI_WINDOWS = (14, 20)
ROC_WINDOWS = (5, 10, 20, 60)
MOM_WINDOWS = (5, 10, 15, 20)

_LANE = "G. Lane, Lane's Stochastics, 1984; TA-Lib STOCH"
_APPEL = "G. Appel, The Moving Average Convergence-Divergence Method, 1979; TA-Lib"


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
    return Column(name, "momentum", formula, window_bars, warmup_bars, unit, low, high, source, aliases)


MOMENTUM: tuple[Column, ...] = (
    *(
        _column(
            f"tech_rsi_{w}_raw",
            "100 gain/(gain + loss), wilder averages; 50 where both are 0",
            window_bars=0,
            warmup_bars=w + 1,
            unit="index",
            low=0.0,
            high=100.0,
            source="J. W. Wilder, 1978; TA-Lib RSI",
            aliases=(f"rsi_{w}",),
        )
        for w in RSI_WINDOWS
    ),
    _column(
        "tech_stoch_14_k",
        "mean(100 (close - low14)/(high14 - low14), 3); 50 where the range is 0",
        window_bars=16,
        warmup_bars=16,
        unit="index",
        low=0.0,
        high=100.0,
        source=_LANE,
    ),
    _column(
        "tech_stoch_14_d",
        "mean(k, 3)",
        window_bars=18,
        warmup_bars=18,
        unit="index",
        low=0.0,
        high=100.0,
        source=_LANE,
    ),
    _column(
        "tech_stochrsi_14_k",
        "100 (rsi - min14)/(max14 - min14) of rsi_14; 50 where the range is 0",
        window_bars=0,
        warmup_bars=28,
        unit="index",
        low=0.0,
        high=100.0,
        source="T. Chande, S. Kroll, The New Technical Trader, 1994; TA-Lib STOCHRSI",
    ),
    _column(
        "tech_stochrsi_14_d",
        "mean(k, 3)",
        window_bars=0,
        warmup_bars=30,
        unit="index",
        low=0.0,
        high=100.0,
        source="T. Chande, S. Kroll, 1994; TA-Lib STOCHRSI",
    ),
    _column(
        "tech_willr_14_raw",
        "-100 (high14 - close)/(high14 - low14); -50 where the range is 0",
        window_bars=14,
        warmup_bars=14,
        unit="index",
        low=-100.0,
        high=0.0,
        source="L. Williams, 1979; TA-Lib WILLR",
    ),
    *(
        _column(
            f"tech_cci_{w}_raw",
            "(tp - mean)/(0.015 mean abs deviation), tp = (h+l+c)/3; 0 where constant",
            window_bars=w,
            warmup_bars=w,
            unit="deviations",
            low=-inf,
            high=inf,
            source="D. Lambert, Commodity Channel Index, 1980; TA-Lib CCI",
        )
        for w in CCI_WINDOWS
    ),
    _column(
        "tech_ultosc_7_14_28_raw",
        "100 (4 a7 + 2 a14 + a28)/7, a = sum(bp)/sum(tr); a is 0.5 where tr is 0",
        window_bars=29,
        warmup_bars=29,
        unit="index",
        low=0.0,
        high=100.0,
        source="L. Williams, The Ultimate Oscillator, 1985; TA-Lib ULTOSC",
    ),
    *(
        _column(
            f"tech_roc_{w}_raw",
            "100 (close/close[w] - 1)",
            window_bars=w + 1,
            warmup_bars=w + 1,
            unit="percent",
            low=-100.0,
            high=inf,
            source="TA-Lib ROC",
        )
        for w in ROC_WINDOWS
    ),
    *(
        _column(
            f"tech_mom_{w}_raw",
            "close - close[w]",
            window_bars=w + 1,
            warmup_bars=w + 1,
            unit="price",
            low=-inf,
            high=inf,
            source="TA-Lib MOM",
            aliases=(f"momentum_{w}",) if w in (5, 15) else (),
        )
        for w in MOM_WINDOWS
    ),
    _column(
        "tech_macd_12_26_line",
        "ema12 - ema26, both seeded at bar 26",
        window_bars=0,
        warmup_bars=26,
        unit="price",
        low=-inf,
        high=inf,
        source=_APPEL,
        aliases=("macd_line",),
    ),
    _column(
        "tech_macd_12_26_signal",
        "ema9(line)",
        window_bars=0,
        warmup_bars=34,
        unit="price",
        low=-inf,
        high=inf,
        source=_APPEL,
        aliases=("macd_signal",),
    ),
    _column(
        "tech_macd_12_26_histogram",
        "line - signal",
        window_bars=0,
        warmup_bars=34,
        unit="price",
        low=-inf,
        high=inf,
        source=_APPEL,
        aliases=("macd_histogram",),
    ),
    _column(
        "tech_ppo_12_26_line",
        "100 (ema12 - ema26)/ema26, each seeded at its own bar",
        window_bars=0,
        warmup_bars=26,
        unit="percent",
        low=-100.0,
        high=inf,
        source=_APPEL,
    ),
    _column(
        "tech_ppo_12_26_signal",
        "ema9(line)",
        window_bars=0,
        warmup_bars=34,
        unit="percent",
        low=-100.0,
        high=inf,
        source=_APPEL,
    ),
    _column(
        "tech_ppo_12_26_histogram",
        "line - signal",
        window_bars=0,
        warmup_bars=34,
        unit="percent",
        low=-inf,
        high=inf,
        source=_APPEL,
    ),
    _column(
        "tech_trix_15_raw",
        "100 change of ema(ema(ema(close))) over its last value",
        window_bars=0,
        warmup_bars=44,
        unit="percent",
        low=-100.0,
        high=inf,
        source="J. Hutson, Triple Exponential Smoothing, 1983; TA-Lib TRIX",
    ),
    _column(
        "tech_tsi_25_13_raw",
        "100 ema13(ema25(change))/ema13(ema25(abs(change))); 0 where none changed",
        window_bars=0,
        warmup_bars=38,
        unit="index",
        low=-100.0,
        high=100.0,
        source="W. Blau, True Strength Index, 1991",
    ),
    _column(
        "tech_coppock_14_11_raw",
        "wma(roc14 + roc11, 10)",
        window_bars=24,
        warmup_bars=24,
        unit="percent",
        low=-200.0,
        high=inf,
        source="E. Coppock, 1962",
    ),
)
