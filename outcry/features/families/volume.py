"""Volume: accumulation, money flow, activity, and the prices that were traded."""

from math import ceil, inf, sqrt

from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind
from outcry.features.kernels import bars

(
    OBV,
    OBV_CHANGE,
    ADL,
    ADOSC,
    CMF,
    MFI,
    FORCE,
    LEVEL,
    PACE,
    ZSCORE,
    PVT,
    NVI,
    PVI,
    EOM,
    WEIGHTED_MOMENTUM,
    PROFILE,
) = range(16)

PROFILE_CADENCE_BARS = 10

_CHAIKIN = "M. Chaikin, Chaikin Oscillator, 1982; TA-Lib ADOSC"
_ELDER = "A. Elder, Trading for a Living, 1993; TA-Lib EFI"
_NVI = "N. Fosback, Stock Market Logic, 1976; starts at 1000; TA-Lib"
_PROFILE = "J. P. Steidlmayer, Market Profile, 1985"


def _column(
    name: str,
    formula: str,
    *,
    window: int,
    warmup: int,
    unit: str,
    low: float = -inf,
    high: float = inf,
    source: str,
    aliases: tuple[str, ...] = (),
) -> Column:
    return Column(name, "volume", formula, window, warmup, unit, low, high, source, aliases)


def _obv() -> Indicator:
    column = _column(
        "tech_obv_raw",
        "obv += sign(close - close[1]) volume; starts at the first volume",
        window=0,
        warmup=1,
        unit="shares",
        source="J. Granville, 1963; TA-Lib OBV",
        aliases=("obv",),
    )
    return Indicator(OBV, (), (column,), n_slots=1, lookback_bars=2)


def _obv_change(window: int) -> Indicator:
    column = _column(
        f"tech_obv_{window}_change",
        f"(obv - obv[{window}]) / sum(volume, {window}); 0 without volume",
        window=window + 1,
        warmup=window + 1,
        unit="fraction",
        low=-1.0,
        high=1.0,
        source="OBV over the volume it is made of",
    )
    return Indicator(OBV_CHANGE, (window,), (column,), lookback_bars=window + 1)


def _adl() -> Indicator:
    column = _column(
        "tech_adl_raw",
        "adl += clv volume, clv = (2c - h - l)/(h - l); clv is 0 where h = l",
        window=0,
        warmup=1,
        unit="shares",
        source="M. Chaikin; TA-Lib AD",
    )
    return Indicator(ADL, (), (column,), n_slots=1)


def _adosc(fast: int, slow: int) -> Indicator:
    if fast > slow:
        fast, slow = slow, fast
    raw = _column(
        f"tech_adosc_{fast}_{slow}_raw",
        f"ema{fast}(adl) - ema{slow}(adl), both start at the first adl",
        window=0,
        warmup=slow,
        unit="shares",
        source=_CHAIKIN,
    )
    ratio = _column(
        f"tech_adosc_{fast}_{slow}_ratio",
        f"raw / mean(volume, {slow}); 0 where the mean is 0",
        window=0,
        warmup=slow,
        unit="ratio",
        source=_CHAIKIN,
    )
    return Indicator(ADOSC, (fast, slow), (raw, ratio), n_slots=3, lookback_bars=slow)


def _cmf(window: int) -> Indicator:
    column = _column(
        f"tech_cmf_{window}_raw",
        f"sum(clv volume, {window})/sum(volume, {window}); 0 without volume",
        window=window,
        warmup=window,
        unit="fraction",
        low=-1.0,
        high=1.0,
        source="M. Chaikin, Chaikin Money Flow; TA-Lib CMF",
    )
    return Indicator(CMF, (window,), (column,), lookback_bars=window)


def _mfi(window: int) -> Indicator:
    column = _column(
        f"tech_mfi_{window}_raw",
        "100 up/(up + down), tp volume where tp rose, fell by 1e-12 of itself; 50 where both are 0",
        window=window + 1,
        warmup=window + 1,
        unit="index",
        low=0.0,
        high=100.0,
        source="G. Quong, A. Soudack, 1989; TA-Lib MFI",
        aliases=("mfi",) if window == 14 else (),
    )
    return Indicator(MFI, (window,), (column,), lookback_bars=window + 1)


def _force(window: int, mean: int) -> Indicator:
    force = "(close - close[1]) volume"
    raw = _column(
        f"tech_force_{window}_raw",
        force if window == 1 else f"ema{window}(force_1)",
        window=2 if window == 1 else 0,
        warmup=window + 1,
        unit="currency",
        source=_ELDER,
    )
    first = max(window + 1, mean)
    ratio = _column(
        f"tech_force_{window}_ratio",
        f"raw / (close mean(volume, {mean})); 0 where the mean is 0",
        window=first if window == 1 else 0,
        warmup=first,
        unit="ratio",
        source=_ELDER,
    )
    return Indicator(FORCE, (window, mean), (raw, ratio), n_slots=1, lookback_bars=max(2, mean))


def _level(window: int) -> Indicator:
    def column(
        part: str, formula: str, unit: str, high: float, source: str, *, depends_on_all: bool = False, alias: str = ""
    ) -> Column:
        return _column(
            f"tech_volume_{window}_{part}",
            formula,
            window=0 if depends_on_all else window,
            warmup=window,
            unit=unit,
            low=0.0,
            high=high,
            source=source,
            aliases=(alias,) if alias and window == 20 else (),
        )

    mean = f"mean(volume, {window})"
    relative = "relative volume"
    columns = (
        column("mean", mean, "shares", inf, "TA-Lib SMA"),
        column("ema", f"ema{window}(volume)", "shares", inf, "TA-Lib EMA", depends_on_all=True),
        column(
            "ratio", f"volume / {mean}; 1 where the mean is 0", "ratio", float(window), relative, alias="volume_ratio"
        ),
        column("surge", f"1 where volume > 1.5 {mean}, else 0", "flag", 1.0, relative, alias="volume_surge"),
    )
    return Indicator(LEVEL, (window,), columns, n_slots=1, lookback_bars=window)


def _pace(short: int, long: int) -> Indicator:
    if short > long:
        short, long = long, short
    column = _column(
        f"tech_volume_{short}_{long}_ratio",
        f"mean(volume, {short})/mean(volume, {long}) - 1; 0 where the mean is 0",
        window=long,
        warmup=long,
        unit="ratio",
        low=-1.0,
        high=long / short - 1.0,
        source="volume momentum",
    )
    return Indicator(PACE, (short, long), (column,), lookback_bars=long)


def _zscore(window: int) -> Indicator:
    bound = float(ceil((window - 1) / sqrt(window)))  # the furthest that one of so many values can be from their mean
    column = _column(
        f"stat_zscore_{window}_volume",
        "(volume - mean)/std(ddof 1); 0 where constant",
        window=window,
        warmup=window,
        unit="deviations",
        low=-bound,
        high=bound,
        source="standard score",
    )
    return Indicator(ZSCORE, (window,), (column,), lookback_bars=window)


def _pvt() -> Indicator:
    column = _column(
        "tech_pvt_raw",
        "pvt += volume (close/close[1] - 1)",
        window=0,
        warmup=1,
        unit="shares",
        source="price volume trend; TA-Lib PVT",
    )
    return Indicator(PVT, (), (column,), n_slots=1, lookback_bars=2)


def _volume_index(opcode: int, name: str, way: str) -> Indicator:
    column = _column(
        f"tech_{name}_raw",
        f"{name} *= close/close[1] where volume {way}",
        window=0,
        warmup=1,
        unit="index",
        low=0.0,
        source=f"{_NVI} {name.upper()}",
    )
    return Indicator(opcode, (), (column,), n_slots=1, lookback_bars=2)


def _nvi() -> Indicator:
    return _volume_index(NVI, "nvi", "fell")


def _pvi() -> Indicator:
    return _volume_index(PVI, "pvi", "rose")


def _eom(window: int) -> Indicator:
    column = _column(
        f"tech_eom_{window}_ratio",
        f"mean((mid - mid[1]) (h - l)/volume, {window}) mean(volume, {window})/close^2, mid = (h + l)/2;"
        " a bar without volume counts 0",
        window=window + 1,
        warmup=window + 1,
        unit="ratio",
        source="R. Arms, Ease of Movement, 1996; here without its units",
    )
    return Indicator(EOM, (window,), (column,), lookback_bars=window + 1)


def _weighted_momentum(window: int) -> Indicator:
    column = _column(
        f"tech_vwmom_{window}_mean",
        f"sum(volume (close/close[1] - 1), {window})/sum(volume, {window}); 0 without volume",
        window=window + 1,
        warmup=window + 1,
        unit="ratio",
        low=-1.0,
        source="price volume trend over the volume it is made of",
    )
    return Indicator(WEIGHTED_MOMENTUM, (window,), (column,), lookback_bars=window + 1)


def _profile(window: int, bins: int) -> Indicator:
    profile = (
        f"of the volume of the last {window} bars by typical price, in {bins} bins of equal width from the lowest to"
        f" the highest (the bins as of every {PROFILE_CADENCE_BARS}th bar); without volume: in the bin of the newest"
    )
    parts = (
        ("poc", f"(close - poc)/close, poc: the middle of the fullest bin, the lowest of equals, {profile}"),
        ("high", f"(close - high)/close, high: the upper edge of the value area, {_AREA}"),
        ("low", f"(close - low)/close, low: the lower edge of the value area, {_AREA}"),
    )
    columns = tuple(
        Column(
            f"tech_profile_{window}_{part}",
            "volume",
            formula,
            window_bars=window,
            warmup_bars=window,
            unit="ratio",
            low=-inf,
            high=1.0,
            source=_PROFILE,
            cadence_bars=PROFILE_CADENCE_BARS,
        )
        for part, formula in parts
    )
    return Indicator(PROFILE, (window, bins), columns, n_slots=3 + bins, lookback_bars=window)


_AREA = (
    "the bins around that of the poc that hold 70 % of the volume, joined one by one, the fuller neighbour first, the"
    " upper of equals"
)

VOLUME = Family(
    "volume",
    (
        Kind("obv", _obv),
        Kind("obv_change", _obv_change, ((20,),)),
        Kind("adl", _adl, rows=(bars.MONEY_FLOW,)),
        Kind("adosc", _adosc, ((3, 10),), rows=(bars.MONEY_FLOW,)),
        Kind("cmf", _cmf, ((20,),), rows=(bars.MONEY_FLOW,)),
        Kind("mfi", _mfi, ((14,),), rows=(bars.TYPICAL,)),
        Kind("force", _force, ((1, 20), (13, 20))),
        Kind("volume_level", _level, ((20,),)),
        Kind("volume_pace", _pace, ((5, 20),)),
        Kind("volume_zscore", _zscore, ((60,),)),
        Kind("pvt", _pvt),
        Kind("nvi", _nvi),
        Kind("pvi", _pvi),
        Kind("eom", _eom, ((14,),)),
        Kind("vwmom", _weighted_momentum, ((10,), (20,))),
        Kind("volume_profile", _profile, ((240, 24),), rows=(bars.TYPICAL,)),
    ),
)
