"""Returns: changes over windows and the moments of their distribution."""

from math import inf

from outcry.features.column import Column

RETURN_WINDOWS = (1, 5, 10, 15, 20, 60)
MOMENT_WINDOWS = (20, 60)
ZSCORE_WINDOWS = (20, 50, 60)
AUTOCORRELATION_LAGS = (1, 5)

_ALIASES = {1: ("returns_1m",), 5: ("returns_5m",), 15: ("returns_15m",), 60: ("returns_1h",)}


def _column(
    name: str,
    formula: str,
    *,
    window_bars: int,
    unit: str,
    low: float,
    high: float,
    source: str,
    aliases: tuple[str, ...] = (),
) -> Column:
    warmup_bars = max(window_bars, 1)
    return Column(name, "returns", formula, window_bars, warmup_bars, unit, low, high, source, aliases)


RETURNS: tuple[Column, ...] = (
    *(
        _column(
            f"stat_return_{w}_close",
            "close/close[w] - 1",
            window_bars=w + 1,
            unit="ratio",
            low=-1.0,
            high=inf,
            source="TA-Lib ROCP",
            aliases=_ALIASES.get(w, ()),
        )
        for w in RETURN_WINDOWS
    ),
    *(
        _column(
            f"stat_logreturn_{w}_close",
            "ln(close/close[w])",
            window_bars=w + 1,
            unit="ratio",
            low=-inf,
            high=inf,
            source="logarithmic return",
        )
        for w in RETURN_WINDOWS
    ),
    *(
        _column(
            f"stat_logreturn_{w}_mean",
            "mean(log return, w)",
            window_bars=w + 1,
            unit="ratio",
            low=-inf,
            high=inf,
            source="sample mean",
        )
        for w in MOMENT_WINDOWS
    ),
    *(
        _column(
            f"stat_logreturn_{w}_std",
            "std(log return, w, ddof 1)",
            window_bars=w + 1,
            unit="ratio",
            low=0.0,
            high=inf,
            source="sample deviation",
        )
        for w in MOMENT_WINDOWS
    ),
    *(
        _column(
            f"stat_logreturn_{w}_adjusted",
            "mean/std of the log return; 0 where constant",
            window_bars=w + 1,
            unit="deviations",
            low=-inf,
            high=inf,
            source="W. Sharpe, 1966, a bar",
        )
        for w in MOMENT_WINDOWS
    ),
    _column(
        "stat_skewness_20_return",
        "adjusted Fisher-Pearson skewness of the log return; 0 where constant",
        window_bars=21,
        unit="ratio",
        low=-4.5,
        high=4.5,
        source="D. Joanes, C. Gill, 1998, G1",
        aliases=("skewness_20",),
    ),
    _column(
        "stat_kurtosis_20_return",
        "unbiased excess kurtosis of the log return; 0 where constant",
        window_bars=21,
        unit="ratio",
        low=-3.0,
        high=20.0,
        source="D. Joanes, C. Gill, 1998, G2",
        aliases=("kurtosis_20",),
    ),
    *(
        _column(
            f"stat_zscore_{w}_close",
            "(close - mean)/std(ddof 1); 0 where constant",
            window_bars=w,
            unit="deviations",
            low=-8.0,
            high=8.0,
            source="standard score",
            aliases=("zscore_price",) if w == 60 else (),
        )
        for w in ZSCORE_WINDOWS
    ),
    *(
        _column(
            f"stat_autocorr_20_lag{lag}",
            "correlation of the last 20 log returns with those lag bars before, inside the window; 0 where constant",
            window_bars=21,
            unit="ratio",
            low=-1.0,
            high=1.0,
            source="sample autocorrelation",
            aliases=("autocorr_5",) if lag == 5 else (),
        )
        for lag in AUTOCORRELATION_LAGS
    ),
)
