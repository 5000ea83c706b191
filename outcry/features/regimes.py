"""What kind of market it is, in the words of the platform, of the decision engine and of the ensemble.

The three vocabularies say different things, so none is a translation of another: each is a function of the same three
facts. The tables below are the only place that maps them; the kernel of the family ``regime`` looks up the same ones.

=========  ========  ==========  ===================  =========================
direction  trending  volatility  platform, decision   ensemble
=========  ========  ==========  ===================  =========================
up         yes       low         bull, bullish        trending
up         yes       medium      bull, bullish        trending
up         yes       high        bull, bullish        high volatility
up         no        low         bull, mixed          low volatility
up         no        medium      bull, mixed          mean-reverting
up         no        high        bull, mixed          high volatility
none       yes       low         neutral, mixed       trending
none       yes       medium      neutral, mixed       trending
none       yes       high        neutral, mixed       high volatility
none       no        low         neutral, sideways    low volatility
none       no        medium      neutral, sideways    mean-reverting
none       no        high        neutral, sideways    high volatility
down       yes       low         bear, bearish        trending
down       yes       medium      bear, bearish        trending
down       yes       high        bear, bearish        high volatility
down       no        low         bear, mixed          low volatility
down       no        medium      bear, mixed          mean-reverting
down       no        high        bear, mixed          high volatility
=========  ========  ==========  ===================  =========================

Direction: close and fast mean against the slow mean. Trending: adx and efficiency ratio. Volatility: the third of its
own past that it is in. The columns of the family give the windows and thresholds.
"""

from enum import IntEnum


class PlatformRegime(IntEnum):
    """The platform: where prices stand; the values of ``stat_market_50_200_platform``."""

    BEAR = -1
    NEUTRAL = 0
    BULL = 1


class DecisionRegime(IntEnum):
    """The decision engine: a direction that a trend confirms, or not; ``stat_market_50_200_decision``."""

    BULLISH = 0
    BEARISH = 1
    SIDEWAYS = 2
    MIXED = 3


class EnsembleRegime(IntEnum):
    """The ensemble: which models to listen to; ``stat_volatility_20_252_ensemble``."""

    TRENDING = 0
    MEAN_REVERTING = 1
    HIGH_VOLATILITY = 2
    LOW_VOLATILITY = 3


class VolatilityRegime(IntEnum):
    """Which third of its past the volatility is in; ``stat_volatility_20_252_regime``."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2


class MarketPhase(IntEnum):
    """The cycle of a market; ``stat_market_50_200_phase``."""

    ACCUMULATION = 0
    MARKUP = 1
    DISTRIBUTION = 2
    MARKDOWN = 3


DECISION_OF: dict[tuple[PlatformRegime, bool], DecisionRegime] = {
    (PlatformRegime.BULL, True): DecisionRegime.BULLISH,
    (PlatformRegime.BULL, False): DecisionRegime.MIXED,
    (PlatformRegime.NEUTRAL, True): DecisionRegime.MIXED,
    (PlatformRegime.NEUTRAL, False): DecisionRegime.SIDEWAYS,
    (PlatformRegime.BEAR, True): DecisionRegime.BEARISH,
    (PlatformRegime.BEAR, False): DecisionRegime.MIXED,
}
"""By direction, and whether there is a trend."""

ENSEMBLE_OF: dict[tuple[bool, VolatilityRegime], EnsembleRegime] = {
    (True, VolatilityRegime.LOW): EnsembleRegime.TRENDING,
    (True, VolatilityRegime.MEDIUM): EnsembleRegime.TRENDING,
    (True, VolatilityRegime.HIGH): EnsembleRegime.HIGH_VOLATILITY,
    (False, VolatilityRegime.LOW): EnsembleRegime.LOW_VOLATILITY,
    (False, VolatilityRegime.MEDIUM): EnsembleRegime.MEAN_REVERTING,
    (False, VolatilityRegime.HIGH): EnsembleRegime.HIGH_VOLATILITY,
}
"""By whether there is a trend, and the volatility."""
