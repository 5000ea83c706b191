"""The windows, bands and multiples of the targets that `outcry.labels.catalogue` names."""

from pydantic import Field

from outcry.config import FrozenConfig


class TargetConfig(FrozenConfig):
    """What defines the targets beside their horizon.

    Windows are in bars and end at row t. ``band_multiple``, ``profit_multiple`` and ``stop_multiple`` count deviations
    of the return over the horizon, as the volatility over ``volatility_window_bars`` lets expect them;
    ``trend_multiple`` likewise counts deviations of the return over ``trend_window_bars``. ``move_multiple`` counts
    average true ranges. ``efficiency_multiple`` counts ``1 / sqrt(h)``, about what a random walk of h bars has.
    ``kelly_limit_frac`` is a fraction of equity; it is wide because the size with hindsight is: a median of 11 on daily
    bars of US stocks over 20 bars, and of 125 on 5-minute bars over 12.
    """

    volatility_window_bars: int = Field(default=20, ge=2)
    band_multiple: float = Field(default=0.5, ge=0)
    atr_window_bars: int = Field(default=14, ge=1)
    move_multiple: float = Field(default=1.0, ge=0)
    trend_window_bars: int = Field(default=20, ge=1)
    trend_multiple: float = Field(default=0.5, ge=0)
    profit_multiple: float = Field(default=1.0, gt=0)
    stop_multiple: float = Field(default=1.0, gt=0)
    efficiency_multiple: float = Field(default=1.0, ge=0)
    kelly_limit_frac: float = Field(default=100.0, gt=0)
