"""Which alphas there are, and how they are weighed into one."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from outcry.alphas.catalogue import find_alpha
from outcry.alphas.limits import Limits
from outcry.config import FrozenConfig


class CombinationConfig(FrozenConfig):
    """What the weights of alphas are fitted to, when, and what they keep to.

    Attributes
    ----------
    weighting : str
        ``equal``; ``ic`` by the mean correlation of scores with the ranks of returns; ``sharpe`` and
        ``inverse_volatility`` by the returns of each alpha; ``max_sharpe`` by those of all together.
    orthogonal : str
        What alphas are mapped to before they are weighed: see `outcry.alphas.orthogonal`.
    n_components : int
        Read by ``principal``.
    max_abs_correlation : float
        Of two alphas, the later one is left out above it; 1 keeps all.
    window_frames, refit_frames : int
        How many known payoffs weights are fitted to; frames from one fit to the next.
    review_frames : int or None
        Weights are fitted anew ahead of their turn where they would have lost over the last so many known payoffs; None
        keeps to `refit_frames`.
    min_payoffs : int
        Before there are as many, all alphas have equal weights.
    ridge_frac : float
        Read by ``max_sharpe``.
    total, min_weight, max_weight, max_turnover, min_effective
        See `outcry.alphas.limits.Limits`. Alphas too few to reach ``total`` have equal weights above ``max_weight``.
    """

    weighting: Literal["equal", "ic", "sharpe", "inverse_volatility", "max_sharpe"] = "ic"
    orthogonal: Literal["off", "gram_schmidt", "symmetric", "principal"] = "off"
    n_components: int = Field(default=3, ge=1)
    max_abs_correlation: float = Field(default=1.0, gt=0, le=1)
    window_frames: int = Field(default=252, ge=2)
    refit_frames: int = Field(default=21, ge=1)
    review_frames: int | None = Field(default=None, ge=2)
    min_payoffs: int = Field(default=63, ge=2)
    ridge_frac: float = Field(default=0.1, ge=0)
    total: float = Field(default=1.0, gt=0)
    min_weight: float = Field(default=0.0, ge=0)
    max_weight: float = Field(default=1.0, gt=0)
    max_turnover: float | None = Field(default=None, gt=0)
    min_effective: float | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _check_together(self) -> "CombinationConfig":
        if self.min_payoffs > self.window_frames:
            raise ValueError(f"min_payoffs must be at most window_frames {self.window_frames}, was {self.min_payoffs}")
        if self.review_frames is not None and self.review_frames > self.window_frames:
            raise ValueError(
                f"review_frames must be at most window_frames {self.window_frames}, was {self.review_frames}"
            )
        if self.max_turnover is not None and (self.orthogonal != "off" or self.max_abs_correlation < 1.0):
            raise ValueError(
                "max_turnover must not be set where alphas are mapped, by orthogonal or max_abs_correlation: weights "
                "before and after are of other alphas"
            )
        _ = self.limits
        return self

    @property
    def limits(self) -> Limits:
        return Limits(self.total, self.min_weight, self.max_weight, self.max_turnover, self.min_effective)


class AlphasConfig(CombinationConfig):
    """Section ``alphas``: scores that take the place of the forecast in sizing; windows and horizons are in bars.

    Attributes
    ----------
    trade : bool
        Whether positions are sized by the alphas. False leaves all to the forecast of the model.
    names : tuple of str
        A kind and its windows, see `outcry.alphas.catalogue.find_alpha`.
    forecast : bool
        Whether the forecast of the model is one more alpha. Without it a backtest trains none.
    horizon_bars : int
        Weights are fitted to the returns of so many bars.
    winsor_frac : float
        Of the scores of a frame, those beyond the quantiles of this and one less this count as these.
    neutral_to : tuple of str
        What scores are made uncorrelated with, frame by frame: ``market``, ``sector``, ``beta`` (to the market over
        252 frames), or a column of the feature catalogue with its usual windows.
    regime : str
        ``volatility`` or ``direction``: weights are fitted to what came of scores in the same state of the market, that
        of most symbols; see `outcry.features.regimes`. ``off`` knows one state.
    """

    trade: bool = False
    names: tuple[str, ...] = (
        "momentum_252_21", "momentum_21", "trend_252_60", "high_252", "reversal_5", "average_20", "rsi_2",
    )  # fmt: skip
    forecast: bool = True
    horizon_bars: int = Field(default=5, ge=1)
    winsor_frac: float = Field(default=0.01, ge=0, lt=0.5)
    neutral_to: tuple[str, ...] = ()
    regime: Literal["off", "volatility", "direction"] = "off"

    @field_validator("names")
    @classmethod
    def _check_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        found = [find_alpha(name).name for name in names]
        if len(set(found)) < len(found):
            raise ValueError(f"names must be different alphas, were {', '.join(names)}")
        return names

    @model_validator(mode="after")
    def _check_number(self) -> "AlphasConfig":
        n_alphas = len(self.names) + self.forecast
        if n_alphas == 0:
            raise ValueError("names must hold an alpha where the forecast is none, was empty")
        if not n_alphas * self.min_weight <= self.total <= n_alphas * self.max_weight:
            raise ValueError(
                f"min_weight {self.min_weight} and max_weight {self.max_weight} must let {n_alphas} alphas sum to "
                f"total {self.total}"
            )
        return self
