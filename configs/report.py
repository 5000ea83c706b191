"""What the figures of a report are measured against: section ``report``."""

from pydantic import Field, field_validator

from outcry.backtest.benchmark import UNIVERSE, parse_benchmark
from outcry.config import FrozenConfig
from outcry.errors import ConfigurationError


class ReportConfig(FrozenConfig):
    """``risk_free_per_year`` is the simple annual rate that cash would have earned: ratios count what is above it.

    ``benchmark`` is ``universe`` (buying and holding it), ``cash`` at that rate or ``cash=0.03``, a symbol, weights of
    symbols, either with ``@`` and the file of its prices, or a file that holds one symbol.
    """

    risk_free_per_year: float = Field(default=0.02, ge=-0.05, le=0.5)
    benchmark: str = UNIVERSE

    @field_validator("benchmark")
    @classmethod
    def _names_a_benchmark(cls, benchmark: str) -> str:
        try:
            parse_benchmark(benchmark)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        return benchmark
