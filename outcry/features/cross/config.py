"""The windows of the cross-sectional features."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from outcry.config import FrozenConfig

MAX_WINDOW_FRAMES = 2000

_Frames = Annotated[int, Field(ge=1, le=MAX_WINDOW_FRAMES)]
_Sample = Annotated[int, Field(ge=10, le=MAX_WINDOW_FRAMES)]  # fewer frames say nothing of a correlation


class CrossConfig(FrozenConfig):
    """Choose the windows, in frames.

    Attributes
    ----------
    strength_frames : tuple of int
        Relative strength against the market and against the sector.
    excess_frames : tuple of int
        Return less that of the market.
    standing_frames : tuple of int
        Rank, standard score, distance from the median and outlier score of the return.
    beta_frames : tuple of int
        Betas to the market and to the sector.
    volume_frames : int
        Relative volume, and the correlation of return and volume.
    correlation_frames : int
        Correlations with the market, the sector, the proxies and the universe, and with the market one frame before.
    short_frames, long_frames : int
        The change of the correlation with the market is that over the short window less that over the long one.
    factor_frames : int
        Principal components and partial correlation.
    exposure_frames : int
        The change of a loading is taken over this many frames, rounded up to a multiple of `cadence_frames`.
    network_frames : int
        Network, clusters and contagion.
    cadence_frames : int
        The statistics of all pairs are computed in every frame whose number, from 1, is a multiple of this.
    """

    strength_frames: tuple[_Frames, ...] = (20, 60)
    excess_frames: tuple[_Frames, ...] = (1, 5, 10, 20)
    standing_frames: tuple[_Frames, ...] = (1, 5, 20)
    beta_frames: tuple[_Sample, ...] = (60, 252)
    volume_frames: _Sample = 20
    correlation_frames: _Sample = 60
    short_frames: _Sample = 20
    long_frames: _Sample = 120
    factor_frames: _Sample = 60
    exposure_frames: _Frames = 20
    network_frames: _Sample = 120
    cadence_frames: _Frames = 20

    @model_validator(mode="after")
    def _check_windows(self) -> Self:
        for name in ("strength_frames", "excess_frames", "standing_frames", "beta_frames"):
            windows = getattr(self, name)
            if not windows or len(set(windows)) < len(windows):
                raise ValueError(f"{name} must name at least one window, each once, was {windows}")
        if self.short_frames >= self.long_frames:
            raise ValueError(f"short_frames must be below long_frames = {self.long_frames}, was {self.short_frames}")
        return self

    @property
    def ring_frames(self) -> int:
        """Frames of history that the windows need, with one more for a lag and the close before the first return."""
        many = (*self.strength_frames, *self.excess_frames, *self.standing_frames, *self.beta_frames)
        return 1 + max(
            *many,
            self.volume_frames,
            self.correlation_frames,
            self.long_frames,
            self.factor_frames,
            self.network_frames,
        )

    @property
    def exposure_refits(self) -> int:
        """Refits between the two loadings of an exposure change."""
        return -(-self.exposure_frames // self.cadence_frames)
