"""The parameters that every neural family has."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from outcry.config import FrozenConfig


def _check_odd(kernel_bars: int) -> int:
    if kernel_bars < 1 or kernel_bars % 2 == 0:
        raise ValueError(f"kernel_bars must be odd and positive, was {kernel_bars}")
    return kernel_bars


OddBars = Annotated[int, AfterValidator(_check_odd)]
"""Width of a filter that is centred on a bar."""


class NeuralParams(FrozenConfig):
    """How windows are made and a network is trained.

    Attributes
    ----------
    lookback_bars : int
        Rows of a window, that of the decision included.
    max_epochs, batch_rows, learning_rate, weight_decay, clip_norm
        Of AdamW with the gradient clipped to `clip_norm`; validation finds the best epoch.
    n_accumulated : int
        Batches whose gradients make one step.
    schedule : str
        See `outcry.models.neural.schedule.learning_rate_frac`.
    dropout_frac : float
        Of the activations between layers.
    is_dropout_locked : bool
        One mask for all rows of a window (Gal and Ghahramani, 2016), in place of one a row.
    label_smoothing_frac : float
    is_class_balanced : bool
        Classes weigh the same, whatever their frequency.
    return_weight_frac : float
        Share of the loss that a second head has, which estimates the return and its deviation; 0 is none.
    clip_sigma : float
        Where z-scores are cut.
    has_masks : bool
        A channel a feature says whether it is known; an unknown one is 0, the mean, with or without.
    noise_sigma, time_mask_frac, magnitude_warp_sigma, time_warp_sigma : float
        Of training windows: deviation of noise added to z-scores, share of rows that are hidden, and how far a window
        is stretched, see `outcry.models.neural.augment`.
    is_spectral_normed : bool
        Divide the weights of dense layers and convolutions, but those of the heads, by their largest singular value
        (Miyato et al., "Spectral normalization", 2018).
    n_dropout_samples : int
        Forecast the mean of so many networks that lack some activations (see `NeuralModel.predict_samples`), each of
        which takes as long as the whole one; 0 forecasts by the whole one.
    importance_rows : int
        Validation rows on which permutation importance is measured.
    device : str
        On which it trains; `auto` takes CUDA, then MPS, then the CPU. It predicts on the CPU.
    """

    lookback_bars: int = Field(default=60, ge=2, le=512)
    max_epochs: int = Field(default=40, gt=0)
    batch_rows: int = Field(default=128, ge=2)
    n_accumulated: int = Field(default=1, gt=0)
    learning_rate: float = Field(default=1e-3, gt=0, le=0.1)
    weight_decay: float = Field(default=1e-4, ge=0)
    schedule: Literal["constant", "cosine", "onecycle", "plateau"] = "onecycle"
    clip_norm: float = Field(default=1.0, gt=0)
    dropout_frac: float = Field(default=0.2, ge=0, lt=1)
    is_dropout_locked: bool = False
    label_smoothing_frac: float = Field(default=0.0, ge=0, lt=1)
    is_class_balanced: bool = False
    return_weight_frac: float = Field(default=0.0, ge=0, lt=1)
    clip_sigma: float = Field(default=5.0, gt=0)
    has_masks: bool = False
    noise_sigma: float = Field(default=0.0, ge=0)
    time_mask_frac: float = Field(default=0.0, ge=0, lt=1)
    magnitude_warp_sigma: float = Field(default=0.0, ge=0, le=1)
    time_warp_sigma: float = Field(default=0.0, ge=0, le=1)
    is_spectral_normed: bool = False
    n_dropout_samples: int = Field(default=0, ge=0, le=1000)
    importance_rows: int = Field(default=512, gt=0)
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"

    @model_validator(mode="after")
    def _check_samples(self) -> Self:
        if self.n_dropout_samples and not self.dropout_frac:
            raise ValueError(f"n_dropout_samples must be 0 without dropout, was {self.n_dropout_samples}")
        return self
