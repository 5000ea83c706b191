"""What happens to the market in a stress test, as settings; and the four scenarios that have a name."""

from typing import Annotated

from pydantic import Field, StringConstraints

from outcry.config import FrozenConfig

FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]


class StressScenario(FrozenConfig):
    """Say how far the market falls and comes back, and how its symbols move meanwhile.

    Parameters
    ----------
    name, description : str
    market_shock_frac : float
        Return of the equal-weighted market over the shock, signed, above -1. It takes the place of what the market did
        in these sessions; exactly 0 adds no drift, and the market does what it did.
    shock_sessions : int
        Over which the market gets there, and over which the two settings below hold; at least 1.
    recovery_sessions : int
        Over which the market then comes back to the path that it took without stress; 0: it stays below for good.
    volatility_multiplier : float
        On the deviations of log returns from their mean, above 0.
    correlation_increase : float
        Added to the average correlation of two symbols, in [0, 1]; what comes out is kept below 1.

    Notes
    -----
    Spans are counted in sessions of the data, not in calendar days: a session means the same for every calendar and
    bar size. Scenarios quoted in days are taken as that many sessions. A calendar year has about 252 of them, so that a
    scenario of history is drawn out to about one and a half times its length.
    """

    name: Annotated[str, StringConstraints(min_length=1)]
    description: str = ""
    market_shock_frac: Annotated[FiniteFloat, Field(gt=-1)] = 0.0
    shock_sessions: Annotated[int, Field(ge=1)]
    recovery_sessions: Annotated[int, Field(ge=0)] = 0
    volatility_multiplier: Annotated[FiniteFloat, Field(gt=0)] = 1.0
    correlation_increase: Annotated[FiniteFloat, Field(ge=0, le=1)] = 0.0

    @property
    def is_regime(self) -> bool:
        """Whether symbols move otherwise over the shock, apart from the drift."""
        return self.volatility_multiplier != 1 or self.correlation_increase != 0

    @property
    def is_identity(self) -> bool:
        """Whether nothing changes."""
        return self.market_shock_frac == 0 and not self.is_regime


MARKET_CRASH_2008 = StressScenario(
    name="market_crash_2008",
    description="A long fall as of autumn 2008: 35 % in 180 sessions, 365 to come back.",
    market_shock_frac=-0.35,
    shock_sessions=180,
    recovery_sessions=365,
    volatility_multiplier=2.5,
    correlation_increase=0.3,
)

COVID_SHOCK = StressScenario(
    name="covid_shock",
    description="A sudden fall as of spring 2020: 25 % in 45 sessions, 180 to come back.",
    market_shock_frac=-0.25,
    shock_sessions=45,
    recovery_sessions=180,
    volatility_multiplier=3.0,
    correlation_increase=0.4,
)

HIGH_VOLATILITY = StressScenario(
    name="high_volatility",
    description="A year of twice the volatility, in which the market goes where it went.",
    shock_sessions=252,
    volatility_multiplier=2.0,
)

# Nothing but correlation, so that the result is the worth of diversification alone. The size is that of 2011: over its
# second half, daily returns of two stocks of the S&P 500 had an average correlation of 0.66 (Morningstar, The
# Correlation Conundrum, May 2012); that of 373 of its members from 2013 to 2018 was 0.28.
CORRELATION_SHOCK = StressScenario(
    name="correlation_shock",
    description="Half a year in which stocks move together as in late 2011, each of them as much as before.",
    shock_sessions=126,
    correlation_increase=0.4,
)

SCENARIOS = (MARKET_CRASH_2008, COVID_SHOCK, HIGH_VOLATILITY, CORRELATION_SHOCK)
