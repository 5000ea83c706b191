"""What the risk gate allows."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, field_validator, model_validator

from outcry.config import FrozenConfig


class DrawdownStep(FrozenConfig):
    """From this drawdown on, hold at most `exposure_frac` of what is wanted; 0 flattens and halts."""

    drawdown_frac: float = Field(gt=0, lt=1)
    exposure_frac: float = Field(ge=0, lt=1)


class RiskConfig(FrozenConfig):
    """The limits; section `risk`. Fractions are positive, of equity where nothing else is said.

    `sector_fracs` replaces `max_sector_frac` for the sectors it names. A step of the ladder is left again once the
    drawdown falls below `ladder_recovery_frac` of its threshold; the ladder reduces a position that is above its
    scaled target by at least `deleverage_band_frac`.

    Where equity falls below `maintenance_margin_frac` of all positions, long and short counted alike, they are reduced
    until it is `initial_margin_frac` of them.
    """

    max_position_frac: float = Field(default=0.10, gt=0)
    max_gross_frac: float = Field(default=1.0, gt=0)
    max_net_frac: float = Field(default=1.0, gt=0)
    max_positions: int = Field(default=20, ge=1)
    max_sector_frac: float = Field(default=0.25, gt=0)
    sector_fracs: Mapping[str, float] = {}
    daily_loss_frac: float = Field(default=0.02, gt=0, lt=1)
    drawdown_ladder: tuple[DrawdownStep, ...] = (
        DrawdownStep(drawdown_frac=0.05, exposure_frac=0.75),
        DrawdownStep(drawdown_frac=0.10, exposure_frac=0.50),
        DrawdownStep(drawdown_frac=0.15, exposure_frac=0.0),
    )
    ladder_recovery_frac: float = Field(default=0.8, gt=0, le=1)
    deleverage_band_frac: float = Field(default=0.005, ge=0)
    maintenance_margin_frac: float = Field(default=0.25, gt=0, le=1)
    initial_margin_frac: float = Field(default=0.5, gt=0, le=1)

    @field_validator("sector_fracs")
    @classmethod
    def _sector_fracs_are_positive(cls, fracs: Mapping[str, float]) -> Mapping[str, float]:
        for sector, frac in fracs.items():
            if not frac > 0:
                raise ValueError(f"sector_fracs[{sector}] must be positive, was {frac}")
        return fracs

    @model_validator(mode="after")
    def _ladder_descends(self) -> Self:
        for upper, lower in zip(self.drawdown_ladder, self.drawdown_ladder[1:], strict=False):
            if lower.drawdown_frac <= upper.drawdown_frac or lower.exposure_frac >= upper.exposure_frac:
                raise ValueError(
                    "drawdown_ladder must rise in drawdown_frac and fall in exposure_frac, "
                    f"was ({upper}) before ({lower})"
                )
        return self

    @model_validator(mode="after")
    def _a_margin_call_ends_the_shortfall(self) -> Self:
        if self.initial_margin_frac < self.maintenance_margin_frac:
            raise ValueError(
                f"initial_margin_frac must be at least maintenance_margin_frac, {self.maintenance_margin_frac}, "
                f"was {self.initial_margin_frac}"
            )
        return self
