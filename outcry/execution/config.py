"""What the simulated broker assumes."""

from decimal import Decimal
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from outcry.config import FrozenConfig

PESSIMISTIC_SLIPPAGE, PESSIMISTIC_COMMISSION, PESSIMISTIC_VOLUME = 3.0, 2.0, 0.25


class BrokerConfig(FrozenConfig):
    """What the simulated account holds, may do and pays; section `broker`.

    ``assumptions`` bend the rest without touching it: ``optimistic`` pays nothing but the rounding to the tick and may
    take the whole volume of a bar, ``pessimistic`` has three times the slippage, the spread and the impact, twice the
    commission, borrow fee and interest, and a quarter of the volume. A result that lives on the difference between
    them lives on its assumptions.

    Attributes
    ----------
    initial_cash : Decimal
    allow_short : bool
    max_leverage : float
        Largest gross exposure as a multiple of equity.
    max_volume_frac : float
        Largest part of the volume of a bar that all orders of its symbol may take together.
    slippage : str
        ``fixed``, ``volume``, ``volatility`` or ``spread``; a file each in `outcry.execution.costs`.
    slippage_bps, slippage_volume_bps, max_slippage_bps : float
        What is always paid; what an order as large as the average volume of a bar pays more; and the most.
    spread_factor : float
        Of the spread that was quoted or is estimated.
    impact : str
        ``none``, ``square_root`` or ``almgren_chriss``, on top of slippage.
    impact_factor, permanent_factor : float
        Of temporary impact, and of what stays; multiples of the volatility of a bar.
    window_bars : int
        Bars over which average volume, volatility and spread are taken; they end before the bar of the trade.
    commission_per_share, commission_bps, min_commission : float
        Account currency a share, basis points of the notional, and at least so much a fill.
    commission_step : Decimal
        What a commission is rounded up to; 0 for the smallest amount that can be counted.
    commission_tiers : tuple of (float, float)
        From so many shares traded in a month on, a share costs so much instead.
    latency_ms : tuple of (float, float)
        Least and most time from the close of a frame to the arrival of its orders.
    latency_frames : int
        Frames that an order waits beyond the next one.
    borrow_bps_per_year : float
        Of the value of a short position, for borrowing its shares.
    financing_bps_per_year : float
        Of borrowed cash: what long positions cost beyond the equity. The proceeds of a short sale lie with the lender
        of the shares and finance nothing.
    cash_bps_per_year : float
        Earned by cash that is neither borrowed nor the proceeds of a short sale.
    """

    assumptions: Literal["optimistic", "realistic", "pessimistic"] = "realistic"
    initial_cash: Decimal = Field(default=Decimal(100_000), gt=0)
    allow_short: bool = False
    max_leverage: float = Field(default=1.0, gt=0, le=10)
    max_volume_frac: float = Field(default=0.10, gt=0, le=1)
    slippage: Literal["fixed", "volume", "volatility", "spread"] = "fixed"
    slippage_bps: float = Field(default=5.0, ge=0, lt=10_000)
    slippage_volume_bps: float = Field(default=10.0, ge=0, lt=10_000)
    max_slippage_bps: float = Field(default=50.0, ge=0, lt=10_000)
    spread_factor: float = Field(default=1.0, ge=0, le=30)
    impact: Literal["none", "square_root", "almgren_chriss"] = "none"
    impact_factor: float = Field(default=0.3, ge=0, le=30)
    permanent_factor: float = Field(default=0.1, ge=0, le=30)
    window_bars: int = Field(default=20, ge=2, le=1_000)
    commission_per_share: float = Field(default=0.005, ge=0)
    commission_bps: float = Field(default=0.0, ge=0, lt=10_000)
    min_commission: float = Field(default=1.0, ge=0)
    commission_step: Decimal = Field(default=Decimal("0.01"), ge=0, le=1)
    commission_tiers: tuple[tuple[float, float], ...] = ()
    latency_ms: tuple[float, float] = (0.0, 0.0)
    latency_frames: int = Field(default=0, ge=0, le=1_000)
    borrow_bps_per_year: float = Field(default=50.0, ge=0, le=100_000)
    financing_bps_per_year: float = Field(default=600.0, ge=0, le=100_000)
    cash_bps_per_year: float = Field(default=0.0, ge=0, le=100_000)

    def assumed(self) -> "BrokerConfig":
        """Return what the assumptions make of these costs and limits."""
        if self.assumptions == "realistic":
            return self
        slips = ("slippage_bps", "slippage_volume_bps", "max_slippage_bps", "spread_factor")
        impacts = ("impact_factor", "permanent_factor")
        commissions = ("commission_per_share", "commission_bps", "min_commission")
        carries = ("borrow_bps_per_year", "financing_bps_per_year")
        if self.assumptions == "optimistic":
            bent: dict[str, object] = dict.fromkeys((*slips, *impacts, *commissions, *carries), 0.0)
            bent |= {"max_volume_frac": 1.0, "latency_ms": (0.0, 0.0), "latency_frames": 0, "commission_tiers": ()}
        else:
            dearer = dict.fromkeys((*slips, *impacts), PESSIMISTIC_SLIPPAGE)
            dearer |= dict.fromkeys((*commissions, *carries), PESSIMISTIC_COMMISSION)
            bent = {name: factor * getattr(self, name) for name, factor in dearer.items()}
            bent["max_volume_frac"] = PESSIMISTIC_VOLUME * self.max_volume_frac
            bent["commission_tiers"] = tuple(
                (shares, PESSIMISTIC_COMMISSION * a_share) for shares, a_share in self.commission_tiers
            )
        return BrokerConfig.model_validate({**dict(self), **bent, "assumptions": "realistic"})

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        least, most = self.latency_ms
        if not 0 <= least <= most:
            raise ValueError(f"latency_ms must be two numbers, 0 <= least <= most, was {self.latency_ms}")
        starts = [0.0, *(shares for shares, _ in self.commission_tiers)]
        if any(b <= a for a, b in pairwise(starts)) or any(a_share < 0 for _, a_share in self.commission_tiers):
            raise ValueError(
                f"commission_tiers must rise from above 0 shares at no negative cost, was {self.commission_tiers}"
            )
        if self.slippage != "fixed" and self.max_slippage_bps < self.slippage_bps:
            raise ValueError(
                f"max_slippage_bps must be at least slippage_bps {self.slippage_bps}, was {self.max_slippage_bps}"
            )
        self.assumed()
        return self
