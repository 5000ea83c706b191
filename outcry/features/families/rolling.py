"""Rolling statistics: distribution and tails of returns, fits, breaks, drawdown, price and volume together."""

from math import floor, inf, sqrt

from outcry.errors import ConfigurationError
from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind
from outcry.features.kernels import bars

(
    CLOSE_MOMENTS,
    RETURN_QUANTILES,
    CLOSE_QUANTILES,
    TAIL_RISK,
    SEMI_DEVIATION,
    POLYNOMIAL_FIT,
    CUSUM,
    VARIANCE_RATIO,
    SIGN_ENTROPY,
    DRAWDOWN,
    UP_VOLUME,
    PRICE_VOLUME,
) = range(12)
VARIANCE_RATIO_BARS = (2, 5, 10)
VARIANCE_RATIO_CADENCE_BARS = 5
EXACT_FIT = 1e-12
"""A deviation from the fit below this fraction of the close is rounding."""

_FIT = "least squares on the bar number"
_TAIL = "P. Jorion, Value at Risk, 1996, historical simulation"


def _column(
    name: str,
    formula: str,
    *,
    window: int,
    unit: str,
    low: float = -inf,
    high: float = inf,
    source: str,
    warmup: int | None = None,
    cadence: int = 1,
) -> Column:
    warmup = window if warmup is None else warmup
    return Column(name, "rolling", formula, window, warmup, unit, low, high, source, cadence_bars=cadence)


def _check_window(kind: str, window: int, least: int) -> None:
    if window < least:
        raise ConfigurationError(f"windows.{kind}: window must be at least {least}, was {window}")


def _close_moments(window: int) -> Indicator:
    columns = tuple(
        _column(f"stat_close_{window}_{name}", formula, window=window, unit="ratio", low=0.0, source="sample moment")
        for name, formula in (
            ("mean", "mean(close, w)/close"),
            ("std", "std(close, w, ddof 1)/close"),
            ("variance", "var(close, w, ddof 1)/close^2"),
        )
    )
    return Indicator(CLOSE_MOMENTS, (window,), columns, lookback_bars=window)


def _return_quantiles(window: int) -> Indicator:
    quantiles = tuple(
        _column(
            f"stat_logreturn_{window}_q{percent}",
            f"{percent} % quantile of the last w log returns, linear between neighbours",
            window=window + 1,
            unit="ratio",
            source="R. Hyndman, Y. Fan, Sample Quantiles, 1996, definition 7",
        )
        for percent in (10, 25, 50, 75, 90)
    )
    deviation = _column(
        f"stat_logreturn_{window}_mad",
        "median(abs(log return - median)) of the last w, not scaled to a normal deviation",
        window=window + 1,
        unit="ratio",
        low=0.0,
        source="F. Hampel, The Influence Curve, 1974",
    )
    columns = (*quantiles, deviation)
    return Indicator(RETURN_QUANTILES, (window,), columns, n_slots=window, lookback_bars=window + 1)


def _close_quantiles(window: int) -> Indicator:
    rank = _column(
        f"stat_close_{window}_rank",
        "share of the last w closes below this one, equal ones (itself too) counting half",
        window=window,
        unit="fraction",
        low=0.0,
        high=1.0,
        source="percentile rank",
    )
    position = _column(
        f"stat_close_{window}_position",
        "(close - q10)/(q90 - q10) of the last w closes; 0.5 where q10 and q90 are equal",
        window=window,
        unit="ratio",
        source="quantile range",
    )
    median = _column(
        f"stat_close_{window}_median",
        "(close - median)/close of the last w closes",
        window=window,
        unit="ratio",
        high=1.0,
        source="sample median",
    )
    return Indicator(CLOSE_QUANTILES, (window,), (rank, position, median), n_slots=window, lookback_bars=window + 1)


def _tail_risk(window: int) -> Indicator:
    def column(name: str, formula: str, *, unit: str = "ratio", low: float, high: float = inf, source: str) -> Column:
        return _column(name, formula, window=window + 1, unit=unit, low=low, high=high, source=source)

    var = "minus the {} % quantile of the last w log returns, linear; 0 where that is a gain"
    cvar = "minus the mean of the last w log returns up to the {} % quantile; 0 where that is a gain"
    bound = floor(sqrt(window)) + 1.0
    columns = (
        column(f"stat_var_{window}_95", var.format(5), low=0.0, source=_TAIL),
        column(f"stat_var_{window}_99", var.format(1), low=0.0, source=_TAIL),
        column(f"stat_cvar_{window}_95", cvar.format(5), low=0.0, source="C. Acerbi, D. Tasche, 2002"),
        column(f"stat_cvar_{window}_99", cvar.format(1), low=0.0, source="C. Acerbi, D. Tasche, 2002"),
        column(
            f"stat_tail_{window}_ratio",
            "abs(95 % quantile)/abs(5 % quantile) of the last w log returns, at most 100; 1 where both are 0",
            low=0.0,
            high=100.0,
            source="tail ratio (empyrical)",
        ),
        column(
            f"stat_extreme_{window}_max",
            "(max - mean)/std(ddof 1) of the last w log returns; 0 where constant",
            unit="deviations",
            low=0.0,
            high=bound,
            source="F. Grubbs, Sample Criteria for Testing Outlying Observations, 1950",
        ),
        column(
            f"stat_extreme_{window}_min",
            "(min - mean)/std(ddof 1) of the last w log returns; 0 where constant",
            unit="deviations",
            low=-bound,
            high=0.0,
            source="F. Grubbs, Sample Criteria for Testing Outlying Observations, 1950",
        ),
    )
    return Indicator(TAIL_RISK, (window,), columns, n_slots=window, lookback_bars=window + 1)


def _semi_deviation(window: int) -> Indicator:
    down, up = (
        _column(
            f"stat_semideviation_{window}_{name}",
            f"sqrt(mean({part}(log return, 0)^2, w))",
            window=window + 1,
            unit="ratio",
            low=0.0,
            source="F. Sortino, R. van der Meer, Downside Risk, 1991, target 0",
        )
        for name, part in (("down", "min"), ("up", "max"))
    )
    asymmetry = _column(
        f"stat_asymmetry_{window}_gain",
        "(g - l)/(g + l), g and l the mean size of the rising and falling log returns of the last w; 0 where none",
        window=window + 1,
        unit="ratio",
        low=-1.0,
        high=1.0,
        source="gain to loss ratio, bounded",
    )
    return Indicator(SEMI_DEVIATION, (window,), (down, up, asymmetry), lookback_bars=window)


def _polynomial_fit(window: int) -> Indicator:
    _check_window("polynomial_fit", window, 4)
    bound = floor(sqrt(window)) + 1.0

    def column(name: str, formula: str, *, unit: str = "ratio", low: float = -inf, high: float = inf) -> Column:
        return _column(name, formula, window=window, unit=unit, low=low, high=high, source=_FIT)

    columns = (
        column(
            f"stat_linreg_{window}_residual",
            "(close - line)/standard error of the last w closes; 0 where the line is exact (to 1e-12 of close)",
            unit="deviations",
            low=-bound,
            high=bound,
        ),
        column(f"stat_linreg_{window}_std", "standard error of estimate, sqrt(SSR/(w - 2)), over close", low=0.0),
        column(f"stat_linreg_{window}_error", "standard error of the slope over close, a bar", low=0.0),
        column(f"stat_linreg_{window}_forecast", "(line at the next bar - close)/close; TA-Lib TSF"),
        column(f"stat_quadratic_{window}_curvature", "coefficient of (bar number)^2 over close, a bar^2"),
        column(
            f"stat_quadratic_{window}_gain",
            "R^2 of the parabola - R^2 of the line; 0 where the close is constant",
            unit="fraction",
            low=0.0,
            high=1.0,
        ),
        _column(
            f"stat_quadratic_{window}_inflection",
            "1 where the curvature became positive at this bar, -1 where negative, else 0; it counts as 0 where the "
            "parabola bends by less than 1e-12 of close",
            window=window + 1,
            unit="flag",
            low=-1.0,
            high=1.0,
            source=_FIT,
        ),
    )
    return Indicator(POLYNOMIAL_FIT, (window,), columns, n_slots=1, lookback_bars=window)


def _cusum(window: int) -> Indicator:
    def column(name: str, formula: str, *, unit: str = "deviations", low: float, high: float) -> Column:
        return _column(
            f"stat_cusum_{window}_{name}",
            formula,
            window=0,
            warmup=window + 1,
            unit=unit,
            low=low,
            high=high,
            source="E. Page, Continuous Inspection Schemes, 1954; M. Lopez de Prado, 2018, 2.5.2.1",
        )

    bound = floor(sqrt(window)) + 2.0
    columns = (
        column(
            "up",
            "max(0, up[1] + z), z = (log return - mean)/std(ddof 1) of the last w, 0 where constant; anew from 0 "
            "after it passed 1",
            low=0.0,
            high=bound,
        ),
        column("down", "min(0, down[1] + z); anew from 0 after it passed -1", low=-bound, high=0.0),
        column(
            "hit", "1 where up passed 1 at this bar, -1 where down passed -1, else 0", unit="flag", low=-1.0, high=1.0
        ),
    )
    return Indicator(CUSUM, (window,), columns, n_slots=2, lookback_bars=window)


def _variance_ratio(window: int) -> Indicator:
    _check_window("variance_ratio", window, VARIANCE_RATIO_BARS[-1] + 1)
    ratios = tuple(
        _column(
            f"stat_variance_{window}_ratio{bars}",
            f"var of overlapping {bars}-bar log returns/({bars} var) of the last w, unbiased; 1 where constant",
            window=window + 1,
            unit="ratio",
            low=0.0,
            source="A. Lo, A. MacKinlay, Stock Market Prices Do Not Follow Random Walks, 1988, 12",
            cadence=VARIANCE_RATIO_CADENCE_BARS,
        )
        for bars in VARIANCE_RATIO_BARS
    )
    efficiency = _column(
        f"stat_efficiency_{window}_ratio",
        "abs(sum(log return, w))/sum(abs(log return), w); 0 where constant",
        window=window + 1,
        unit="fraction",
        low=0.0,
        high=1.0,
        source="P. Kaufman, Smarter Trading, 1995",
        cadence=VARIANCE_RATIO_CADENCE_BARS,
    )
    return Indicator(VARIANCE_RATIO, (window,), (*ratios, efficiency), lookback_bars=window + 1)


def _sign_entropy(window: int) -> Indicator:
    column = _column(
        f"stat_entropy_{window}_sign",
        "-sum(f ln f)/ln 3, f the frequencies of log returns above, below and at 0 among the last w",
        window=window + 1,
        unit="fraction",
        low=0.0,
        high=1.0,
        source="C. Shannon, A Mathematical Theory of Communication, 1948",
    )
    return Indicator(SIGN_ENTROPY, (window,), (column,), lookback_bars=window)


def _drawdown(window: int) -> Indicator:
    drawdown = _column(
        f"stat_drawdown_{window}_close",
        "1 - close/max(close, w)",
        window=window,
        unit="fraction",
        low=0.0,
        high=1.0,
        source="drawdown",
    )
    runup = _column(
        f"stat_runup_{window}_close",
        "close/min(close, w) - 1",
        window=window,
        unit="ratio",
        low=0.0,
        source="run-up",
    )
    ages = tuple(
        _column(
            f"stat_{name}_{window}_age",
            f"bars since the {name}est close of the last w, the latest of equal ones",
            window=window,
            unit="bars",
            low=0.0,
            high=window - 1.0 if window > 1 else 1.0,
            source="time since an extreme",
        )
        for name in ("high", "low")
    )
    return Indicator(DRAWDOWN, (window,), (drawdown, runup, *ages), n_slots=4, lookback_bars=window)


def _up_volume(window: int) -> Indicator:
    share = _column(
        f"stat_volume_{window}_up",
        "volume of rising bars/volume of rising and falling bars of the last w; 0.5 where neither",
        window=window + 1,
        unit="fraction",
        low=0.0,
        high=1.0,
        source="up and down volume",
    )
    a_bar = _column(
        f"stat_volume_{window}_up_bar",
        "(u - d)/(u + d), u and d the mean volume of a rising and of a falling bar of the last w; 0 where neither",
        window=window + 1,
        unit="ratio",
        low=-1.0,
        high=1.0,
        source="up and down volume",
    )
    return Indicator(UP_VOLUME, (window,), (share, a_bar), lookback_bars=window + 1)


def _price_volume(window: int) -> Indicator:
    columns = tuple(
        _column(
            f"stat_volume_{window}_corr_{name}",
            f"correlation of {price} and volume over w; 0 where one is constant",
            window=window + extra,
            unit="ratio",
            low=-1.0,
            high=1.0,
            source="J. Karpoff, The Relation Between Price Changes and Trading Volume, 1987; TA-Lib CORREL",
        )
        for name, price, extra in (
            ("close", "close", 0),
            ("return", "log return", 1),
            ("size", "abs(log return)", 1),
        )
    )
    return Indicator(PRICE_VOLUME, (window,), columns, lookback_bars=window)


ROLLING = Family(
    "rolling",
    (
        Kind("close_moments", _close_moments, ((20,), (60,)), rows=(bars.CLOSE,)),
        Kind("return_quantiles", _return_quantiles, ((60,),), rows=(bars.LOG_RETURN,)),
        Kind("close_quantiles", _close_quantiles, ((60,),), rows=(bars.CLOSE,)),
        Kind("tail_risk", _tail_risk, ((100,),), rows=(bars.LOG_RETURN,)),
        Kind("semi_deviation", _semi_deviation, ((20,), (60,)), rows=(bars.LOG_RETURN,)),
        Kind("polynomial_fit", _polynomial_fit, ((20,), (60,)), rows=(bars.CLOSE,)),
        Kind("cusum", _cusum, ((60,),), rows=(bars.LOG_RETURN,)),
        Kind("variance_ratio", _variance_ratio, ((60,), (100,)), rows=(bars.LOG_CLOSE,)),
        Kind("sign_entropy", _sign_entropy, ((60,),), rows=(bars.LOG_RETURN,)),
        Kind("drawdown", _drawdown, ((20,), (60,), (252,)), rows=(bars.CLOSE,)),
        Kind("up_volume", _up_volume, ((20,), (60,)), rows=(bars.LOG_RETURN,)),
        Kind("price_volume", _price_volume, ((20,), (60,)), rows=(bars.LOG_RETURN,)),
    ),
)
