"""How the portfolio turns forecasts into orders."""

from typing import Literal, Self

from pydantic import Field, model_validator

from outcry.config import FrozenConfig


class PortfolioConfig(FrozenConfig):
    """Size and timing of positions; section `portfolio`. Fractions are of equity."""

    target_volatility_per_year: float = Field(default=0.15, gt=0, le=2)
    min_volatility_per_year: float = Field(default=0.02, gt=0)
    max_position_frac: float = Field(default=0.10, gt=0)
    min_position_frac: float = Field(default=0.01, ge=0)
    max_gross_frac: float = Field(default=1.0, gt=0)
    max_positions: int = Field(default=20, ge=1)
    entry_edge: float = Field(default=0.10, ge=0, le=1)
    exit_edge: float = Field(default=0.02, ge=0, le=1)
    rebalance_frac: float = Field(default=0.05, ge=0)
    allow_short: bool = False
    order_type: Literal["market", "limit"] = "market"
    limit_offset_bps: float = Field(default=5.0, ge=0, lt=10_000)

    @model_validator(mode="after")
    def _thresholds_are_ordered(self) -> Self:
        if self.exit_edge > self.entry_edge:
            raise ValueError(f"exit_edge must be at most entry_edge {self.entry_edge}, was {self.exit_edge}")
        if self.min_position_frac > self.max_position_frac:
            raise ValueError(
                f"min_position_frac must be at most max_position_frac {self.max_position_frac}, "
                f"was {self.min_position_frac}"
            )
        return self
