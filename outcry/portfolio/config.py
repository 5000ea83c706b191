"""How the portfolio turns forecasts into orders."""

from typing import Literal, Self

from pydantic import Field, model_validator

from outcry.config import FrozenConfig

FORCES_OF_SIMPLE_ORDERS = frozenset({"ioc", "fok", "opg", "cls"})
"""What only a market or a limit order may ask for."""


class PortfolioConfig(FrozenConfig):
    """Size, timing and protection of positions; section `portfolio`. Fractions are of equity, or of the last close.

    `order_type` and `time_in_force` are of orders that open or enlarge a position; ``auto`` is ``gtc`` for a market
    order and ``day`` for the others. Exits and reductions are market orders; they take part in the auction of ``opg``
    or ``cls``, and are ``gtc`` otherwise. `limit_offset_bps` is how much better than the close a limit is, or how much
    further than the stop the limit of a stop_limit; `stop_offset_bps` is how far beyond the close a stop stands, and
    `entry_trail_frac` how far a trailing stop stays from the best price.

    Where `stop_loss_frac`, `take_profit_frac` or `trailing_stop_frac` are given, every order that opens or enlarges
    brings orders that close what it has opened: at that distance from the close, or behind the best price.
    """

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
    order_type: Literal["market", "limit", "stop", "stop_limit", "trailing_stop"] = "market"
    time_in_force: Literal["auto", "day", "gtc", "ioc", "fok", "opg", "cls"] = "auto"
    limit_offset_bps: float = Field(default=5.0, ge=0, lt=10_000)
    stop_offset_bps: float = Field(default=10.0, ge=0, lt=10_000)
    entry_trail_frac: float = Field(default=0.01, gt=0, lt=1)
    stop_loss_frac: float | None = Field(default=None, gt=0, lt=1)
    take_profit_frac: float | None = Field(default=None, gt=0)
    trailing_stop_frac: float | None = Field(default=None, gt=0, lt=1)

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

    @model_validator(mode="after")
    def _orders_are_possible(self) -> Self:
        if self.time_in_force in FORCES_OF_SIMPLE_ORDERS and self.order_type not in {"market", "limit"}:
            raise ValueError(
                f"time_in_force {self.time_in_force} must go with order_type market or limit, was {self.order_type}"
            )
        if self.stop_loss_frac is not None and self.trailing_stop_frac is not None:
            raise ValueError(
                f"stop_loss_frac must be absent where trailing_stop_frac {self.trailing_stop_frac} is given, "
                f"was {self.stop_loss_frac}"
            )
        return self
