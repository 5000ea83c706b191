"""Returns: changes over windows and the moments of their distribution."""

from math import ceil, floor, inf, sqrt

from outcry.errors import ConfigurationError
from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind
from outcry.features.kernels import bars

RETURN, MOMENTS, HIGHER_MOMENTS, ZSCORE, AUTOCORR = range(5)

_ALIASES = {1: ("returns_1m",), 5: ("returns_5m",), 15: ("returns_15m",), 60: ("returns_1h",)}


def _column(
    name: str,
    formula: str,
    *,
    window: int,
    unit: str,
    low: float,
    high: float,
    source: str,
    aliases: tuple[str, ...] = (),
) -> Column:
    return Column(name, "returns", formula, window, window, unit, low, high, source, aliases)


def _return(window: int) -> Indicator:
    simple = _column(
        f"stat_return_{window}_close",
        "close/close[w] - 1",
        window=window + 1,
        unit="ratio",
        low=-1.0,
        high=inf,
        source="TA-Lib ROCP",
        aliases=_ALIASES.get(window, ()),
    )
    logarithmic = _column(
        f"stat_logreturn_{window}_close",
        "ln(close/close[w])",
        window=window + 1,
        unit="ratio",
        low=-inf,
        high=inf,
        source="logarithmic return",
    )
    return Indicator(RETURN, (window,), (simple, logarithmic), lookback_bars=window + 1)


def _moments(window: int) -> Indicator:
    mean = _column(
        f"stat_logreturn_{window}_mean",
        "mean(log return, w)",
        window=window + 1,
        unit="ratio",
        low=-inf,
        high=inf,
        source="sample mean",
    )
    std = _column(
        f"stat_logreturn_{window}_std",
        "std(log return, w, ddof 1)",
        window=window + 1,
        unit="ratio",
        low=0.0,
        high=inf,
        source="sample deviation",
    )
    adjusted = _column(
        f"stat_logreturn_{window}_adjusted",
        "mean/std of the log return; 0 where constant",
        window=window + 1,
        unit="deviations",
        low=-inf,
        high=inf,
        source="W. Sharpe, 1966, a bar",
    )
    return Indicator(MOMENTS, (window,), (mean, std, adjusted), lookback_bars=window)


def _higher_moments(window: int) -> Indicator:
    if window < 4:
        raise ConfigurationError(f"windows.higher_moments: window must be at least 4, was {window}")
    bound = ceil(10.0 * sqrt(window)) / 10.0  # a single outlier has G1 = sqrt(w) and G2 = w
    skewness = _column(
        f"stat_skewness_{window}_return",
        "adjusted Fisher-Pearson skewness of the log return; 0 where constant",
        window=window + 1,
        unit="ratio",
        low=-bound,
        high=bound,
        source="D. Joanes, C. Gill, 1998, G1",
        aliases=(f"skewness_{window}",),
    )
    kurtosis = _column(
        f"stat_kurtosis_{window}_return",
        "unbiased excess kurtosis of the log return; 0 where constant",
        window=window + 1,
        unit="ratio",
        low=floor(-2.0 * (window - 1) / (window - 3)),
        high=float(window),
        source="D. Joanes, C. Gill, 1998, G2",
        aliases=(f"kurtosis_{window}",),
    )
    return Indicator(HIGHER_MOMENTS, (window,), (skewness, kurtosis), lookback_bars=window)


def _zscore(window: int) -> Indicator:
    bound = floor(sqrt(window)) + 1.0
    column = _column(
        f"stat_zscore_{window}_close",
        "(close - mean)/std(ddof 1); 0 where constant",
        window=window,
        unit="deviations",
        low=-bound,
        high=bound,
        source="standard score",
        aliases=("zscore_price",) if window == 60 else (),
    )
    return Indicator(ZSCORE, (window,), (column,), lookback_bars=window)


def _autocorr(window: int, lag: int) -> Indicator:
    if lag > window - 2:
        raise ConfigurationError(f"windows.autocorr: lag must be at most window - 2, was {lag} of {window}")
    column = _column(
        f"stat_autocorr_{window}_lag{lag}",
        "correlation of the last w log returns with those lag bars before, inside the window; 0 where constant",
        window=window + 1,
        unit="ratio",
        low=-1.0,
        high=1.0,
        source="sample autocorrelation",
        aliases=("autocorr_5",) if (window, lag) == (20, 5) else (),
    )
    return Indicator(AUTOCORR, (window, lag), (column,), lookback_bars=window)


RETURNS = Family(
    "returns",
    (
        Kind("return", _return, ((1,), (5,), (10,), (15,), (20,), (60,)), rows=(bars.CLOSE,)),
        Kind("moments", _moments, ((20,), (60,)), rows=(bars.LOG_RETURN,)),
        Kind("higher_moments", _higher_moments, ((20,), (60,)), rows=(bars.LOG_RETURN,)),
        Kind("zscore", _zscore, ((20,), (50,), (60,)), rows=(bars.CLOSE,)),
        Kind(
            "autocorr",
            _autocorr,
            ((20, 1), (20, 5), (60, 1), (60, 2), (60, 3), (60, 4), (60, 5)),
            rows=(bars.LOG_RETURN,),
        ),
    ),
)
