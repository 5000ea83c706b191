"""Statistics of a whole window: dependence, stationarity, memory, breaks, tails, waves, toxicity.

They cost microseconds where other columns cost nanoseconds, so each has a cadence: it is computed when its warm-up is
over, then every `CADENCE_BARS` bars, different kinds at different bars, and kept in between.
"""

from math import inf, log, pi

from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind
from outcry.features.kernels import bars
from outcry.features.kernels.statistics.breaks import SUP_F_CRITICAL_5PCT, SUP_F_LIMIT
from outcry.features.kernels.statistics.mean_reversion import THETA_MAX_PER_BAR
from outcry.features.kernels.statistics.tails import HILL_LIMIT
from outcry.features.kernels.statistics.unit_root import ADF_LIMIT

VPIN, ACF, UNIT_ROOT, FRACTAL, REVERSION, BREAK, CHANGE, HILL, WAVELET, SPECTRUM = range(10)
CADENCE_BARS = 10
N_ACF_LAGS, N_PACF_LAGS, N_BOX_LAGS = 20, 5, 10
N_WAVES, N_LEVELS = 10, 3
N_BUCKETS, N_TOXICITIES = 50, 50
HALF_LIFE_CAP_WINDOWS = 10

_DURBIN = "J. Durbin, The fitting of time-series models, 1960; statsmodels pacf ldbiased"
_BOX = "G. Box, G. Jenkins, Time Series Analysis, 1970, 2.1; statsmodels acf"
_OU = "D. Gillespie, Exact numerical simulation of the Ornstein-Uhlenbeck process, 1996; E. Chan, 2013"
_MALLAT = "S. Mallat, 1989; I. Daubechies, Ten Lectures on Wavelets, 1992, db4"
_EASLEY = "D. Easley, M. Lopez de Prado, M. O'Hara, Flow toxicity and liquidity, 2012"
_FOURIER = "J. Cooley, J. Tukey, 1965; NumPy fft"
_ADAMS = "R. Adams, D. MacKay, Bayesian online changepoint detection, 2007"


def _column(
    name: str, formula: str, window: int, warmup: int, *, unit: str, low: float, high: float, source: str
) -> Column:
    return Column(name, "statistics", formula, window, warmup, unit, low, high, source, cadence_bars=CADENCE_BARS)


def _vpin(window: int) -> Indicator:
    bars = window + 1
    history = bars + (N_TOXICITIES - 1) * CADENCE_BARS
    columns = (
        _column(
            f"micro_vpin_{window}_value",
            f"sum(abs(bought - sold))/volume over {N_BUCKETS} buckets of equal volume, bought share Phi(r/std(r)); 0"
            " without volume",
            bars,
            bars,
            unit="fraction",
            low=0.0,
            high=1.0,
            source=_EASLEY,
        ),
        _column(
            f"micro_vpin_{window}_percentile",
            f"share of the last {N_TOXICITIES} values of vpin below the newest, equal ones counting half",
            history,
            history,
            unit="fraction",
            low=0.0,
            high=1.0,
            source=_EASLEY,
        ),
    )
    return Indicator(VPIN, (window,), columns, n_slots=N_TOXICITIES, lookback_bars=bars)


def _acf(window: int) -> Indicator:
    bars = window + 1
    columns = (
        *(
            _column(
                f"stat_acf_{window}_lag{lag}",
                "autocorrelation of the log return, one mean for both; 0 where constant",
                bars,
                bars,
                unit="ratio",
                low=-1.0,
                high=1.0,
                source=_BOX,
            )
            for lag in range(1, N_ACF_LAGS + 1)
        ),
        *(
            _column(
                f"stat_pacf_{window}_lag{lag}",
                "partial autocorrelation of the log return; 0 where constant",
                bars,
                bars,
                unit="ratio",
                low=-1.0,
                high=1.0,
                source=_DURBIN,
            )
            for lag in range(1, N_PACF_LAGS + 1)
        ),
        _column(
            f"stat_ljungbox_{window}_statistic",
            f"n (n + 2) sum(acf_k^2/(n - k), k <= {N_BOX_LAGS})",
            bars,
            bars,
            unit="ratio",
            low=0.0,
            high=inf,
            source="G. Ljung, G. Box, 1978; statsmodels acorr_ljungbox",
        ),
        _column(
            f"stat_ljungbox_{window}_pvalue",
            f"probability of a larger statistic, chi-squared with {N_BOX_LAGS} degrees; 1 where constant",
            bars,
            bars,
            unit="fraction",
            low=0.0,
            high=1.0,
            source="G. Ljung, G. Box, 1978; statsmodels acorr_ljungbox",
        ),
    )
    return Indicator(ACF, (window,), columns, n_slots=window + 2 * N_PACF_LAGS, lookback_bars=bars)


def _unit_root(window: int) -> Indicator:
    columns = (
        _column(
            f"stat_adf_{window}_statistic",
            "t of b in dx = a + b x[1] + c dx[1], x the log close; 0 where it does not vary",
            window,
            window,
            unit="deviations",
            low=-ADF_LIMIT,
            high=ADF_LIMIT,
            source="S. Said, D. Dickey, 1984; statsmodels adfuller, 1 lag",
        ),
        _column(
            f"stat_kpss_{window}_statistic",
            "sum(S^2)/(n^2 s^2) around a level of the log close, Bartlett weights; 0 where constant",
            window,
            window,
            unit="ratio",
            low=0.0,
            high=inf,
            source="D. Kwiatkowski and others, 1992; statsmodels kpss",
        ),
        _column(
            f"stat_stationary_{window}_flag",
            "1 where ADF rejects a unit root and KPSS does not reject stationarity, at 5 %",
            window,
            window,
            unit="flag",
            low=0.0,
            high=1.0,
            source="J. MacKinnon, 2010; D. Kwiatkowski and others, 1992",
        ),
    )
    return Indicator(UNIT_ROOT, (window,), columns, n_slots=3 * window, lookback_bars=window)


def _fractal(hurst: int, box: int) -> Indicator:
    bars = hurst + 1
    columns = (
        _column(
            f"stat_hurst_{hurst}_exponent",
            "slope of ln F on ln s, detrended fluctuation of the log return; 0.5 where constant",
            bars,
            bars,
            unit="ratio",
            low=0.0,
            high=1.0,
            source="C.-K. Peng and others, 1994; J. Kantelhardt and others, 2001",
        ),
        _column(
            f"stat_fractal_{box}_dimension",
            "slope of ln N on ln(1/side), boxes that the graph of the log close enters; 1 where constant",
            bars,
            bars,
            unit="ratio",
            low=1.0,
            high=2.0,
            source="K. Falconer, Fractal Geometry, 1990, 3.1",
        ),
        _column(
            f"stat_fractal_{hurst}_regime",
            "1 where exponent and dimension say that moves go on, -1 where both say that they reverse, else 0",
            bars,
            bars,
            unit="flag",
            low=-1.0,
            high=1.0,
            source="B. Mandelbrot, Self-affine fractals and fractal dimension, 1985",
        ),
    )
    return Indicator(FRACTAL, (hurst, box), columns, n_slots=hurst, lookback_bars=max(bars, box))


def _reversion(window: int) -> Indicator:
    def column(part: str, formula: str, unit: str, low: float, high: float) -> Column:
        name = f"stat_reversion_{window}_{part}"
        return _column(name, formula, window, window, unit=unit, low=low, high=high, source=_OU)

    cap = float(HALF_LIFE_CAP_WINDOWS * window)
    columns = (
        column("strength", "1 - b of x = a + b x[1], x the log close, cut; 0 where constant", "ratio", -1.0, 2.0),
        column("halflife", f"ln 2/theta; {cap:g} where it does not revert", "bars", log(2.0) / THETA_MAX_PER_BAR, cap),
        column("theta", "-ln b a bar; 0 where it does not revert", "ratio", 0.0, THETA_MAX_PER_BAR),
        column("distance", "log close less the level it returns to, a/(1 - b)", "ratio", -inf, inf),
        column("sigma", "volatility of the process, a bar", "ratio", 0.0, inf),
    )
    return Indicator(REVERSION, (window,), columns, lookback_bars=window)


def _break(window: int) -> Indicator:
    bars = window + 1
    source = "D. Andrews, Tests for parameter instability, 1993"

    def column(part: str, formula: str, unit: str, high: float) -> Column:
        return _column(f"stat_break_{window}_{part}", formula, bars, bars, unit=unit, low=0.0, high=high, source=source)

    columns = (
        column("statistic", "largest F of one shift of the mean log return, 15 % trimmed", "ratio", SUP_F_LIMIT),
        column("age", "bars since that shift; 0 where constant", "bars", float(window)),
        column("flag", f"1 where the statistic exceeds {SUP_F_CRITICAL_5PCT}, 5 %", "flag", 1.0),
    )
    return Indicator(BREAK, (window,), columns, lookback_bars=bars)


def _change(window: int) -> Indicator:
    bars = window + 1
    columns = (
        _column(
            f"stat_changepoint_{window}_probability",
            "that a new run of log returns began in the last 5 bars, hazard 1/100; 0 where constant",
            bars,
            bars,
            unit="fraction",
            low=0.0,
            high=1.0,
            source=_ADAMS,
        ),
        _column(
            f"stat_changepoint_{window}_run",
            "expected length of the present run, within the window",
            bars,
            bars,
            unit="bars",
            low=1.0,
            high=float(window),
            source=_ADAMS,
        ),
    )
    return Indicator(CHANGE, (window,), columns, n_slots=7 * window, lookback_bars=bars)


def _hill(window: int) -> Indicator:
    bars, n_extremes = window + 1, max(window // 10, 2)
    column = _column(
        f"stat_hill_{window}_index",
        f"tail index of abs(log return) from the {n_extremes} largest; {HILL_LIMIT:g} where all are 0",
        bars,
        bars,
        unit="ratio",
        low=0.0,
        high=HILL_LIMIT,
        source="B. Hill, A simple general approach to inference about the tail, 1975",
    )
    return Indicator(HILL, (window, n_extremes), (column,), n_slots=n_extremes + 1, lookback_bars=bars)


def _wavelet(window: int) -> Indicator:
    bars = window + 1

    def share(part: str, formula: str) -> Column:
        name = f"stat_wavelet_{window}_{part}"
        return _column(name, formula, bars, bars, unit="fraction", low=0.0, high=1.0, source=_MALLAT)

    columns = (
        *(
            share(f"energy{level}", f"share of the energy of the log return in waves of {2**level} to {2 * 2**level}")
            for level in range(1, N_LEVELS + 1)
        ),
        share("energy_rest", "share of the energy in longer waves; 1 where all are 0"),
        *(
            _column(
                f"stat_wavelet_{window}_detail{level}",
                f"newest detail coefficient of level {level}",
                bars,
                bars,
                unit="ratio",
                low=-inf,
                high=inf,
                source=_MALLAT,
            )
            for level in range(1, N_LEVELS + 1)
        ),
    )
    return Indicator(WAVELET, (window,), columns, n_slots=window, lookback_bars=bars)


def _spectrum(window: int) -> Indicator:
    bars = window + 1
    columns = (
        *(
            _column(
                f"stat_fourier_{window}_amplitude{wave}",
                f"amplitude of the wave of {window}/{wave} bars in the log return",
                bars,
                bars,
                unit="ratio",
                low=0.0,
                high=inf,
                source=_FOURIER,
            )
            for wave in range(1, N_WAVES + 1)
        ),
        *(
            _column(
                f"stat_fourier_{window}_phase{wave}",
                f"phase of that wave at the oldest bar, radians; 0 without amplitude (wave {wave})",
                bars,
                bars,
                unit="radians",
                low=-pi,
                high=pi,
                source=_FOURIER,
            )
            for wave in range(1, N_WAVES + 1)
        ),
        _column(
            f"stat_spectral_{window}_entropy",
            "-sum(p ln p)/ln(n/2), p the share of a frequency in the power; 1 where constant",
            bars,
            bars,
            unit="fraction",
            low=0.0,
            high=1.0,
            source="T. Inouye and others, 1991",
        ),
    )
    return Indicator(SPECTRUM, (window,), columns, n_slots=2 * window, lookback_bars=bars)


STATISTICS = Family(
    "statistics",
    (
        Kind("vpin", _vpin, ((100,),), rows=(bars.LOG_RETURN,)),
        Kind("acf", _acf, ((100,),), rows=(bars.LOG_RETURN,)),
        Kind("unit_root", _unit_root, ((100,),), rows=(bars.LOG_CLOSE,)),
        Kind("fractal", _fractal, ((100, 50),), rows=(bars.LOG_RETURN, bars.LOG_CLOSE)),
        Kind("reversion", _reversion, ((60,),), rows=(bars.LOG_CLOSE,)),
        Kind("structural_break", _break, ((100,),), rows=(bars.LOG_RETURN,)),
        Kind("change_point", _change, ((100,),), rows=(bars.LOG_RETURN,)),
        Kind("hill", _hill, ((100,),), rows=(bars.LOG_RETURN,)),
        Kind("wavelet", _wavelet, ((128,),), rows=(bars.LOG_RETURN,)),
        Kind("spectrum", _spectrum, ((128,),), rows=(bars.LOG_RETURN,)),
    ),
)
